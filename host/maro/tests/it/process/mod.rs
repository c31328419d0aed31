//! `maro` as a process of its own.

mod audit;
mod crash;
mod crash_flows;
mod database;
mod database_environment;
mod doctor;
mod draining;
mod networks;
mod rotation;
mod serve;
mod slow_senders;
mod stand_ins;
mod stop;
mod surroundings;
mod traces;
mod trial;
mod write_xor_execute;

use std::{
    io::{BufRead as _, BufReader},
    net::{Ipv4Addr, SocketAddr},
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use maro_jira::config::JiraCredentials;
use maro_process::{clock::Clock, secret::Secret};
use maro_simulation::{
    jira::server::SimulatedJira,
    slack::{SimulatedSlack, SimulatedSlackSettings, shown::terminal},
};
use maro_store::config::DatabaseConfig;
use serde_json::{Value, json};
use tokio::{sync::watch, time::timeout};
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::{built_components::PluginsFolder, postgres};

/// Longer than a start in an unoptimised build, and than the search for a lost ticket.
const PATIENCE: Duration = Duration::from_secs(60);

/// A `maro serve`. It ends when this is dropped.
struct Process {
    child: Child,
    log: watch::Receiver<Vec<Value>>,
}

impl Process {
    fn start(mut command: Command) -> Self {
        let mut child =
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let (sender, log) = watch::channel(Vec::new());
        thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                if sender.is_closed() {
                    return;
                }
                // The sentence with which a start fails isn't an entry of the log.
                let entry = serde_json::from_str(&line).unwrap_or_else(|_| json!({ "message": line }));
                sender.send_modify(|log: &mut Vec<Value>| log.push(entry));
            }
        });
        Self { child, log }
    }

    /// Waits until it has logged `message`: that line, the first one if there are several.
    async fn logged(&self, message: &str) -> Value {
        let is_it = |entry: &&Value| entry["message"] == message;
        let mut log = self.log.clone();
        let read = log.wait_for(|log| log.iter().find(is_it).is_some());
        let Ok(log) = timeout(PATIENCE, read).await else {
            panic!("it hasn't logged {message:?}, but {:#?}", *self.log.borrow());
        };
        log.expect("the process has ended").iter().find(is_it).unwrap().clone()
    }

    /// Waits until it listens: the address of its HTTP interface.
    async fn address(&self) -> Url {
        let entry = self.logged("listening").await;
        Url::parse(&format!("http://{}/", entry["address"].as_str().unwrap())).unwrap()
    }

    /// Waits until it listens. `None` if it ends before that.
    async fn address_unless_it_ends(&self) -> Option<Url> {
        let mut log = self.log.clone();
        let is_listening = |log: &Vec<Value>| log.iter().any(|entry| entry["message"] == "listening");
        timeout(PATIENCE, log.wait_for(is_listening)).await.expect("it starts or ends").ok()?;
        Some(self.address().await)
    }

    /// Leaves its log unread from now on.
    fn close_log(&mut self) {
        self.log = watch::channel(Vec::new()).1;
    }

    /// Asks it to stop, and waits until it has.
    fn stop(mut self) -> Option<i32> {
        let asked = Command::new("kill").arg(self.child.id().to_string()).status().unwrap();
        assert!(asked.success());
        self.child.wait().unwrap().code()
    }
}

impl Drop for Process {
    /// `kill -9`.
    fn drop(&mut self) {
        // Fails if it has ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A workspace, a site and a database, and `maro` as a process of its own.
struct World {
    slack: SimulatedSlack,
    jira: SimulatedJira,
    database: DatabaseConfig,
    plugins: PluginsFolder,
    folder: tempfile::TempDir,
    /// The `maro serve` that Slack calls, if it runs.
    process: Option<Process>,
}

impl World {
    /// With SQLite, and nothing started.
    async fn new() -> Self {
        let loopback = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let slack = SimulatedSlack::start(SimulatedSlackSettings {
            listen: loopback,
            signing_secret: Secret::new("a signing secret"),
            bot_token: Secret::new("xoxb-test"),
            clock: Clock::system(),
        })
        .await
        .unwrap();
        let jira = SimulatedJira::start(loopback, &CancellationToken::new()).await.unwrap();
        let manifest = r#"grants = ["jira", "jira-edit", "tracker-edit"]"#;
        let plugins = PluginsFolder::shipped().with_fixture("jira-calls", "jira-calls", manifest);
        let folder = tempfile::tempdir().unwrap();
        let database = DatabaseConfig::Sqlite { path: folder.path().join("maro.db") };
        Self { slack, jira, database, plugins, folder, process: None }
    }

    /// With a bot on SQLite.
    async fn start() -> Self {
        let mut world = Self::new().await;
        world.run().await;
        world
    }

    /// With a bot on PostgreSQL; `None` where there is none.
    async fn on_postgres() -> Option<Self> {
        let database = DatabaseConfig::postgres(Secret::new(postgres::Database::new().await?.url));
        let mut world = Self { database, ..Self::new().await };
        world.run().await;
        Some(world)
    }

    /// `maro SUBCOMMAND` with all settings.
    fn command(&self, subcommand: &str) -> Command {
        let JiraCredentials::Cloud { email, api_token } = self.jira.cloud_config().credentials else {
            panic!("the simulated site is Jira Cloud")
        };
        let database = match &self.database {
            DatabaseConfig::Sqlite { path } => format!("sqlite://{}", path.display()),
            DatabaseConfig::Postgres(config) => config.url.read().unwrap().expose().to_owned(),
        };
        let mut command = Command::new(env!("CARGO_BIN_EXE_maro"));
        command
            .arg(subcommand)
            .current_dir(self.folder.path())
            .env_clear()
            .env("MARO_LISTEN", "127.0.0.1:0")
            .env("MARO_DRAIN_SECS", "0")
            .env("DATABASE_URL", database)
            .env("MARO_PLUGINS_DIR", self.plugins.path())
            .env("MARO_CACHE_DIR", Path::new(env!("CARGO_TARGET_TMPDIR")).join("code-cache"))
            .env("SLACK_SIGNING_SECRET", "a signing secret")
            .env("SLACK_BOT_TOKEN", "xoxb-test")
            .env("SLACK_API_URL", self.slack.api_url().as_str())
            .env("JIRA_BASE_URL", self.jira.base_url().as_str())
            .env("JIRA_EMAIL", email)
            .env("JIRA_API_TOKEN", api_token.expose())
            .env("JIRA_DEFAULT_PROJECT", "SCRUM");
        command
    }

    /// Starts a bot for Slack to call, and waits until it is ready.
    async fn run(&mut self) {
        let process = Process::start(self.command("serve"));
        process.logged("ready").await;
        // Its first question to Jira is no command's.
        process.logged("Jira accepts the configured account").await;
        self.serve(process).await;
    }

    /// Lets Slack call a bot that runs.
    async fn serve(&mut self, process: Process) {
        self.slack.connect_bot(process.address().await.join("slack/commands").unwrap());
        self.process = Some(process);
    }

    fn kill(&mut self) {
        drop(self.process.take().unwrap());
    }

    async fn say(&self, typed: &str) -> String {
        let messages = self.slack.run_command("general", "ada", typed, PATIENCE).await.unwrap();
        let names = self.slack.workspace().names();
        messages.iter().map(|message| terminal::message_text(message, &names)).collect()
    }
}
