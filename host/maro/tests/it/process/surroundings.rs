//! The environment of the process: proxies, secrets, and how much it computes.

use std::{
    fs,
    net::SocketAddr,
    path::PathBuf,
    time::{Duration, Instant},
};

use maro_process::{
    clock::Clock,
    http::client::{self, ClientOptions, Trust},
    secret::Secret,
};
use maro_simulation::jira::faults::JiraFault;
use maro_slack::signature;
use tokio::net::TcpListener;

use crate::{
    built_components::fixture,
    handwritten_components::large,
    plugin_changes::put,
    process::{Process, World},
};

/// Where nothing should ever connect to.
struct Trap(TcpListener);

impl Trap {
    async fn set() -> Self {
        Self(TcpListener::bind("127.0.0.1:0").await.unwrap())
    }

    fn url(&self) -> String {
        format!("http://{}", self.0.local_addr().unwrap())
    }

    async fn is_untouched(&self) -> bool {
        // What has connected is accepted at once.
        tokio::time::timeout(Duration::from_millis(1), self.0.accept()).await.is_err()
    }

    /// The settings that lead programs through a proxy here.
    fn variables(&self) -> Vec<(String, String)> {
        let names = ["http_proxy", "https_proxy", "all_proxy", "ws_proxy"];
        let both = names.iter().flat_map(|name| [(*name).to_owned(), name.to_uppercase()]);
        both.map(|name| (name, self.url())).collect()
    }
}

/// A `maro serve` with more in its environment, and Slack calls it.
async fn serve_with(variables: &[(String, String)]) -> World {
    let mut world = World::new().await;
    let manifest =
        "grants = [\"storage\", \"settings\", \"clock\", \"http\"]\nhttp.private-hosts = [\"localhost\"]";
    put(world.plugins.path(), "capable.toml", manifest.as_bytes());
    put(world.plugins.path(), "capable.wasm", &fs::read(fixture("capable")).unwrap());
    let mut command = world.command("serve");
    command.envs(variables.iter().map(|(name, value)| (name, value)));
    let process = Process::start(command);
    process.logged("ready").await;
    process.logged("Jira accepts the configured account").await;
    world.serve(process).await;
    world
}

#[tokio::test]
async fn proxies_in_the_environment_are_not_used() {
    let trap = Trap::set().await;
    let world = serve_with(&trap.variables()).await;
    world.slack.send_command("general", "ada", "/maro create Zeppelin").await.unwrap();
    world.slack.wait_for_modal("ada", |modal| modal.field("summary").is_some()).await.unwrap();
    let shown = world.say("/maro capable fetch GET https://localhost/").await;
    assert_eq!(shown, "MARO can't reach localhost right now. Try again in a few minutes.");
    world.jira.set_fault(JiraFault::Slow(Duration::from_secs(3)));
    let shown = world.say("/maro track SCRUM-123").await;
    assert!(shown.starts_with("Now tracking"), "{shown}");
    assert!(trap.is_untouched().await);
}

#[tokio::test]
async fn a_late_answer_over_tls_uses_no_proxy_either() {
    let (trap, slack) = (Trap::set().await, Trap::set().await);
    let mut variables = trap.variables();
    variables.push(("SLACK_API_URL".to_owned(), slack.url().replace("http://", "https://") + "/api"));
    let world = serve_with(&variables).await;
    world.jira.set_fault(JiraFault::Slow(Duration::from_secs(3)));
    let response_url = slack.url().replace("http://", "https%3A%2F%2F") + "%2Fcommands%2FT1";
    let body =
        format!("command=%2Fmaro&text=track+SCRUM-123&channel_id=C1&user_id=U1&response_url={response_url}");
    let timestamp = Clock::system().now().as_second().to_string();
    let client = client::build(&ClientOptions::new(Trust::Nobody)).unwrap();
    let address = world.process.as_ref().unwrap().address().await;
    let response = client
        .post(address.join("slack/commands").unwrap())
        .header(
            "x-slack-signature",
            signature::sign(&Secret::new("a signing secret"), &timestamp, body.as_bytes()),
        )
        .header("x-slack-request-timestamp", timestamp)
        .body(body);
    assert_eq!(response.send().await.unwrap().status(), 200);
    let came: SocketAddr = tokio::select! {
        came = slack.0.accept() => came.unwrap().1,
        _ = trap.0.accept() => panic!("a proxy was asked"),
        () = tokio::time::sleep(Duration::from_secs(30)) => panic!("the late answer was never sent"),
    };
    assert!(came.ip().is_loopback());
}

