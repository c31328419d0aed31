//! What stands behind the capabilities.

use std::{sync::Arc, time::Duration};

use tokio_util::task::TaskTracker;

use crate::{outbound::OutboundClient, recording::recorder::Recorder};
use maro_domain::ids::UserId;
use maro_jira::client::JiraClient;
use maro_process::clock::Clock;
use maro_store::{plugin_storage::PluginStorage, tracker::ChannelIssueTracker};
use maro_tickets::flow::Driver;

/// What the host can do for plugins, shared by all invocations.
pub struct Capabilities {
    pub tracker: Arc<dyn ChannelIssueTracker>,
    pub jira: Arc<JiraClient>,
    /// Creates issues so that none is lost or made twice.
    pub tickets: Arc<Driver>,
    pub storage: Arc<dyn PluginStorage>,
    pub outbound: OutboundClient,
    pub clock: Clock,
    /// How long one invocation may wait for Jira in all.
    pub jira_patience: Duration,
    /// The project of new issues for which no other is named.
    pub default_project: Option<String>,
    /// Changes in Jira that are brought to their end although the command was cut off.
    pub tasks: TaskTracker,
    /// `MARO_ADMINS`: whom a scope can reserve a grant for.
    pub admins: Vec<UserId>,
    /// Observes what plugins do.
    pub recorder: Arc<Recorder>,
}
