//! `maro dev`: runs the production bot locally against a simulated Slack workspace and Jira site.

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
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::{
    builds::Builds,
    playground::{PageError, PlaygroundPage, state::Playground},
    plugin_news,
    program::program,
    rebuild::Rebuilder,
    session_file::{DevLock, DevSession, FOLDER},
};
use maro_bot::{
    bot::{Bot, Surroundings},
    config::{self, Config, PluginsConfig},
};
use maro_domain::caller::Person;
use maro_jira::config::JiraConfig;
use maro_kit::{
    languages::{
        component::{build_into, toolbox},
        project::Project,
    },
    repository::{self, Built},
    tryout::{case_writer, transcript::transcript},
};
use maro_process::{clock::Clock, secret::Secret, stop_signal::StopSignal, telemetry};
use maro_runtime::{
    engine::Effort,
    outbound::simulated::SimulatedServices,
    recording::{cases::ending_lines, recorder::Recording, tape::Ending},
};
use maro_simulation::{
    jira::server::SimulatedJira,
    slack::{SimulatedSlack, SimulatedSlackSettings},
};
use maro_slack::config::SlackConfig;
use maro_store::config::DatabaseConfig;

/// How old a status may get before it is refreshed. Short, so that changes in the simulated Jira show soon.
const SYNC_INTERVAL: Duration = Duration::from_secs(30);

/// The playground's default port.
const PAGE_PORT: u16 = 3001;

#[derive(Debug, Args)]
pub struct Arguments {
    /// Address the bot listens on
    #[arg(long, default_value = "127.0.0.1:3000", value_name = "ADDRESS")]
    listen: SocketAddr,
    /// What to log: a level, or a list such as warn,maro=debug
    #[arg(long, default_value = "warn", value_name = "FILTER")]
    log: String,
    /// Playground address [default: port 3001, or a free one]
    #[arg(long, value_name = "ADDRESS")]
    page: Option<SocketAddr>,
    /// Use Socket Mode instead of HTTP
    #[arg(long)]
    socket: bool,
    /// Also build plugins/examples, in the background; the JavaScript and Python ones need their toolchains
    #[arg(long)]
    examples: bool,
    /// Also build and watch the plugin project at this path
    #[arg(long, value_name = "PROJECT")]
    plugin: Vec<PathBuf>,
    /// Record each plugin command as a case in this folder
    #[arg(long, value_name = "DIR")]
    record: Option<PathBuf>,
    /// Answer the HTTP requests of plugins from this file
    #[arg(long, value_name = "FILE")]
    http: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct ProjectArguments {
    /// The plugin's project
    #[arg(default_value = ".", value_name = "PROJECT")]
    project: PathBuf,
    /// Address the bot listens on [default: a free port]
    #[arg(long, default_value = "127.0.0.1:0", hide_default_value = true, value_name = "ADDRESS")]
    listen: SocketAddr,
    /// What to log: a level, or a list such as warn,maro=debug
    #[arg(long, default_value = "warn", value_name = "FILTER")]
    log: String,
    /// Playground address [default: port 3001, or a free one]
    #[arg(long, value_name = "ADDRESS")]
    page: Option<SocketAddr>,
    /// Record each command as a case in this folder
    #[arg(long, value_name = "DIR")]
    record: Option<PathBuf>,
    /// Answer the plugin's HTTP requests from this file
    #[arg(long, value_name = "FILE")]
    http: Option<PathBuf>,
}

pub async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    telemetry::start(&arguments.log);
    say("Building plugins from source…");
    let built = tokio::task::spawn_blocking(repository::build_workspace).await??;
    let folder = std::env::current_dir().context("the working folder no longer exists")?;
    let Some(_lock) = DevLock::take(&folder).context("can't write to the folder .maro")? else {
        bail!(
            "maro dev is already running in this folder. Send it commands with `{} say '/maro help'`, or stop it first.",
            program()
        );
    };
    let plugins = built.output.clone();
    let rebuilder = arguments.rebuilder(built)?;
    let dev = Dev::start(&arguments, &folder, plugins, rebuilder.builds.clone()).await?;
    // Recordings are made only if someone keeps them.
    if let Some(dir) = arguments.record
        && let Some(recordings) = dev.bot.recorder().listen()
    {
        say(&format!("Recording each plugin command in {}.", dir.display()));
        tokio::spawn(case_writer::keep_all(dir, recordings));
    }
    let commands = [
        "say '/maro track SCRUM-123 SCRUM-124 SCRUM-999'",
        "say '/maro tracked'",
        "say '/maro create Login flow for users'",
        "say --channel random --user grace '/maro help'",
    ];
    dev.run(&folder, rebuilder, &commands.map(str::to_owned)).await
}

