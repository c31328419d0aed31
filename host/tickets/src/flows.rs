//! What every flow works with: where intentions are written down, where Jira is, and who listens.

use std::sync::Arc;

use crate::hooks::Hooks;
use maro_jira::client::JiraClient;
use maro_process::clock::Clock;
use maro_store::{intents::Intents, tracker::ChannelIssueTracker};

/// Shared by the flows of people and those of plugins.
pub struct Flows {
    /// Knows of each new issue before Jira is asked for it.
    pub journal: Arc<dyn Intents>,
    pub jira: Arc<JiraClient>,
    pub tracker: Arc<dyn ChannelIssueTracker>,
    pub hooks: Arc<Hooks>,
    pub clock: Clock,
}
