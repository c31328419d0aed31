//! `maro` as a process of its own: `kill -9` at the worst moments, after which what was acknowledged is
//! there and nothing is done twice; and `maro doctor`.

use std::{
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use maro::{
    cli::terminal,
    clock::Clock,
    config::{JiraCredentials, Secret},
    sandbox::{
        jira::{faults::Fault, server::SimulatedJira},
        slack::{SimulatedSlack, SimulatedSlackSettings, web_api::faults::Fault as SlackFault},
    },
};
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::plugins;

/// Longer than a start in an unoptimised build, and than the search for a lost ticket.
const PATIENCE: Duration = Duration::from_secs(60);

/// A workspace and a site, and `maro serve` as a process of its own.
struct World {
    slack: SimulatedSlack,
    jira: SimulatedJira,
    folder: tempfile::TempDir,
    port: u16,
    process: Option<Child>,
}

impl World {
    async fn start() -> Self {
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
        let port = TcpListener::bind(loopback).unwrap().local_addr().unwrap().port();
        let mut world = Self { slack, jira, folder: tempfile::tempdir().unwrap(), port, process: None };
        world.run().await;
        world
    }

    /// `maro SUBCOMMAND` with all settings.
    fn command(&self, subcommand: &str) -> Command {
        let JiraCredentials::Cloud { email, api_token } = self.jira.cloud_config().credentials else {
            panic!("the simulated site is Jira Cloud")
        };
        let database = format!("sqlite://{}", self.folder.path().join("maro.db").display());
        let mut command = Command::new(env!("CARGO_BIN_EXE_maro"));
        command
            .arg(subcommand)
            .current_dir(self.folder.path())
            .env("MARO_LISTEN", format!("127.0.0.1:{}", self.port))
            .env("DATABASE_URL", database)
            .env("MARO_PLUGINS_DIR", plugins::shipped())
            .env("MARO_CACHE_DIR", Path::new(env!("CARGO_TARGET_TMPDIR")).join("code-cache"))
            .env("SLACK_SIGNING_SECRET", "a signing secret")
            .env("SLACK_BOT_TOKEN", "xoxb-test")
            .env("SLACK_API_URL", self.slack.api_url().as_str())
            .env("JIRA_BASE_URL", self.jira.base_url().as_str())
            .env("JIRA_EMAIL", email)
            .env("JIRA_API_TOKEN", api_token.expose())
            .env("JIRA_DEFAULT_PROJECT", "SCRUM")
            .stdin(Stdio::null())
            .stderr(Stdio::null());
        command
    }

    /// Starts the bot and waits until it is ready.
    async fn run(&mut self) {
        self.process = Some(self.command("serve").spawn().unwrap());
        let base = Url::parse(&format!("http://127.0.0.1:{}/", self.port)).unwrap();
        let ready = async {
            while !is_ready(&base).await {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        tokio::time::timeout(PATIENCE, ready).await.unwrap();
        self.slack.connect_bot(base.join("slack/commands").unwrap());
    }

    fn kill(&mut self) {
        let mut process = self.process.take().unwrap();
        process.kill().unwrap();
        process.wait().unwrap();
    }

    async fn say(&self, typed: &str) -> String {
        let messages = self.slack.run_command("general", "ada", typed, PATIENCE).await.unwrap();
        let names = self.slack.workspace().names();
        messages.iter().map(|message| terminal::message_text(message, &names)).collect()
    }

    fn told(&self) -> Vec<String> {
        let names = self.slack.workspace().names();
        self.slack.posted("general").iter().map(|message| terminal::message_text(message, &names)).collect()
    }

    async fn fill_create_form(&self, summary: &str) {
        self.slack.send_command("general", "ada", &format!("/maro create {summary}")).await.unwrap();
        self.slack.wait_for_modal("ada", |modal| modal.field("summary").is_some()).await.unwrap();
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if let Some(mut process) = self.process.take() {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

async fn is_ready(base: &Url) -> bool {
    let _ = rustls::crypto::ring::default_provider().install_default();
    match reqwest::get(base.join("readyz").unwrap()).await {
        Ok(response) => response.status().is_success(),
        Err(_) => false,
    }
}

#[tokio::test]
async fn every_answered_change_survives() {
    let mut world = World::start().await;
    let mut answered = Vec::new();
    for number in 101..=120 {
        let shown = world.say(&format!("/maro track SCRUM-{number}")).await;
        assert!(shown.starts_with("Now tracking"), "{shown}");
        answered.push(format!("SCRUM-{number}:"));
    }
    world.kill();
    world.run().await;
    let list = world.say("/maro tracked").await;
    for key in answered {
        assert!(list.contains(&key), "{key} is gone from\n{list}");
    }
}

#[tokio::test]
async fn a_ticket_that_jira_created_during_the_crash_is_tracked_and_told_once() {
    let mut world = World::start().await;
    world.fill_create_form("Zeppelin hangar roof").await;
    // The search for duplicates is answered; the creation is done, and its answer never comes.
    world.jira.set_next_faults([None, Some(Fault::DoneThenHang)]);
    world.slack.submit("ada").await.unwrap();
    let created = async {
        while world.jira.created_issues().is_empty() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, created).await.unwrap();
    world.kill();
    world.jira.clear_fault();
    world.run().await;
    world.slack.wait_for(PATIENCE, |_| !world.told().is_empty()).await.unwrap();
    assert_eq!(world.told(), ["Created SCRUM-151: Zeppelin hangar roof"]);
    assert_eq!(world.jira.created_issues().len(), 1);
    let list = world.say("/maro tracked").await;
    assert!(list.contains("SCRUM-151: Zeppelin hangar roof"), "{list}");
}

/// Whether `maro doctor` is satisfied, and what it says.
async fn doctor(mut command: Command) -> (bool, String) {
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    (output.status.success(), String::from_utf8(output.stdout).unwrap())
}

#[tokio::test]
async fn the_doctor_tries_every_setting_and_says_what_to_fix() {
    let world = World::start().await;
    let (is_well, said) = doctor(world.command("doctor")).await;
    assert!(is_well, "{said}");
    assert!(said.lines().all(|line| line.starts_with("ok ")), "{said}");
    assert!(said.contains("may browse, create and link issues in SCRUM"), "{said}");

    let mut command = world.command("doctor");
    command.env("SLACK_BOT_TOKEN", "xoxb-wrong").env("JIRA_API_TOKEN", "wrong");
    let (is_well, said) = doctor(command).await;
    assert!(!is_well);
    assert!(said.contains("into SLACK_BOT_TOKEN"), "{said}");
    assert!(said.contains("Check JIRA_EMAIL and JIRA_API_TOKEN"), "{said}");

    let mut command = world.command("doctor");
    command.env("JIRA_DEFAULT_PROJECT", "AUDIT");
    let (is_well, said) = doctor(command).await;
    assert!(!is_well);
    assert!(said.contains("lacks permissions in AUDIT: Create issues"), "{said}");
}

#[tokio::test]
async fn what_jira_confirmed_before_the_crash_is_tracked_after_it() {
    let mut world = World::start().await;
    world.fill_create_form("Zeppelin wind vane").await;
    // Slack takes the message to the channel and never says so: the crash comes while the bot waits.
    world.slack.set_next_faults("chat.postMessage", [Some(SlackFault::Hang)]);
    world.slack.submit("ada").await.unwrap();
    let asked = async {
        while world.slack.calls_of("chat.postMessage").is_empty() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, asked).await.unwrap();
    world.kill();
    world.slack.clear_faults();
    world.run().await;
    let list = world.say("/maro tracked").await;
    assert!(list.contains("SCRUM-151: Zeppelin wind vane"), "{list}");
    assert_eq!(world.jira.created_issues().len(), 1);
    assert_eq!(world.slack.calls_of("chat.postMessage").len(), 1, "the channel may have heard it");
}