/// `maro plugin dev`: as [`run`], with one plugin, from its project's folder alone.
///
/// # Errors
/// The folder is no project, or a part can't be started.
pub async fn run_project(arguments: ProjectArguments) -> anyhow::Result<ExitCode> {
    telemetry::start(&arguments.log);
    let project = Project::open(&arguments.project)?;
    let (name, folder) = (project.name.clone(), project.folder.clone());
    let Some(_lock) = DevLock::take(&folder).context("can't write to the folder .maro")? else {
        bail!("maro plugin dev is already running for {name}: stop it first.");
    };
    let output = folder.join(FOLDER).join("plugins");
    // This build tells what it downloads. If it fails, the next save is another chance.
    if let Err(error) = build_into(&project, &output, &toolbox(true)).await {
        say(&format!("✗ {:#}", error.told(format!("{name} failed to build"))));
    }
    std::fs::create_dir_all(&output).context("can't write to the folder .maro")?;
    let rebuilder = Rebuilder {
        plugins: output.clone(),
        examples: None,
        more: vec![project],
        output: output.clone(),
        built: Vec::new(),
        builds: Builds::default(),
    };
    let settings = Arguments {
        listen: arguments.listen,
        log: arguments.log,
        page: arguments.page,
        socket: false,
        examples: false,
        plugin: Vec::new(),
        record: None,
        http: arguments.http,
    };
    let dev = Dev::start(&settings, &folder, output, rebuilder.builds.clone()).await?;
    if let Some(recordings) = dev.bot.recorder().listen() {
        tokio::spawn(show_commands(recordings, arguments.record));
    }
    dev.run(&folder, rebuilder, &[format!("say '/maro {name}'")]).await
}

/// Shows what happened behind each command, and keeps it as a case if there is a folder for that.
async fn show_commands(mut recordings: mpsc::Receiver<Recording>, dir: Option<PathBuf>) {
    let (kept, keeping) = mpsc::channel(16);
    if let Some(dir) = dir {
        tokio::spawn(case_writer::keep_all(dir, keeping));
    }
    while let Some(recording) = recordings.recv().await {
        let case = &recording.case;
        let command = format!("/maro {} {}", case.plugin, case.arguments);
        let reply = match &case.ending {
            Ending::Fault(_) => String::new(),
            ending => ending_lines(ending).join("\n  ") + "\n  ",
        };
        let behind = transcript(&recording, false);
        say(&format!("\n{}\n  {reply}{}", command.trim_end(), behind.trim_end().replace('\n', "\n  ")));
        // Nobody keeps them if there is no folder.
        let _ = kept.send(recording).await;
    }
}

impl Arguments {
    /// What is rebuilt when its source is saved: the repository's plugins and the projects that the arguments
    /// name. Some of the repository's plugins are `built` already: those that build quickly.
    fn rebuilder(&self, built: Built) -> anyhow::Result<Rebuilder> {
        Ok(Rebuilder {
            examples: self.examples.then(|| built.sources.join("examples")),
            plugins: built.sources,
            more: self.plugin.iter().map(|folder| Project::open(folder)).collect::<Result<_, _>>()?,
            output: built.output,
            built: built.names,
            builds: Builds::default(),
        })
    }
}

