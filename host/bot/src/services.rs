//! What the parts of a bot stand on: the tables, Jira, the time. Also puts together what stands directly on it.

use std::{sync::Arc, time::Duration};

use tokio_util::task::TaskTracker;

use crate::config::Config;
use maro_jira::client::JiraClient;
use maro_process::{clock::Clock, metrics::Metrics};
use maro_runtime::{
    capabilities::outbound::{OutboundClient, addresses::Reach},
    recording::recorder::Recorder,
    running::instance::Capabilities,
};
use maro_slack::{render::Renderer, sealed::Sealer, web_api::SlackWebApi};
use maro_store::{
    database::Database,
    intents::{self, IntentJournal},
    plugin_storage::{self, PluginStorage},
    plugin_switches::{self, PluginRecords},
    tracker::{self, ChannelIssueTracker},
};
use maro_tickets::{Tickets, flows::Flows, hooks::Hooks};

/// How long one command may wait for Jira in all. Slack has long been acknowledged by then, but a person
/// who waits longer thinks that nothing happens.
const JIRA_PATIENCE: Duration = Duration::from_secs(8);

pub(crate) struct Services {
    pub(crate) clock: Clock,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) jira: Arc<JiraClient>,
    pub(crate) tracker: Arc<dyn ChannelIssueTracker>,
    pub(crate) journal: Arc<dyn IntentJournal>,
    pub(crate) plugin_storage: Arc<dyn PluginStorage>,
    pub(crate) plugin_records: Arc<dyn PluginRecords>,
    /// Work that outlives the request it came with.
    pub(crate) tasks: TaskTracker,
}

impl Services {
    /// # Errors
    /// No client for Jira can be made, for want of root certificates.
    pub(crate) fn new(config: &Config, database: &Database, clock: Clock) -> anyhow::Result<Self> {
        Ok(Self {
            clock,
            metrics: Arc::new(Metrics::new()),
            jira: Arc::new(JiraClient::new(&config.jira)?),
            tracker: tracker::open::open(database),
            journal: intents::open::open(database),
            plugin_storage: plugin_storage::open::open(database),
            plugin_records: plugin_switches::open::open(database),
            tasks: TaskTracker::new(),
        })
    }

    pub(crate) fn flows(&self) -> Arc<Flows> {
        let (tracker, journal) = (Arc::clone(&self.tracker), Arc::clone(&self.journal));
        Arc::new(Flows {
            journal: Arc::clone(&self.journal),
            jira: Arc::clone(&self.jira),
            tracker: Arc::clone(&self.tracker),
            hooks: Arc::new(Hooks::new(tracker, journal, self.clock.clone())),
            clock: self.clock.clone(),
        })
    }

    pub(crate) fn tickets(&self, config: &Config, flows: Arc<Flows>) -> Arc<Tickets> {
        // All replicas share it, and it outlives a restart: a form may be submitted to another process.
        let sealing_secret = config.slack.signing_secret.as_ref().unwrap_or(&config.slack.bot_token);
        Arc::new(Tickets {
            journal: Arc::clone(&self.journal),
            jira: Arc::clone(&self.jira),
            slack: SlackWebApi::new(&config.slack),
            sealer: Sealer::new(sealing_secret),
            renderer: Renderer::new(&config.jira.base_url),
            hooks: Arc::clone(&flows.hooks),
            clock: self.clock.clone(),
            jira_base_url: config.jira.base_url.clone(),
            default_project: config.jira.default_project.clone(),
            tasks: self.tasks.clone(),
            flows,
        })
    }

    /// `reach`: how far requests of plugins may lead.
    pub(crate) fn capabilities(
        &self,
        config: &Config,
        flows: Arc<Flows>,
        recorder: Arc<Recorder>,
        reach: Reach,
    ) -> Arc<Capabilities> {
        Arc::new(Capabilities {
            tracker: Arc::clone(&self.tracker),
            jira: Arc::clone(&self.jira),
            flows,
            outbound: OutboundClient::new(reach),
            clock: self.clock.clone(),
            jira_patience: JIRA_PATIENCE,
            default_project: config.jira.default_project.clone(),
            tasks: self.tasks.clone(),
            storage: Arc::clone(&self.plugin_storage),
            admins: config.admins.clone(),
            recorder,
        })
    }
}
