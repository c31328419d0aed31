//! The bot as a whole: put together from its settings, started, stopped.

use std::{net::SocketAddr, path::Path, sync::Arc, time::Duration};

use anyhow::Context as _;
use tokio::{
    net::TcpListener,
    sync::watch::{Receiver, Sender, channel},
    task::JoinHandle,
    time::timeout,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    commands::{Commands, RESERVED_NAMES},
    config::Config,
    server::{connections, plugin_notices, router, slack_socket, state::BotState},
};
use maro_jira::{client::JiraClient, error::JiraError};
use maro_process::{clock::Clock, metrics::Metrics, telemetry::error_chain};
use maro_runtime::{
    invocation::services::Capabilities,
    loading::loader::PluginLoader,
    outbound::{OutboundClient, addresses::Reach},
    recording::recorder::Recorder,
    registry::{Registry, watch},
};
use maro_slack::{
    render::Renderer,
    response_url::{ResponseUrlClient, ResponseUrlPolicy},
    sealed::Sealer,
    signature::SignatureVerifier,
    socket::SocketMode,
    web_api::SlackWebApi,
};
use maro_store::{
    database::Database,
    intents, plugin_storage,
    plugin_switches::{self, PluginRecords},
    tracker,
};
use maro_tickets::{
    Tickets,
    flows::Flows,
    hooks::Hooks,
    sync::{LatestEvents, StatusSync},
};

/// How long one command may wait for Jira in all. Slack has long been acknowledged by then, but a person
/// who waits longer thinks that nothing happens.
const JIRA_PATIENCE: Duration = Duration::from_secs(8);

/// How long the first look at Jira may take; nothing waits for it.
const PROBE_PATIENCE: Duration = Duration::from_secs(20);

/// How often the switches of plugins are read, which another replica may have changed.
const SWITCHES_INTERVAL: Duration = Duration::from_secs(3);

/// How long acknowledged commands have to end at shutdown.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(25);

/// How long connections of Socket Mode have to give their last answers.
const SOCKET_GRACE: Duration = Duration::from_secs(6);

/// What the bot takes from the world beside its settings.
#[derive(Debug, Clone)]
pub struct Surroundings {
    pub clock: Clock,
    /// How far requests of plugins may lead.
    pub reach: Reach,
}

impl From<Clock> for Surroundings {
    /// With the internet, as everywhere but in tests.
    fn from(clock: Clock) -> Self {
        Self { clock, reach: Reach::INTERNET }
    }
}

/// A running bot.
pub struct Bot {
    address: SocketAddr,
    state: Arc<BotState>,
    database: Database,
    shutdown: CancellationToken,
    background: TaskTracker,
    server: JoinHandle<()>,
    socket: Option<SocketMode>,
}

