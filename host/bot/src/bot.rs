//! The bot as a whole: put together from its settings, started, stopped.

use std::{
    net::SocketAddr,
    num::NonZeroUsize,
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

use anyhow::Context as _;
use tokio::{
    task::JoinHandle,
    time::{Instant, timeout_at},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    applying_settings::RunningParts,
    audit_upkeep::AuditUpkeep,
    claimed_notices::ClaimedNotices,
    commands::Commands,
    config::{Config, PluginsConfig},
    credential_notices::{CredentialNotices, Recipient},
    own_workspace,
    plugins::{PluginHost, operators_channel::PluginNotices, owners::OwnerNotices},
    remembered_cloud_id::RememberedCloudId,
    server::{
        self,
        connections::{self, Lifetimes, open_connections::capacity},
        router,
        slack::socket,
        state::BotState,
    },
    services::Services,
};
use maro_domain::words::Site;
use maro_jira::{client::JiraClient, config::JiraConfig, error::JiraError};
use maro_notices::{digests::starting::DigestStarter, worker::NoticeWorker};
use maro_process::{clock::Clock, descriptors, outage_log::Outage, telemetry::error_chain};
use maro_runtime::{
    loading::loader::PluginLoader,
    outbound::{OutboundClient, addresses::Reach, simulated::SimulatedServices},
    recording::recorder::Recorder,
    registry::Registry,
};
use maro_slack::socket::SocketMode;
use maro_store::{Stores, config::DatabaseConfig};
use maro_sync::{list_sync::ListSync, polling::ChangePolling};
use maro_tickets::intents::patience::Patience;

/// How long the first look at Jira may take; nothing waits for it.
const PROBE_PATIENCE: Duration = Duration::from_secs(20);

/// How long a stop takes at most once nothing is accepted any more: acknowledged commands and background work have
/// until then to end. Together with `MARO_DRAIN_SECS` that is half a minute, as long as Kubernetes waits by default.
const STOP_TIMEOUT: Duration = Duration::from_secs(24);

/// How long connections of Socket Mode have to give their last answers. Part of the above, as are those of HTTP.
const SOCKET_GRACE: Duration = Duration::from_secs(6);

/// What the bot takes from the world beside its settings.
#[derive(Debug, Clone)]
pub struct Surroundings {
    pub clock: Clock,
    /// How far requests of plugins may lead.
    pub reach: Reach,
    /// What stands in for services that plugins ask, at an author's.
    pub services: Option<Arc<SimulatedServices>>,
    /// How long Jira may take over what can't be asked for twice.
    pub patience: Patience,
}

impl From<Clock> for Surroundings {
    /// With the internet, as everywhere but in tests.
    fn from(clock: Clock) -> Self {
        Self { clock, reach: Reach::INTERNET, services: None, patience: Patience::default() }
    }
}

/// A running bot.
pub struct Bot {
    address: SocketAddr,
    operator_address: Option<SocketAddr>,
    state: Arc<BotState>,
    stores: Stores,
    shutdown: CancellationToken,
    background: TaskTracker,
    server: JoinHandle<()>,
    socket: Option<SocketMode>,
    adjustable: RunningParts,
}

impl Bot {
    /// Starts a bot and returns once its address accepts connections; the plugins may still be loading, and each
    /// serves as soon as it is loaded.
    ///
    /// # Errors
    /// What would keep it from ever serving, in a sentence: the address is taken, the database or the
    /// plugins folder can't be used.
    pub async fn start(config: Config, surroundings: impl Into<Surroundings>) -> anyhow::Result<Self> {
        let surroundings = surroundings.into();
        check_plugins_dir(&config.plugins.dir)?;
        let listener = connections::listen(config.listen)
            .with_context(|| format!("MARO_LISTEN: can't listen on {}", config.listen))?;
        let operators = config.operator_listen.map(|address| {
            connections::listen(address)
                .with_context(|| format!("MARO_OPERATOR_LISTEN: can't listen on {address}"))
        });
        let operators = operators.transpose()?;
        let address = listener.local_addr().context("the listening socket has no address")?;
        let operator_address = operators.as_ref().and_then(|listener| listener.local_addr().ok());
        let PluginsConfig { cache_dir, memory_mib, effort, .. } = config.plugins.clone();
        let loader = tokio::task::spawn_blocking(move || {
            PluginLoader::with_effort(cache_dir.as_deref(), memory_mib, effort)
        });
        let stores = Stores::open(&config.database)
            .await
            .context("the database that DATABASE_URL names can't be used")?;
        let loader = Arc::new(loader.await.context("couldn't start the WebAssembly loader")??);
        let services = Services::new(&config, &stores, surroundings.clock, surroundings.patience)?;
        services
            .access
            .read_channels(&*stores.channels)
            .await
            .context("can't read former channel names from the database")?;
        let gateway = RememberedCloudId::recalled(&config, &services).await;
        let outbound = OutboundClient::new(surroundings.reach, config.network().clone())
            .with_simulated(surroundings.services);
        let (plugins, upkeep) = PluginHost::new(loader, &config, &services);
        let state = Arc::new(put_together(&config, &services, plugins, outbound));

        let shutdown = CancellationToken::new();
        let background = TaskTracker::new();
        background.spawn(upkeep.run(config.plugins.hot_reload, shutdown.clone()));
        background.spawn(probe_jira(Arc::clone(&services.jira), config.jira.clone(), shutdown.clone()));
        background.spawn(gateway.keep(shutdown.clone()));
        background.spawn(services.keep_reading_channels(shutdown.clone()));
        background.spawn(own_workspace::learn(&services, shutdown.clone()));
        background.spawn(Arc::clone(&services.leading).run(shutdown.clone()));
        background.spawn(status_sync(&services).run(shutdown.clone()));
        background.spawn(recent_changes(&services).run(shutdown.clone()));
        background.spawn(notice_worker(&services).run(shutdown.clone()));
        background.spawn(digests(&services).run(shutdown.clone()));
        background.spawn(Arc::clone(&services.field_changes).run(shutdown.clone()));
        background.spawn(Arc::clone(&services.new_issues).run(shutdown.clone()));
        background.spawn(audit_upkeep(&config, &services).run(shutdown.clone()));
        background.spawn(Arc::clone(&state.jira_webhook.changed_issues).run(shutdown.clone()));
        if let Some(notices) = plugin_notices(&config, &services, &state) {
            background.spawn(notices.run(shutdown.clone()));
        }
        // One process at most uses an SQLite file, so nobody else works on what lies there.
        let is_alone = matches!(config.database, DatabaseConfig::Sqlite { .. });
        background.spawn(Arc::clone(&state.tickets).recover(is_alone, shutdown.clone()));
        let public = router(Arc::clone(&state), operators.is_none());
        let most = capacity(descriptors::raise_limit(), database_connections(&config.database));
        let lifetimes = Lifetimes {
            keep_alive: config.connections.keep_alive,
            draining: state.draining.clone(),
            shutdown: shutdown.clone(),
        };
        let server = tokio::spawn(connections::serve(listener, public, most, lifetimes.clone()));
        if let Some(listener) = operators {
            let router = server::operators::routes::router(Arc::clone(&state));
            background.spawn(connections::serve_operators(listener, router, lifetimes));
        }
        let socket = socket::start(&config.slack, &state);
        let app_token = socket.as_ref().map(SocketMode::acceptance);
        background.spawn(credential_notices(&config, &services).run(app_token, shutdown.clone()));
        let adjustable = RunningParts::new(&config, &services);
        Ok(Self {
            address,
            operator_address,
            state,
            stores,
            shutdown,
            background,
            server,
            socket,
            adjustable,
        })
    }

    /// The address that accepts connections.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The address for operators, if they have one of their own.
    pub fn operator_address(&self) -> Option<SocketAddr> {
        self.operator_address
    }

    /// Takes over what can change while the bot runs: administrators, access, roles, the sync interval, and secrets. All
    /// else of the settings stays as it was at the start.
    pub fn adjust(&self, config: &Config) {
        self.adjustable.adjust(config);
        self.state.adjust(config);
        if let (Some(socket), Some(app_token)) = (&self.socket, &config.slack.app_token) {
            socket.replace_app_token(app_token.clone());
        }
    }

    /// Waits until the plugins are loaded.
    pub async fn wait_until_ready(&self) {
        self.state.plugins.wait_until_loaded().await;
    }

    /// The plugins of this bot.
    pub fn registry(&self) -> &Arc<Registry> {
        &self.state.plugins.registry
    }

    /// Observes the plugins of this bot at work.
    pub fn recorder(&self) -> &Recorder {
        &self.state.plugins.recorder
    }

    /// Says from now on that it isn't ready any more, and answers anyway: whoever sends requests here needs a moment to
    /// learn of it, and Slack sends none a second time.
    pub fn begin_draining(&self) {
        self.state.draining.cancel();
    }

    /// Stops accepting, finishes what was acknowledged, and closes the database.
    pub async fn stop(self) {
        let deadline = Instant::now() + STOP_TIMEOUT;
        self.state.draining.cancel();
        self.shutdown.cancel();
        self.state.plugins.registry.close();
        if let Some(socket) = self.socket {
            socket.stop(SOCKET_GRACE).await;
        }
        if self.server.await.is_err() {
            tracing::error!("the server ended with a panic");
        }
        self.state.tasks.close();
        if timeout_at(deadline, self.state.tasks.wait()).await.is_err() {
            tracing::error!(commands = self.state.tasks.len(), "commands were cut off by the shutdown");
        }
        self.background.close();
        if timeout_at(deadline, self.background.wait()).await.is_err() {
            tracing::error!("background work was cut off by the shutdown");
        }
        self.stores.close().await;
    }
}

fn database_connections(config: &DatabaseConfig) -> Option<NonZeroUsize> {
    match config {
        DatabaseConfig::Sqlite { .. } => None,
        DatabaseConfig::Postgres(config) => Some(config.connections),
    }
}

fn check_plugins_dir(dir: &Path) -> anyhow::Result<()> {
    std::fs::read_dir(dir).map(drop).with_context(|| {
        format!(
            "MARO_PLUGINS_DIR: the folder {} can't be read; `maro plugin build` fills one with MARO's own plugins",
            dir.display()
        )
    })
}

fn put_together(
    config: &Config,
    services: &Services,
    plugins: PluginHost,
    outbound: OutboundClient,
) -> BotState {
    let driver = services.driver();
    let recorder = Arc::clone(&plugins.recorder);
    let capabilities = services.capabilities(config, Arc::clone(&driver), recorder, outbound);
    let tickets = services.tickets(config, driver);
    let commands = Commands::new(
        Arc::clone(&plugins.registry),
        Arc::clone(&services.plugin_switches),
        capabilities,
        Arc::clone(&tickets),
        services.admins.clone(),
        owner_notices(services),
        Site::at(config.jira.base_url.as_str()),
    );
    BotState::new(config, services, plugins, tickets, commands)
}

fn status_sync(services: &Services) -> ListSync {
    ListSync {
        tracker: Arc::clone(&services.tracker),
        freshness: Arc::clone(&services.stores.freshness),
        polls: Arc::clone(&services.stores.jira_polls),
        jira: Arc::clone(&services.jira),
        clock: services.clock.clone(),
        metrics: Arc::clone(&services.metrics),
        max_age: services.sync_interval.clone(),
    }
}

/// What asks Jira for changes that no webhook reports.
fn recent_changes(services: &Services) -> ChangePolling {
    ChangePolling {
        tracker: Arc::clone(&services.tracker),
        freshness: Arc::clone(&services.stores.freshness),
        jira: Arc::clone(&services.jira),
        reading: Arc::clone(&services.reading),
        polls: Arc::clone(&services.stores.jira_polls),
        max_age: services.sync_interval.clone(),
        fields: Arc::clone(&services.field_changes),
    }
}

/// What tells channels of changes.
fn notice_worker(services: &Services) -> NoticeWorker {
    NoticeWorker {
        notices: Arc::clone(&services.stores.notices),
        reading: Arc::clone(&services.reading),
        leading: Arc::clone(&services.leading),
        access: Arc::clone(&services.access),
        slack: Arc::clone(&services.slack),
        renderer: services.renderer.clone().sealing_buttons(services.sealer.clone()),
        clock: services.clock.clone(),
    }
}

fn digests(services: &Services) -> DigestStarter {
    DigestStarter { notices: Arc::clone(&services.stores.notices), clock: services.clock.clone() }
}

fn audit_upkeep(config: &Config, services: &Services) -> AuditUpkeep {
    let log = Arc::clone(&services.audit.log);
    AuditUpkeep { log, clock: services.clock.clone(), days: config.audit_days }
}

fn claimed_notices(services: &Services) -> ClaimedNotices {
    ClaimedNotices { switches: Arc::clone(&services.plugin_switches), clock: services.clock.clone() }
}

/// What tells the operators' channel of plugins, if there is such a channel.
fn plugin_notices(config: &Config, services: &Services, state: &BotState) -> Option<PluginNotices> {
    Some(PluginNotices {
        registry: Arc::clone(&state.plugins.registry),
        claims: claimed_notices(services),
        slack: Arc::clone(&services.slack),
        renderer: services.renderer.clone(),
        channel: config.plugins.channel.clone()?,
    })
}

fn credential_notices(config: &Config, services: &Services) -> CredentialNotices {
    CredentialNotices {
        jira: Arc::clone(&services.jira),
        slack: Arc::clone(&services.slack),
        recipient: config.plugins.channel.clone().map(|channel| Recipient {
            renderer: services.renderer.clone(),
            channel,
            claims: claimed_notices(services),
            silence: Outage::default(),
        }),
        keys: config.jira.credential_keys(),
    }
}

fn owner_notices(services: &Services) -> Arc<OwnerNotices> {
    Arc::new(OwnerNotices {
        claims: claimed_notices(services),
        slack: Arc::clone(&services.slack),
        renderer: services.renderer.clone(),
        tasks: services.tasks.clone(),
        seen: Mutex::default(),
    })
}

/// Tells the operator early what every command would otherwise run into.
async fn probe_jira(jira: Arc<JiraClient>, config: JiraConfig, shutdown: CancellationToken) {
    let deadline = tokio::time::Instant::now() + PROBE_PATIENCE;
    match shutdown.run_until_cancelled(jira.probe(deadline)).await {
        Some(Ok(_)) => tracing::info!("Jira accepts the configured account"),
        Some(Err(JiraError::MissingScope { scope })) => {
            tracing::info!("Jira accepts the configured account");
            tracing::warn!(
                scope,
                "MARO's token for Jira doesn't have a scope; `maro doctor` says what it is for"
            );
        }
        Some(Err(JiraError::Unauthorized)) => {
            let edition = jira.get_edition(deadline).await.ok();
            let reason = edition.and_then(|edition| edition.mix_up(&config)).map(|(what, _)| what);
            let keys = config.credential_keys();
            tracing::error!(reason, "Jira rejects the configured account: check {keys}");
        }
        Some(Err(error)) => tracing::warn!(error = error_chain(&error), "couldn't ask Jira who MARO is"),
        None => {}
    }
}