/// Everything that a `maro dev` is running.
struct Dev {
    slack: Arc<SimulatedSlack>,
    jira: Arc<SimulatedJira>,
    bot: Bot,
    page: PlaygroundPage,
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
        // The playground turns it forward.
        let clock = Clock::turnable();
        let slack = SimulatedSlack::start(SimulatedSlackSettings {
            listen: loopback,
            signing_secret: signing_secret.clone(),
            bot_token: bot_token.clone(),
            clock: clock.clone(),
        })
        .await
        .context("can't start the simulated Slack workspace")?;
        slack.grant_all_scopes();
        let jira = SimulatedJira::start(loopback, &CancellationToken::new())
            .await
            .context("can't start the simulated Jira site")?;
        jira.base_url().host_str().into_iter().for_each(|host| slack.unfurl_links_to(host));
        let webhook_secret = new_secret();
        let config = Config {
            listen: arguments.listen,
            admins: slack
                .workspace()
                .people
                .iter()
                .map(|person| Person { foreign_team: None, user: person.id.clone() })
                .collect(),
            sync_interval: SYNC_INTERVAL,
            log: arguments.log.clone(),
            ..Config::on_loopback(
                DatabaseConfig::Sqlite { path: folder.join(FOLDER).join("maro.db") },
                PluginsConfig {
                    effort: Effort::Quick,
                    hot_reload: true,
                    // `maro plugin run` uses the same cache, so that nothing is compiled twice.
                    cache_dir: config::load::cache_dir().or_else(|| Some(folder.join(FOLDER).join("cache"))),
                    ..PluginsConfig::in_folder(plugins)
                },
                SlackConfig {
                    signing_secret: Some(signing_secret),
                    app_token: arguments.socket.then(|| slack.app_token().clone()),
                    ..SlackConfig::new(slack.api_url(), bot_token)
                },
                JiraConfig { webhook_secret: Some(webhook_secret.clone()), ..jira.cloud_config() },
            )
        };
        let services = arguments.http.as_deref().map(SimulatedServices::from_file).transpose()?;
        let surroundings = Surroundings { services, ..clock.clone().into() };
        let bot = Bot::start(config, surroundings).await.map_err(|error| cure(error, arguments.listen))?;
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
                clock,
            },
        )
        .await?;
        Ok(Self { slack, jira, bot, page, session })
    }

    /// Rebuilds and serves until the program is to stop. `commands` are what people may try.
    async fn run(self, folder: &Path, rebuilder: Rebuilder, commands: &[String]) -> anyhow::Result<ExitCode> {
        self.bot.wait_until_ready().await;
        self.session.write(folder).context("can't save this session for maro say")?;
        self.introduce(commands);
        let stop = CancellationToken::new();
        let telling = tokio::spawn(plugin_news::tell(self.bot.registry().events().clone(), stop.clone()));
        let rebuilding = tokio::spawn(rebuilder.run(stop.clone()));
        StopSignal::listen()?.wait().await;
        say("Stopping…");
        stop.cancel();
        rebuilding.await?;
        telling.await?;
        self.session.remove(folder).context("can't remove this session's file for maro say")?;
        self.stop().await;
        Ok(ExitCode::SUCCESS)
    }

    fn introduce(&self, commands: &[String]) {
        let plugins = self.bot.registry().plugins();
        let names: Vec<_> = plugins.all().map(|plugin| format!("/maro {}", plugin.name())).collect();
        for refusal in &plugins.refused {
            say(&format!("{} couldn't be loaded: {}", refusal.file, refusal.reason));
        }
        say(&format!(
            "MARO is running on {bot}with {names}.\n\
             Slack and Jira are simulated. Open the playground:\n\n  \
             {page}\n\n\
             Or use a second terminal:\n\n  \
             {commands}\n\n\
             Press Ctrl-C to stop. Tracked issues are saved in {FOLDER}.",
            commands = commands
                .iter()
                .map(|command| format!("  {} {command}", program()))
                .collect::<Vec<_>>()
                .join("\n"),
            bot = self.session.bot.as_str().to_owned() + " ",
            names = names.join(", "),
            page = self.page.url(),
        ));
    }

    async fn stop(self) {
        self.page.stop().await;
        self.bot.stop().await;
        // An open page still holds on to them. Then they are just dropped: simulated data needs no clean end.
        if let Some(slack) = Arc::into_inner(self.slack) {
            slack.stop().await;
        }
        if let Some(jira) = Arc::into_inner(self.jira) {
            jira.stop().await;
        }
    }
}

/// Starts the page at the address asked for. By default it is on its usual port, or on a free one.
async fn start_page(wish: Option<SocketAddr>, playground: Playground) -> Result<PlaygroundPage, PageError> {
    let usual = SocketAddr::from((Ipv4Addr::LOCALHOST, PAGE_PORT));
    match PlaygroundPage::start(wish.unwrap_or(usual), playground.clone()).await {
        Err(PageError::Listen { .. }) if wish.is_none() => {
            PlaygroundPage::start(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), playground).await
        }
        outcome => outcome,
    }
}

/// Explains what to type if another program is using the port.
fn cure(error: anyhow::Error, listen: SocketAddr) -> anyhow::Error {
    let cause = error.root_cause().downcast_ref::<io::Error>().map(io::Error::kind);
    if cause != Some(io::ErrorKind::AddrInUse) {
        return error;
    }
    anyhow!(
        "Another program is using {listen}. To pick a free port, run `{} dev --listen 127.0.0.1:0`.",
        program()
    )
}

fn new_secret() -> Secret {
    Secret::new(format!("{:032x}", rand::random::<u128>()))
}

fn say(text: &str) {
    // If the reader closed the pipe, the bot keeps running.
    let _ = writeln!(io::stdout(), "{text}");
}