impl Bot {
    /// Starts a bot and returns once its address accepts connections; the plugins may still be loading,
    /// and commands wait for them.
    ///
    /// # Errors
    /// What would keep it from ever serving, in a sentence: the address is taken, the database or the
    /// plugins folder cannot be used.
    pub async fn start(config: Config, surroundings: impl Into<Surroundings>) -> anyhow::Result<Self> {
        let surroundings = surroundings.into();
        check_plugins_dir(&config.plugins.dir)?;
        let listener = TcpListener::bind(config.listen)
            .await
            .with_context(|| format!("MARO_LISTEN: cannot listen on {}", config.listen))?;
        let address = listener.local_addr().context("the listening socket has no address")?;
        let cache_dir = config.plugins.cache_dir.clone();
        let engine = tokio::task::spawn_blocking(move || PluginLoader::new(cache_dir.as_deref()));
        let database = Database::open(&config.database)
            .await
            .context("the database that DATABASE_URL names cannot be used")?;
        let engine = Arc::new(engine.await.context("the WebAssembly engine does not start")??);
        let jira = Arc::new(JiraClient::new(&config.jira)?);

        let shutdown = CancellationToken::new();
        let background = TaskTracker::new();
        let (loaded_sender, loaded) = channel(false);
        let records = plugin_switches::open::open(&database);
        let state = Arc::new(assemble(
            &config,
            surroundings.clone(),
            &database,
            Arc::clone(&jira),
            engine,
            Arc::clone(&records),
            loaded,
        ));
        let plugins = PluginWork { registry: Arc::clone(&state.registry), records: Arc::clone(&records) };
        background.spawn(plugins.run(loaded_sender, config.plugins.hot_reload, shutdown.clone()));
        if let Some(channel) = config.plugins.channel.clone() {
            background.spawn(plugin_notices::run(Arc::clone(&state), records, channel, shutdown.clone()));
        }
        background.spawn(probe_jira(Arc::clone(&jira), shutdown.clone()));
        let sync = StatusSync {
            tracker: Arc::clone(&state.tracker),
            jira,
            clock: surroundings.clock,
            metrics: Arc::clone(&state.metrics),
            max_age: config.sync_interval,
        };
        background.spawn(sync.run(shutdown.clone()));
        // One process at most uses an SQLite file, so nobody else works on what lies there.
        let is_alone = matches!(database, Database::Sqlite(_));
        background.spawn(Arc::clone(&state.tickets).recover(is_alone, shutdown.clone()));
        let server = tokio::spawn(connections::serve(listener, router(Arc::clone(&state)), shutdown.clone()));
        let socket = slack_socket::start(&config.slack, &state);
        Ok(Self { address, state, database, shutdown, background, server, socket })
    }

    /// The address that accepts connections.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Waits until the plugins are loaded.
    pub async fn wait_until_ready(&self) {
        self.state.wait_until_loaded().await;
    }

    /// The plugins of this bot.
    pub fn registry(&self) -> &Arc<Registry> {
        &self.state.registry
    }

    /// Observes the plugins of this bot at work.
    pub fn recorder(&self) -> &Recorder {
        &self.state.recorder
    }

    /// Stops accepting, finishes what was acknowledged, and closes the database.
    pub async fn stop(self) {
        self.shutdown.cancel();
        self.state.registry.close();
        if let Some(socket) = self.socket {
            socket.stop(SOCKET_GRACE).await;
        }
        if self.server.await.is_err() {
            tracing::error!("the server ended with a panic");
        }
        self.state.tasks.close();
        if timeout(DRAIN_TIMEOUT, self.state.tasks.wait()).await.is_err() {
            tracing::error!(commands = self.state.tasks.len(), "commands were cut off by the shutdown");
        }
        self.background.close();
        if timeout(DRAIN_TIMEOUT, self.background.wait()).await.is_err() {
            tracing::error!("background work was cut off by the shutdown");
        }
        self.database.close().await;
    }
}

fn check_plugins_dir(dir: &Path) -> anyhow::Result<()> {
    std::fs::read_dir(dir).map(drop).with_context(|| {
        format!(
            "MARO_PLUGINS_DIR: the folder {} cannot be read; `maro plugin build` fills one with MARO's own plugins",
            dir.display()
        )
    })
}

