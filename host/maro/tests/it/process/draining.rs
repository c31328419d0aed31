//! What a balancer, a probe and Slack see of a bot that stops; and of an environment that others fill.

use std::{process::Command, time::Duration};

use maro_process::{
    clock::Clock,
    http::client::{self, ClientOptions, Trust},
    secret::Secret,
};
use maro_slack::signature;
use reqwest::{Client, Response};
use tokio::{task::spawn_blocking, time::sleep};
use url::Url;

use crate::process::{Process, World};

/// Signed with `secret`, `age` seconds ago.
async fn command(client: &Client, address: &Url, secret: &str, age: i64) -> Response {
    let body = format!(
        "command=%2Fmaro&text=tracked&channel_id=C1&user_id=U1&trigger_id={}",
        Clock::system().now().as_nanosecond()
    );
    let timestamp = (Clock::system().now().as_second() - age).to_string();
    let signature = signature::sign(&Secret::new(secret), &timestamp, body.as_bytes());
    let request = client
        .post(address.join("slack/commands").unwrap())
        .header("x-slack-signature", signature)
        .header("x-slack-request-timestamp", timestamp)
        .body(body);
    request.send().await.unwrap()
}

const SECRET: &str = "a signing secret";

fn client() -> Client {
    client::build(&ClientOptions::new(Trust::Nobody)).unwrap()
}

async fn readiness(client: &Client, address: &Url) -> Option<u16> {
    let answer = client.get(address.join("readyz").unwrap()).send().await;
    answer.ok().map(|answer| answer.status().as_u16())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commands_are_answered_while_it_is_not_ready_any_more_and_only_then_it_closes() {
    let world = World::new().await;
    let mut start = world.command("serve");
    start.env("MARO_DRAIN_SECS", "3");
    let process = Process::start(start);
    process.logged("ready").await;
    let (client, address) = (client(), process.address().await);
    assert_eq!(readiness(&client, &address).await, Some(200));
    let log = process.log.clone();
    let stopped = spawn_blocking(|| process.stop());
    let mut seen = log.clone();
    seen.wait_for(|log| log.iter().any(|entry| entry["message"] == "stopping")).await.unwrap();
    let mut answered = 0;
    loop {
        match readiness(&client, &address).await {
            Some(503) => {}
            None => break,
            other => panic!("{other:?}"),
        }
        // Between the two looks the listener may have been closed.
        if readiness(&client, &address).await.is_some() && answered < 5 {
            let answer = command(&client, &address, SECRET, 0).await;
            assert_eq!(answer.status(), 200);
            assert_eq!(answer.headers()["connection"], "close", "its sender would use it again");
            assert!(answer.text().await.unwrap().contains("No Jira issues are tracked"));
            answered += 1;
        }
        sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(answered, 5);
    assert_eq!(stopped.await.unwrap(), Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_signal_ends_the_waiting() {
    let world = World::new().await;
    let mut start = world.command("serve");
    start.env("MARO_DRAIN_SECS", "600");
    let process = Process::start(start);
    process.logged("ready").await;
    let id = process.child.id().to_string();
    assert!(Command::new("kill").arg(&id).status().unwrap().success());
    process.logged("stopping").await;
    let stopped = spawn_blocking(|| process.stop()).await.unwrap();
    assert_eq!(stopped, Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_secret_and_a_wrong_clock_leave_one_line_each() {
    let world = World::new().await;
    let mut start = world.command("serve");
    start.env("JIRA_WEBHOOK_SECRET", "a webhook secret");
    let process = Process::start(start);
    process.logged("ready").await;
    let (client, address) = (client(), process.address().await);
    for _ in 0..3 {
        assert_eq!(command(&client, &address, "another secret", 0).await.status(), 401);
        assert_eq!(command(&client, &address, SECRET, 1_000).await.status(), 401);
        let webhook = client.post(address.join("jira/webhook").unwrap()).body("{}").send().await.unwrap();
        assert_eq!(webhook.status(), 401);
    }
    let log = process.log.clone();
    assert_eq!(spawn_blocking(|| process.stop()).await.unwrap(), Some(0));
    let warnings: Vec<_> = log.borrow().iter().filter(|entry| entry["level"] == "WARN").cloned().collect();
    for word in ["SLACK_SIGNING_SECRET", "JIRA_WEBHOOK_SECRET", "clock"] {
        let named = warnings.iter().filter(|entry| entry.to_string().contains(word)).count();
        assert_eq!(named, 1, "{word}: {warnings:?}");
    }
}

/// What Kubernetes adds for Services called `maro` and `maro-plugins`.
const SERVICE_LINKS: [(&str, &str); 6] = [
    ("MARO_SERVICE_HOST", "10.43.7.21"),
    ("MARO_SERVICE_PORT_WEB", "80"),
    ("MARO_PORT", "tcp://10.43.7.21:80"),
    ("MARO_PORT_80_TCP_ADDR", "10.43.7.21"),
    ("MARO_PLUGINS_SERVICE_HOST", "fd00:43::7"),
    ("MARO_PLUGINS_PORT", "tcp://[fd00:43::7]:80"),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn service_links_are_nothing_to_it_and_a_slip_still_stops_the_start() {
    let world = World::new().await;
    let mut start = world.command("serve");
    start.envs(SERVICE_LINKS).env("MARO_IMAGE_TAG", "1.2.3");
    let process = Process::start(start);
    process.logged("ready").await;
    let log = process.log.clone();
    assert_eq!(spawn_blocking(|| process.stop()).await.unwrap(), Some(0));
    let ignored: Vec<_> =
        log.borrow().iter().filter_map(|entry| entry["variable"].as_str().map(str::to_owned)).collect();
    assert_eq!(ignored, ["MARO_IMAGE_TAG"]);
    let mut start = world.command("serve");
    start.envs(SERVICE_LINKS).env("MARO_PLUGIN_DIR", "plugins").env("MARO_LISTENS", "127.0.0.1:0");
    let output = spawn_blocking(move || start.output().unwrap()).await.unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && said.contains("MARO_PLUGIN_DIR in the environment"), "{said}");
    assert!(said.contains("Did you mean MARO_LISTEN?") && !said.contains("_PORT"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cache_on_a_volume_of_a_group_compiles_once() {
    use std::os::unix::fs::PermissionsExt as _;

    let world = World::new().await;
    let volume = world.folder.path().join("volume");
    std::fs::create_dir(&volume).unwrap();
    std::fs::set_permissions(&volume, std::fs::Permissions::from_mode(0o2770)).unwrap();
    for is_first in [true, false] {
        let mut start = world.command("serve");
        start.env("MARO_CACHE_DIR", &volume);
        let process = Process::start(start);
        process.logged("ready").await;
        let address = process.address().await;
        let metrics =
            client().get(address.join("metrics").unwrap()).send().await.unwrap().text().await.unwrap();
        let hits = metrics.lines().find(|line| line.starts_with("maro_plugin_cache_hits_total")).unwrap();
        assert_eq!(hits.ends_with(" 0"), is_first, "{hits}");
        let log = process.log.clone();
        assert_eq!(spawn_blocking(|| process.stop()).await.unwrap(), Some(0));
        assert!(!log.borrow().iter().any(|entry| entry.to_string().contains("not kept")));
    }
    let own: Vec<_> = std::fs::read_dir(&volume).unwrap().map(|entry| entry.unwrap()).collect();
    let [own] = &own[..] else { panic!("{own:?}") };
    assert_eq!(own.metadata().unwrap().permissions().mode() & 0o7777, 0o700);
}
