//! `maro dev`: the production bot on this machine alone, with a simulated Slack workspace and Jira site.

use std::{
    io::{self, Write as _},
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
    time::Duration,
};

use anyhow::{Context as _, anyhow, bail};
use clap::Args;
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::{
    builds::Builds,
    playground::{Page, PageError, Playground},
    program::program,
    saving::Saving,
    serving,
    session_file::{DevLock, DevSession, FOLDER},
};
use maro_bot::{
    config::{self, Config, PluginsConfig},
    server::bot::Bot,
};
use maro_jira::config::JiraConfig;
use maro_kit::{
    project::Project,
    recording,
    repository::{self, Built},
};
use maro_process::{clock::Clock, secret::Secret, stop_signal::StopSignal, telemetry};
use maro_simulation::{
    jira::server::SimulatedJira,
    slack::{SimulatedSlack, SimulatedSlackSettings},
};
use maro_slack::config::SlackConfig;
use maro_store::config::DatabaseConfig;

/// How old a status may get before it is refreshed: a change in the simulated Jira shows soon.
const SYNC_INTERVAL: Duration = Duration::from_secs(30);

/// Where the playground's page is if nobody says otherwise.
const PAGE_PORT: u16 = 3001;

#[derive(Debug, Args)]
pub struct Arguments {
    /// Where the bot listens
    #[arg(long, default_value = "127.0.0.1:3000", value_name = "ADDRESS")]
    listen: SocketAddr,
    /// What to log: a level, or a list such as warn,maro=debug
    #[arg(long, default_value = "warn", value_name = "FILTER")]
    log: String,
    /// Where the playground's page is; without it a free port is taken if 3001 is not free
    #[arg(long, value_name = "ADDRESS")]
    page: Option<SocketAddr>,
    /// Reach the bot through Socket Mode instead of HTTP
    #[arg(long)]
    socket: bool,
    /// Build plugins/examples too, in the background; those in JavaScript and Python need their tools
    #[arg(long)]
    examples: bool,
    /// A plugin's project elsewhere, to be built and rebuilt too
    #[arg(long, value_name = "PROJECT")]
    plugin: Vec<PathBuf>,
    /// Keep each command of a plugin as a case in this folder
    #[arg(long, value_name = "DIR")]
    record: Option<PathBuf>,
}

pub async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    telemetry::start(&arguments.log);
    say("Building the plugins from source …");
    let built = tokio::task::spawn_blocking(repository::build_workspace).await??;
    let folder = std::env::current_dir().context("the working folder is gone")?;
    let Some(_lock) = DevLock::take(&folder).context("the folder .maro cannot be written")? else {
        bail!(
            "maro dev runs in this folder already: type into it with `{} say '/maro help'`, or stop it first.",
            program()
        );
    };
    let plugins = built.output.clone();
    let saving = arguments.saving(built)?;
    let dev = Dev::start(&arguments, &folder, plugins, saving.builds.clone()).await?;
    dev.bot.wait_until_ready().await;
    dev.session.write(&folder).context("maro say will not find this session")?;
    dev.introduce();
    let stop = CancellationToken::new();
    let telling = tokio::spawn(serving::tell(dev.bot.registry().events().clone(), stop.clone()));
    let rebuilding = tokio::spawn(saving.run(stop.clone()));
    // Listened to only if somebody keeps what is heard.
    if let Some(dir) = arguments.record
        && let Some(recordings) = dev.bot.recorder().listen()
    {
        say(&format!("Each command of a plugin is kept in {}.", dir.display()));
        tokio::spawn(recording::keep_all(dir, recordings));
    }
    StopSignal::listen()?.wait().await;
    say("Stopping.");
    stop.cancel();
    rebuilding.await?;
    telling.await?;
    dev.session.remove(&folder).context("the note for maro say cannot be removed")?;
    dev.stop().await;
    Ok(ExitCode::SUCCESS)
}

impl Arguments {
    /// What is rebuilt when its source is saved: the plugins of the repository, which are `built` as far as
    /// it could be done quickly, and what the arguments name.
    fn saving(&self, built: Built) -> anyhow::Result<Saving> {
        Ok(Saving {
            examples: self.examples.then(|| built.sources.join("examples")),
            plugins: built.sources,
            more: self.plugin.iter().map(|folder| Project::open(folder)).collect::<Result<_, _>>()?,
            output: built.output,
            built: built.names,
            builds: Builds::default(),
        })
    }
}

/// Everything that one `maro dev` runs.
struct Dev {
    slack: Arc<SimulatedSlack>,
    jira: Arc<SimulatedJira>,
    bot: Bot,
    page: Page,
    session: DevSession,
}

