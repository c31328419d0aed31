//! What every flow works with: where intentions are written down, where Jira is, and who listens.

use std::sync::Arc;

use crate::{
    clock::Clock, hooks::Hooks, jira::client::JiraClient, journal::IntentJournal,
    tracker::ChannelIssueTracker,
};

/// Shared by the flows of people and those of plugins.
pub struct Flows {
    /// Knows of each new issue before Jira is asked for it.
    pub journal: Arc<dyn IntentJournal>,
    pub jira: Arc<JiraClient>,
    pub tracker: Arc<dyn ChannelIssueTracker>,
    pub hooks: Arc<Hooks>,
    pub clock: Clock,
}
