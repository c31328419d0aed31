//! What the parts of a bot stand on: the tables, Jira, the time. Also puts together what stands directly on it.

use std::{sync::Arc, time::Duration};

use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{config::Config, database_call_log::DatabaseCallLog, jira_patience::JIRA_PATIENCE};
use maro_access::{Access, JiraAs, policed_tracker::PolicedTracker, roles::RoleBook, workspace::Workspace};
use maro_domain::caller::Person;
use maro_jira::client::JiraClient;
use maro_process::{clock::Clock, metrics::Metrics, replaceable::Live};
use maro_runtime::{
    invocation::services::HostServices, outbound::OutboundClient, recording::recorder::Recorder,
};
use maro_slack::{outgoing::render::Renderer, sealed::Sealer, web_api::SlackWebApi};
use maro_store::{
    Stores, intents::Intents, observer::CallObserver, plugin_storage::PluginStorage,
    plugin_switches::PluginSwitches, tracker::ChannelIssueTracker,
};
use maro_sync::{
    field_changes::FieldChanges, leadership::Leading, new_issues::NewIssues, read_batching::SharedReading,
};
use maro_tickets::{
    Settings, Tickets, announcer::Announcer, audit::Auditor, auto_track::AutoTracker,
    intents::exactly_once::Driver, intents::patience::Patience,
};

pub(crate) struct Services {
    pub(crate) clock: Clock,
    pub(crate) patience: Patience,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) jira: Arc<JiraClient>,
    pub(crate) tracker: Arc<dyn ChannelIssueTracker>,
    pub(crate) intents: Arc<dyn Intents>,
    pub(crate) plugin_storage: Arc<dyn PluginStorage>,
    pub(crate) plugin_switches: Arc<dyn PluginSwitches>,
    pub(crate) audit: Auditor,
    pub(crate) slack: Arc<SlackWebApi>,
    /// All that MARO says passes through copies of it, which share what people call the command.
    pub(crate) renderer: Renderer,
    /// Whose the bot is.
    pub(crate) workspace: Arc<Workspace>,
    /// What may be shown where.
    pub(crate) access: Arc<Access>,
    pub(crate) stores: Stores,
    /// What changes of issues beside their status.
    pub(crate) field_changes: Arc<FieldChanges>,
    /// Reads what changed and what is told, in few requests.
    pub(crate) reading: Arc<SharedReading>,
    pub(crate) leading: Arc<Leading>,
    /// Issues that were just created.
    pub(crate) new_issues: Arc<NewIssues>,
    pub(crate) admins: Live<Vec<Person>>,
    /// How old a stored status may get.
    pub(crate) sync_interval: Live<Duration>,
    /// Seals what travels through Slack.
    pub(crate) sealer: Sealer,
    /// Work that outlives the request it came with.
    pub(crate) tasks: TaskTracker,
}

impl Services {
    /// # Errors
    /// No client for Jira can be made, for want of root certificates.
    pub(crate) fn new(
        config: &Config,
        stores: &Stores,
        clock: Clock,
        patience: Patience,
    ) -> anyhow::Result<Self> {
        let metrics = Arc::new(Metrics::new());
        let watch: Arc<dyn CallObserver> = Arc::new(DatabaseCallLog::new(Arc::clone(&metrics)));
        let stores = stores.observed_by(&watch);
        let slack = Arc::new(SlackWebApi::measured(&config.slack, metrics.slack.clone()));
        let workspace = Arc::new(Workspace::new(config.allowed_teams.clone()));
        let admins = Live::new(config.admins.clone());
        let roles = RoleBook::new(config.roles.clone(), admins.clone(), Arc::clone(&slack));
        let jira = Arc::new(JiraClient::measured(&config.jira, metrics.jira.clone())?);
        let access =
            Access::new(config.access.clone(), Arc::clone(&slack), Arc::clone(&workspace)).with_roles(roles);
        let access = match config.jira_as {
            JiraAs::Bot => access,
            JiraAs::Person => {
                access.with_rights_of_people(Arc::clone(&slack), Arc::clone(&jira), Arc::clone(&workspace))
            }
        };
        let access =
            access.with_accounts_of_people(Arc::clone(&slack), Arc::clone(&jira), Arc::clone(&workspace));
        let access = Arc::new(access);
        let tracker: Arc<dyn ChannelIssueTracker> =
            Arc::new(PolicedTracker::new(Arc::clone(&stores.tracker), Arc::clone(&access)));
        let new_issues = NewIssues::new(Arc::clone(&tracker), Arc::clone(&jira), clock.clone());
        let leading = Arc::new(Leading::new(Arc::clone(&stores.jira_polls)));
        let reading = SharedReading::new(Arc::clone(&jira), Arc::clone(&leading), clock.clone());
        let fields = Arc::clone(&stores.issue_fields);
        let field_changes = FieldChanges::new(fields, Arc::clone(&jira), Arc::clone(&leading), clock.clone());
        Ok(Self {
            reading: Arc::new(reading),
            leading,
            field_changes: Arc::new(field_changes),
            new_issues: Arc::new(new_issues),
            audit: Auditor { log: Arc::clone(&stores.audit), clock: clock.clone() },
            clock,
            patience,
            jira,
            tracker,
            intents: Arc::clone(&stores.intents),
            plugin_storage: Arc::clone(&stores.plugin_storage),
            plugin_switches: Arc::clone(&stores.plugin_switches),
            slack,
            renderer: Renderer::new(&config.jira.base_url),
            workspace,
            access,
            metrics,
            stores,
            admins,
            sync_interval: Live::new(config.sync_interval),
            sealer: Self::sealer(config),
            tasks: TaskTracker::new(),
        })
    }