impl Dev {
    async fn start(
        arguments: &Arguments,
        folder: &Path,
        plugins: PathBuf,
        builds: Builds,
    ) -> anyhow::Result<Self> {
        let loopback = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let signing_secret = new_secret();
        let bot_token = Secret::new(format!("xoxb-{}", new_secret().expose()));
        let slack = SimulatedSlack::start(SimulatedSlackSettings {
            listen: loopback,
            signing_secret: signing_secret.clone(),
            bot_token: bot_token.clone(),
            clock: Clock::system(),
        })
        .await
        .context("the simulated Slack workspace does not start")?;
        let jira = SimulatedJira::start(loopback, &CancellationToken::new())
            .await
            .context("the simulated Jira site does not start")?;
        let webhook_secret = new_secret();
        let config = Config {
            listen: arguments.listen,
            database: DatabaseConfig::Sqlite { path: folder.join(FOLDER).join("maro.db") },
            plugins: PluginsConfig {
                dir: plugins,
                hot_reload: true,
                channel: None,
                // The one of `maro plugin run`: what it has compiled is not compiled again.
                cache_dir: config::cache_dir().or_else(|| Some(folder.join(FOLDER).join("cache"))),
            },
            admins: slack.workspace().people.iter().map(|person| person.id.clone()).collect(),
            slack: SlackConfig {
                signing_secret: Some(signing_secret),
                bot_token,
                app_token: arguments.socket.then(|| slack.app_token().clone()),
                api_url: slack.api_url(),
            },
            jira: JiraConfig { webhook_secret: Some(webhook_secret.clone()), ..jira.cloud_config() },
            sync_interval: SYNC_INTERVAL,
            log: arguments.log.clone(),
        };
        let bot = Bot::start(config, Clock::system()).await.map_err(|error| cure(error, arguments.listen))?;
        let bot_url = Url::parse(&format!("http://{}", bot.address())).context("the bot has no address")?;
        slack.connect_bot(bot_url.join("slack/commands")?);
        jira.send_webhooks(bot_url.join("jira/webhook")?, webhook_secret)?;
        if arguments.socket {
            slack.wait_for_sockets(1).await;
        }
        let session = DevSession {
            bot: bot_url,
            slack: slack.url().clone(),
            jira: jira.base_url().clone(),
            token: slack.operator_token().clone(),
            process_id: std::process::id(),
        };
        let (slack, jira) = (Arc::new(slack), Arc::new(jira));
        let page = start_page(
            arguments.page,
            Playground {
                slack: Arc::clone(&slack),
                jira: Arc::clone(&jira),
                registry: Arc::clone(bot.registry()),
                builds,
            },
        )
        .await?;
        Ok(Self { slack, jira, bot, page, session })
    }

    fn introduce(&self) {
        let plugins = self.bot.registry().plugins();
        let names: Vec<_> =
            plugins.all().map(|plugin| format!("/maro {}", plugin.description.name)).collect();
        for refusal in &plugins.refused {
            say(&format!("{} does not serve: {}", refusal.file, refusal.reason));
        }
        say(&format!(
            "MARO runs on {bot}with {names}.\n\
             Slack and Jira are simulated on this machine: open the playground at\n\n  \
             {page}\n\n\
             or type in another terminal:\n\n  \
             {program} say '/maro track SCRUM-123 SCRUM-124 SCRUM-999'\n  \
             {program} say '/maro tracked'\n  \
             {program} say '/maro create Login flow for users'\n  \
             {program} say --channel random --user grace '/maro help'\n\n\
             Ctrl-C stops it. What was tracked is kept in {FOLDER}.",
            program = program(),
            bot = self.session.bot.as_str().to_owned() + " ",
            names = names.join(", "),
            page = self.page.url(),
        ));
    }

    async fn stop(self) {
        self.page.stop().await;
        self.bot.stop().await;
        // Whoever still looks at the page cuts them short: nothing is lost with what is simulated.
        if let Some(slack) = Arc::into_inner(self.slack) {
            slack.stop().await;
        }
        if let Some(jira) = Arc::into_inner(self.jira) {
            jira.stop().await;
        }
    }
}

/// Without a wish, the page is where people found it the last time, or else anywhere.
async fn start_page(wish: Option<SocketAddr>, playground: Playground) -> Result<Page, PageError> {
    let usual = SocketAddr::from((Ipv4Addr::LOCALHOST, PAGE_PORT));
    match Page::start(wish.unwrap_or(usual), playground.clone()).await {
        Err(PageError::Listen { .. }) if wish.is_none() => {
            Page::start(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), playground).await
        }
        outcome => outcome,
    }
}

/// Says what to type if another program has the port.
fn cure(error: anyhow::Error, listen: SocketAddr) -> anyhow::Error {
    let cause = error.root_cause().downcast_ref::<io::Error>().map(io::Error::kind);
    if cause != Some(io::ErrorKind::AddrInUse) {
        return error;
    }
    anyhow!(
        "Another program listens on {listen}. `{} dev --listen 127.0.0.1:0` takes a free port instead.",
        program()
    )
}

fn new_secret() -> Secret {
    Secret::new(format!("{:032x}", rand::random::<u128>()))
}

fn say(text: &str) {
    // Whoever closed the pipe does not want to read it, and the bot runs on.
    let _ = writeln!(io::stdout(), "{text}");
}
