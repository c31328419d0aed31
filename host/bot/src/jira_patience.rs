//! How long commands wait for Jira.

use std::time::Duration;

/// How long one command may wait for Jira in all. Slack has long been acknowledged by then, but a person who waits
/// longer thinks that nothing happens. A plugin gets the most of it: `runtime/src/invocation/budget.rs`.
pub(crate) const JIRA_PATIENCE: Duration = Duration::from_secs(8);

/// How long it may take to say which issue has a key, or what became of it. Without that, the key itself is looked for.
pub(crate) const KEY_PATIENCE: Duration = Duration::from_secs(3);