    pub(crate) fn driver(&self) -> Arc<Driver> {
        let (tracker, intents) = (Arc::clone(&self.tracker), Arc::clone(&self.intents));
        Arc::new(Driver {
            intents: Arc::clone(&self.intents),
            jira: Arc::clone(&self.jira),
            tracker: Arc::clone(&self.tracker),
            access: Arc::clone(&self.access),
            audit: self.audit.clone(),
            auto_tracker: AutoTracker::new(tracker, intents, self.clock.clone())
                .reading_statuses(Arc::clone(&self.new_issues)),
            announcer: Arc::new(Announcer {
                slack: Arc::clone(&self.slack),
                renderer: self.renderer.clone(),
            }),
            notices: Arc::clone(&self.stores.notices),
            clock: self.clock.clone(),
            metrics: Arc::clone(&self.metrics),
            patience: self.patience,
        })
    }

    /// What other replicas hear of channels, and where the bot is back.
    pub(crate) fn keep_reading_channels(
        &self,
        shutdown: CancellationToken,
    ) -> impl Future<Output = ()> + use<> {
        let (access, book) = (Arc::clone(&self.access), Arc::clone(&self.stores.channels));
        access.keep_reading_channels(book, self.clock.clone(), shutdown)
    }

    /// Seals what travels through Slack. All replicas share the secret, and it outlives a restart: a form may be
    /// submitted to another process.
    fn sealer(config: &Config) -> Sealer {
        let slack = &config.slack;
        match &slack.signing_secret {
            Some(secret) => Sealer::opening(secret, slack.previous_signing_secret.as_ref()),
            None => Sealer::new(&slack.bot_token),
        }
    }

    pub(crate) fn tickets(&self, config: &Config, driver: Arc<Driver>) -> Arc<Tickets> {
        let settings = Settings {
            sealer: self.sealer.clone(),
            jira_base_url: config.jira.base_url.clone(),
            default_project: config.jira.default_project.clone(),
            tasks: self.tasks.clone(),
        };
        Arc::new(Tickets::new(driver, settings))
    }

    pub(crate) fn capabilities(
        &self,
        config: &Config,
        driver: Arc<Driver>,
        recorder: Arc<Recorder>,
        outbound: OutboundClient,
    ) -> Arc<HostServices> {
        Arc::new(HostServices {
            tracker: Arc::clone(&self.tracker),
            jira: Arc::clone(&self.jira),
            tickets: driver,
            outbound,
            clock: self.clock.clone(),
            jira_patience: JIRA_PATIENCE,
            default_project: config.jira.default_project.clone(),
            tasks: self.tasks.clone(),
            storage: Arc::clone(&self.plugin_storage),
            access: Arc::clone(&self.access),
            audit: self.audit.clone(),
            admins: self.admins.clone(),
            caller_ids: Default::default(),
            recorder,
        })
    }
}