fn assemble(
    config: &Config,
    Surroundings { clock, reach }: Surroundings,
    database: &Database,
    jira: Arc<JiraClient>,
    engine: Arc<PluginLoader>,
    plugin_records: Arc<dyn PluginRecords>,
    loaded: Receiver<bool>,
) -> BotState {
    let metrics = Arc::new(Metrics::new());
    let registry = Arc::new(Registry::new(
        engine,
        config.plugins.dir.clone(),
        &RESERVED_NAMES,
        Arc::clone(&metrics),
        clock.clone(),
    ));
    let tracker = tracker::open::open(database);
    let recorder = Arc::new(Recorder::default());
    let journal = intents::open::open(database);
    let hooks = Arc::new(Hooks::new(Arc::clone(&tracker), Arc::clone(&journal), clock.clone()));
    let flows = Arc::new(Flows {
        journal: Arc::clone(&journal),
        jira: Arc::clone(&jira),
        tracker: Arc::clone(&tracker),
        hooks: Arc::clone(&hooks),
        clock: clock.clone(),
    });
    let tasks = TaskTracker::new();
    let capabilities = Arc::new(Capabilities {
        tracker: Arc::clone(&tracker),
        jira: Arc::clone(&jira),
        flows: Arc::clone(&flows),
        outbound: OutboundClient::new(reach),
        clock: clock.clone(),
        jira_patience: JIRA_PATIENCE,
        default_project: config.jira.default_project.clone(),
        tasks: tasks.clone(),
        storage: plugin_storage::open::open(database),
        admins: config.admins.clone(),
        recorder: Arc::clone(&recorder),
    });
    // All replicas share it, and it outlives a restart: a form may be submitted to another process.
    let sealing_secret = config.slack.signing_secret.as_ref().unwrap_or(&config.slack.bot_token);
    let tickets = Arc::new(Tickets {
        journal,
        jira,
        slack: SlackWebApi::new(&config.slack),
        sealer: Sealer::new(sealing_secret),
        renderer: Renderer::new(&config.jira.base_url),
        hooks,
        clock: clock.clone(),
        jira_base_url: config.jira.base_url.clone(),
        default_project: config.jira.default_project.clone(),
        tasks: tasks.clone(),
        flows,
    });
    BotState {
        commands: Commands::new(
            Arc::clone(&registry),
            plugin_records,
            capabilities,
            Arc::clone(&tickets),
            config.admins.clone(),
        ),
        tickets,
        registry,
        recorder,
        tracker,
        clock,
        metrics,
        signature: config.slack.signing_secret.as_ref().map(SignatureVerifier::new),
        renderer: Renderer::new(&config.jira.base_url),
        response_urls: ResponseUrlPolicy::new(&config.slack),
        response_url_client: ResponseUrlClient::new(),
        jira_webhook_secret: config.jira.webhook_secret.clone(),
        latest_events: LatestEvents::default(),
        loaded,
        tasks,
    }
}

/// What goes on with the plugins beside the commands.
struct PluginWork {
    registry: Arc<Registry>,
    records: Arc<dyn PluginRecords>,
}

impl PluginWork {
    /// Loads the plugins, says so through `loaded`, and keeps to the folder and the switches from then on.
    async fn run(self, loaded: Sender<bool>, hot_reload: bool, shutdown: CancellationToken) {
        // First, so that not one command reaches a plugin that is switched off.
        self.follow_switches().await;
        match self.registry.load().await {
            Ok(plugins) => {
                tracing::info!(serving = plugins.all().count(), refused = plugins.refused.len(), "ready");
            }
            Err(_) if shutdown.is_cancelled() => return,
            Err(error) => tracing::error!(%error, "the plugins folder cannot be read"),
        }
        loaded.send_replace(true);
        let watching = async {
            if hot_reload {
                watch::watch(Arc::clone(&self.registry), shutdown.clone()).await;
            }
        };
        let following = async {
            while shutdown.run_until_cancelled(tokio::time::sleep(SWITCHES_INTERVAL)).await.is_some() {
                self.follow_switches().await;
            }
        };
        tokio::join!(watching, following);
    }

    async fn follow_switches(&self) {
        match self.records.disabled().await {
            Ok(switches) => self.registry.set_switches(switches),
            Err(error) => {
                tracing::warn!(error = error_chain(&error), "the switches of plugins cannot be read");
            }
        }
    }
}

/// Tells the operator early what every command would otherwise run into.
async fn probe_jira(jira: Arc<JiraClient>, shutdown: CancellationToken) {
    let deadline = tokio::time::Instant::now() + PROBE_PATIENCE;
    match shutdown.run_until_cancelled(jira.probe(deadline)).await {
        Some(Ok(_)) => tracing::info!("Jira accepts the configured account"),
        Some(Err(JiraError::Unauthorized)) => tracing::error!(
            "Jira does not accept the configured account: check JIRA_EMAIL and JIRA_API_TOKEN, or JIRA_PAT"
        ),
        Some(Err(error)) => tracing::warn!(error = error_chain(&error), "Jira does not answer as it should"),
        None => {}
    }
}
