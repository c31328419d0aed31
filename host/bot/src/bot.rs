//! The bot as a whole: put together from its settings, started, stopped.

use std::{net::SocketAddr, num::NonZeroUsize, path::Path, sync::Arc, time::Duration};

use anyhow::Context as _;
use tokio::{
    task::JoinHandle,
    time::{Instant, timeout_at},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    applying_settings::RunningParts,
    background_work,
    commands::Commands,
    config::{Config, PluginsConfig},
    plugins::PluginHost,
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
use maro_process::{clock::Clock, descriptors, telemetry::error_chain};
use maro_runtime::{
    loading::loader::PluginLoader,
    outbound::{OutboundClient, addresses::Reach, simulated::SimulatedServices},
    recording::recorder::Recorder,
    registry::Registry,
};
use maro_slack::socket::SocketMode;
use maro_store::{Stores, config::DatabaseConfig};
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
        background_work::start(&background, &config, &services, &shutdown);
        background.spawn(Arc::clone(&state.jira_webhook.changed_issues).run(shutdown.clone()));
        let registry = &state.plugins.registry;
        if let Some(notices) = background_work::plugin_notices(&config, &services, registry) {
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
        background
            .spawn(background_work::credential_notices(&config, &services).run(app_token, shutdown.clone()));
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

    /// Takes over what can change while the bot runs: administrators, access, roles, the sync interval, and secrets.
    /// All else of the settings stays as it was at the start.
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

    /// Says from now on that it isn't ready any more, and answers anyway: balancers that send requests here need a
    /// moment to learn of it, and Slack sends none a second time.
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
        background_work::owner_notices(services),
        Site::at(config.jira.base_url.as_str()),
    );
    BotState::new(config, services, plugins, tickets, commands)
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