#[tokio::test]
async fn the_log_of_a_talkative_process_holds_no_secret() {
    let mut world = World::new().await;
    let mut command = world.command("serve");
    command
        .env("MARO_LOG", "debug")
        .env_remove("SLACK_SIGNING_SECRET")
        .env("SLACK_APP_TOKEN", world.slack.app_token().expose());
    let process = Process::start(command);
    process.logged("Jira accepts the configured account").await;
    assert!(world.slack.wait_for_sockets(2).await);
    world.serve(process).await;
    assert!(world.say("/maro track SCRUM-123").await.starts_with("Now tracking"));
    world.slack.drop_sockets();
    assert!(world.slack.wait_for_sockets(2).await);
    world.jira.set_fault(JiraFault::Reset);
    world.say("/maro track SCRUM-124").await;
    let log = world.process.as_ref().unwrap().log.borrow().clone();
    assert!(log.iter().any(|entry| entry["level"] == "DEBUG"), "it isn't talkative");
    for secret in [world.slack.app_token().expose(), "ticket=", "xoxb-test", "simulated-api-token", "bWFyb0B"]
    {
        let entry = log.iter().find(|entry| entry.to_string().contains(secret));
        assert!(entry.is_none(), "{secret} is in {entry:?}");
    }
}

/// The processes that a process has started: their folders in `/proc`.
fn children(parent: u32) -> Vec<PathBuf> {
    let folders = fs::read_dir("/proc").unwrap().flatten().map(|entry| entry.path());
    let is_child = |folder: &PathBuf| {
        let status = fs::read_to_string(folder.join("status")).unwrap_or_default();
        status
            .lines()
            .any(|line| line.strip_prefix("PPid:").is_some_and(|pid| pid.trim() == parent.to_string()))
    };
    folders.filter(is_child).collect()
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn the_compiler_is_told_no_secret() {
    let world = World::new().await;
    put(world.plugins.path(), "large.wasm", &large(77));
    let mut command = world.command("serve");
    command.env("MARO_CACHE_DIR", world.folder.path().join("cache"));
    let process = Process::start(command);
    let own = fs::read_to_string(format!("/proc/{}/environ", process.child.id())).unwrap();
    process.logged("listening").await;
    let started = Instant::now();
    let environment = loop {
        let compiler = children(process.child.id()).into_iter().find_map(|child| {
            let command = fs::read_to_string(child.join("cmdline")).ok()?;
            command.contains("compile-component").then(|| fs::read(child.join("environ")).ok())?
        });
        if let Some(environment) = compiler {
            break environment;
        }
        assert!(started.elapsed() < Duration::from_secs(60), "no compiler is seen");
        tokio::time::sleep(Duration::from_millis(1)).await;
    };
    assert!(own.is_empty() || own.contains("SLACK_BOT_TOKEN"), "the look at an environment tells nothing");
    assert_eq!(String::from_utf8_lossy(&environment), "MIMALLOC_ARENA_EAGER_COMMIT=0\0");
    assert_eq!(process.stop(), Some(0));
}

/// How long a process has computed.
fn computed(pid: u32) -> Duration {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let fields: Vec<&str> = stat.rsplit_once(") ").unwrap().1.split(' ').collect();
    // Of the user's and of the system's, in hundredths of a second.
    let ticks: u64 = fields[11..13].iter().map(|field| field.parse::<u64>().unwrap()).sum();
    Duration::from_millis(ticks * 10)
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_plugin_computes_for_as_long_as_it_may() {
    const MANIFEST: &[u8] = b"grants = [\"jira\", \"tracker\", \"tracker-edit\"]
        [limits]\ncpu-ms = 1500\nwall-ms = 60000";
    let mut world = World::new().await;
    put(world.plugins.path(), "hostile.toml", MANIFEST);
    put(world.plugins.path(), "hostile.wasm", &fs::read(fixture("hostile")).unwrap());
    world.run().await;
    assert_eq!(world.say("/maro hostile state").await, "1");
    let pid = world.process.as_ref().unwrap().child.id();
    for what in ["loop", "clock-spin", "loop"] {
        let before = computed(pid);
        let shown = world.say(&format!("/maro hostile {what}")).await;
        let took = computed(pid) - before;
        assert!(shown.contains("crashed"), "{what}: {shown}");
        let range = Duration::from_millis(700)..Duration::from_secs(6);
        assert!(range.contains(&took), "{what}: it computed for {took:?}");
        assert_eq!(world.say("/maro hostile state").await, "1");
    }
}
