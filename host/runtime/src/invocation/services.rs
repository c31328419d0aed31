//! The services behind the capabilities.

use std::{sync::Arc, time::Duration};

use tokio_util::task::TaskTracker;

use crate::{invocation::caller_ids::CallerIds, outbound::OutboundClient, recording::recorder::Recorder};
use maro_access::Access;
use maro_domain::caller::Person;
use maro_jira::client::JiraClient;
use maro_process::{clock::Clock, replaceable::Live};
use maro_store::{plugin_storage::PluginStorage, tracker::ChannelIssueTracker};
use maro_tickets::{audit::Auditor, intents::exactly_once::Driver};

/// What the host can do for plugins, shared by all invocations.
pub struct HostServices {
    pub tracker: Arc<dyn ChannelIssueTracker>,
    pub jira: Arc<JiraClient>,
    /// Creates issues so that none is lost or created twice.
    pub tickets: Arc<Driver>,
    pub storage: Arc<dyn PluginStorage>,
    /// What may be shown where.
    pub access: Arc<Access>,
    pub audit: Auditor,
    pub outbound: OutboundClient,
    pub clock: Clock,
    /// How long one invocation may wait for Jira in total.
    pub jira_patience: Duration,
    /// The project of new issues that name no other.
    pub default_project: Option<String>,
    /// Changes in Jira that are completed even if the command was cut off.
    pub tasks: TaskTracker,
    /// `MARO_ADMINS`: the people to whom a scope can restrict a grant.
    pub admins: Live<Vec<Person>>,
    /// What plugins know people by.
    pub caller_ids: CallerIds,
    /// Observes what plugins do.
    pub recorder: Arc<Recorder>,
}
