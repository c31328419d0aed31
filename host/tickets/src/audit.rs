//! Logs one line for the operator for each write of a plugin: who, where, which plugin, what.
//!
//! The lines have the target `maro::audit`, so that a log collector can separate them.

use maro_domain::ids::{ChannelId, UserId};
use maro_jira::edit::EditError;

/// Who writes, for a write that may outlive its invocation.
pub struct Writer {
    pub plugin: String,
    /// The digest of the plugin's component.
    pub digest: String,
    pub channel: ChannelId,
    pub user: UserId,
}

impl Writer {
    /// Logs a write. `what` says what was changed (a key, a number of keys), never its content.
    pub fn note(&self, action: &str, what: &str, outcome: &str) {
        tracing::info!(
            target: "maro::audit",
            plugin = self.plugin,
            digest = self.digest,
            channel = self.channel.as_str(),
            user = self.user.as_str(),
            action,
            what,
            outcome,
            "a plugin made a change"
        );
    }
}

/// The word for how a write to Jira ended; `None` is success.
pub fn outcome(error: Option<&EditError>) -> &'static str {
    match error {
        None => "done",
        Some(EditError::Missing) => "missing",
        Some(EditError::Refused { .. }) => "refused",
        Some(EditError::Jira(_)) => "failed",
        Some(EditError::Unknown(_)) => "uncertain",
    }
}
