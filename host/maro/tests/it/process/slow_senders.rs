//! A bot with few file descriptors, and senders who say nothing, speak slowly, or don't listen.

use std::{
    process::Command,
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use maro_process::{
    clock::Clock,
    descriptors,
    http::client::{self, ClientOptions, Trust},
    secret::Secret,
};
use maro_slack::signature;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::{sleep, timeout},
};

use crate::process::{Process, World};

/// As many as many systems give by default.
const DESCRIPTORS: u64 = 1_024;

/// How long a command may take beside an attack: as long as Slack waits.
const QUICK: Duration = Duration::from_secs(3);

const COMMAND: &[u8] = b"command=%2Fmaro&text=help&channel_id=C1&user_id=U1&team_id=";

/// The same command, with so many file descriptors at most.
fn with_descriptors(command: &Command, most: u64) -> Command {
    let mut limited = Command::new("/bin/sh");
    limited.args(["-c", "ulimit -n \"$0\" && exec \"$@\"", &most.to_string()]);
    limited.arg(command.get_program()).args(command.get_args()).env_clear();
    limited.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    limited.current_dir(command.get_current_dir().unwrap());
    limited
}

/// A bot that Slack calls, with few descriptors.
async fn start() -> World {
    start_with(|_| {}).await
}

async fn start_with(change: impl FnOnce(&mut Command)) -> World {
    descriptors::raise_limit();
    let mut world = World::new().await;
    let mut command = world.command("serve");
    change(&mut command);
    let process = Process::start(with_descriptors(&command, DESCRIPTORS));
    process.logged("ready").await;
    process.logged("Jira accepts the configured account").await;
    world.serve(process).await;
    world
}

async fn authority(world: &World) -> String {
    let address = world.process.as_ref().unwrap().address().await;
    address.as_str().trim_start_matches("http://").trim_end_matches('/').to_owned()
}

/// Opens that many connections, as fast as it goes.
async fn connections(authority: &str, count: usize) -> Vec<TcpStream> {
    let mut open = Vec::new();
    while open.len() < count {
        let some = (0..500.min(count - open.len())).map(|_| TcpStream::connect(authority));
        open.extend(join_all(some).await.into_iter().filter_map(Result::ok));
    }
    open
}

/// A signed command, as raw bytes.
fn signed_command() -> Vec<u8> {
    let timestamp = Clock::system().now().as_second().to_string();
    let signature = signature::sign(&Secret::new("a signing secret"), &timestamp, COMMAND);
    let head = format!(
        "POST /slack/commands HTTP/1.1\r\nhost: bot\r\ncontent-type: application/x-www-form-urlencoded\r\n\
         x-slack-request-timestamp: {timestamp}\r\nx-slack-signature: {signature}\r\ncontent-length: {}\r\n\r\n",
        COMMAND.len()
    );
    [head.as_bytes(), COMMAND].concat()
}

/// Sends a signed command on a connection, and waits for the first bytes of its answer.
async fn ask(connection: &mut TcpStream) -> String {
    connection.write_all(&signed_command()).await.unwrap();
    let mut answer = vec![0; 64 * 1024];
    let length = connection.read(&mut answer).await.unwrap();
    String::from_utf8_lossy(&answer[..length.min(15)]).into_owned()
}

/// How long the slowest of some commands took, each on a connection of its own.
async fn slowest(authority: &str) -> Duration {
    let mut slowest = Duration::ZERO;
    for _ in 0..20 {
        let began = Instant::now();
        let answered = timeout(Duration::from_secs(20), async {
            ask(&mut TcpStream::connect(authority).await.unwrap()).await
        });
        assert_eq!(answered.await.expect("no answer"), "HTTP/1.1 200 OK");
        slowest = slowest.max(began.elapsed());
    }
    slowest
}

#[tokio::test]
async fn silent_connections_by_the_thousand_hold_nobody_up() {
    let world = start().await;
    let authority = authority(&world).await;
    // One that has been of use, as a proxy keeps it.
    let mut kept = TcpStream::connect(&authority).await.unwrap();
    assert_eq!(ask(&mut kept).await, "HTTP/1.1 200 OK");
    let room = usize::try_from(descriptors::raise_limit()).unwrap() - 500;
    let mut silent = Vec::new();
    for more in [1_100, 8_900] {
        silent.extend(connections(&authority, more.min(room - silent.len())).await);
        let slowest = slowest(&authority).await;
        assert!(slowest < QUICK, "{} silent connections: {slowest:?}", silent.len());
    }
    assert_eq!(ask(&mut kept).await, "HTTP/1.1 200 OK", "it was given up for a silent one");
    // What commands need is there, too: Jira, the database, the way back to Slack.
    let shown = world.say("/maro track SCRUM-123").await;
    assert!(shown.starts_with("Now tracking SCRUM-123"), "{shown}");
    let log = world.process.as_ref().unwrap().log.borrow().clone();
    let told = log.iter().filter(|entry| entry["message"].to_string().contains("all connections are taken"));
    assert_eq!(told.count(), 1, "operators are told, and once");
    let none_left = log.iter().any(|entry| entry["message"] == "can't accept connections");
    assert!(!none_left, "it ran out of descriptors");
}

#[tokio::test]
async fn a_head_has_ten_seconds_and_heads_in_drips_hold_nobody_up() {
    let world = start().await;
    let authority = authority(&world).await;
    let began = Instant::now();
    let dripping = connections(&authority, 1_200).await.into_iter().map(|mut connection| {
        tokio::spawn(async move {
            connection.write_all(b"POST /slack/commands HTTP/1.1\r\nhost: bot\r\nx: ").await.ok();
            while connection.write_all(b"a").await.is_ok() {
                sleep(Duration::from_millis(500)).await;
            }
        })
    });
    let dripping: Vec<_> = dripping.collect();
    let slowest = slowest(&authority).await;
    assert!(slowest < QUICK, "{slowest:?}");
    timeout(Duration::from_secs(30), join_all(dripping)).await.expect("some are still open");
    assert!(began.elapsed() >= Duration::from_secs(9));

    // Between two requests it may be silent for longer; a second head has its ten seconds from its first byte on.
    let mut connection = TcpStream::connect(&authority).await.unwrap();
    assert_eq!(ask(&mut connection).await, "HTTP/1.1 200 OK");
    sleep(Duration::from_secs(12)).await;
    assert_eq!(ask(&mut connection).await, "HTTP/1.1 200 OK");
    connection.write_all(b"GET /").await.unwrap();
    let began = Instant::now();
    let end = timeout(Duration::from_secs(20), connection.read_to_end(&mut Vec::new())).await;
    assert!(end.is_ok() && began.elapsed() >= Duration::from_secs(9), "{:?}", began.elapsed());
}

/// The bot's memory, in MiB.
fn memory_mib(world: &World) -> u64 {
    let status = format!("/proc/{}/status", world.process.as_ref().unwrap().child.id());
    let status = std::fs::read_to_string(status).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() / 1024
}

#[tokio::test]
async fn bodies_of_strangers_hold_nobody_up_and_take_little_memory() {
    let world = start().await;
    let authority = authority(&world).await;
    let before = memory_mib(&world);
    let head = b"POST /slack/commands HTTP/1.1\r\nhost: bot\r\ncontent-length: 1000000\r\n\r\n";
    let sending = connections(&authority, 1_000).await.into_iter().map(|mut connection| {
        tokio::spawn(async move {
            let whole = [&head[..], &vec![b'a'; 999_000]].concat();
            let written = timeout(Duration::from_secs(3), connection.write_all(&whole)).await;
            // All but the end.
            sleep(Duration::from_secs(3)).await;
            let mut answer = [0; 15];
            let answered = timeout(Duration::from_secs(10), connection.read_exact(&mut answer)).await;
            (
                written.is_ok(),
                matches!(answered, Ok(Ok(_))).then(|| String::from_utf8_lossy(&answer).into_owned()),
            )
        })
    });
    let sending: Vec<_> = sending.collect();
    let slowest = slowest(&authority).await;
    assert!(slowest < QUICK, "{slowest:?}");
    let grown = memory_mib(&world).saturating_sub(before);
    assert!(grown < 256, "it grew by {grown} MiB");
    let answers: Vec<_> = join_all(sending).await.into_iter().filter_map(|sent| sent.unwrap().1).collect();
    let is_refusal = |answer: &String| ["HTTP/1.1 408 Re", "HTTP/1.1 503 Se"].contains(&answer.as_str());
    assert!(!answers.is_empty() && answers.iter().all(is_refusal), "{answers:?}");
    // Room is given back.
    let shown = world.say("/maro track SCRUM-123").await;
    assert!(shown.starts_with("Now tracking SCRUM-123"), "{shown}");
}

#[tokio::test]
async fn who_does_not_take_the_answers_is_cut_off() {
    const REQUESTS: usize = 3_000;
    let world = start().await;
    let authority = authority(&world).await;
    let mut deaf = connections(&authority, 20).await;
    for connection in &mut deaf {
        let requests = b"GET /metrics HTTP/1.1\r\nhost: bot\r\n\r\n".repeat(REQUESTS);
        // The bot takes no more requests once its answers are stuck.
        let _ = timeout(Duration::from_millis(500), connection.write_all(&requests)).await;
    }
    let slowest = slowest(&authority).await;
    assert!(slowest < QUICK, "{slowest:?}");
    // A busy machine takes a while to fill what lies between.
    let mut stuck = Vec::new();
    loop {
        let lie: Vec<u64> =
            deaf.iter().map(|connection| rustix::io::ioctl_fionread(connection).unwrap_or(0)).collect();
        if lie == stuck {
            break;
        }
        stuck = lie;
        sleep(Duration::from_secs(13)).await;
    }
    for mut connection in deaf {
        let mut answers = Vec::new();
        let end = timeout(Duration::from_secs(20), connection.read_to_end(&mut answers)).await;
        assert!(end.is_ok(), "it is still open");
        let count = String::from_utf8_lossy(&answers).matches("HTTP/1.1 200 OK").count();
        assert!(count < REQUESTS, "all were answered");
    }
}

#[tokio::test]
async fn the_soft_limit_is_raised_to_the_hard_one() {
    let mut world = World::new().await;
    let command = world.command("serve");
    let mut limited = Command::new("/bin/sh");
    limited.args(["-c", "ulimit -Sn 64 && exec \"$0\" serve"]).arg(command.get_program()).env_clear();
    limited.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    limited.current_dir(command.get_current_dir().unwrap());
    let process = Process::start(limited);
    process.logged("ready").await;
    world.serve(process).await;
    let _silent = connections(&authority(&world).await, 500).await;
    let shown = world.say("/maro track SCRUM-123").await;
    assert!(shown.starts_with("Now tracking SCRUM-123"), "{shown}");
    let limits = format!("/proc/{}/limits", world.process.as_ref().unwrap().child.id());
    let limits = std::fs::read_to_string(limits).unwrap();
    let line = limits.lines().find(|line| line.starts_with("Max open files")).unwrap();
    let numbers: Vec<&str> = line.split_whitespace().filter(|word| word.parse::<u64>().is_ok()).collect();
    assert!(numbers[0].parse::<u64>().unwrap() > 64, "{line}");
}

#[tokio::test]
async fn a_wrong_signature_and_a_wrong_clock_have_a_line_a_minute_each() {
    let world = start_with(|command| {
        command.env("JIRA_WEBHOOK_SECRET", "a webhook secret");
    })
    .await;
    let process = world.process.as_ref().unwrap();
    let address = process.address().await;
    let client = client::build(&ClientOptions::new(Trust::Nobody)).unwrap();
    let send = async |path: &str, headers: &[(&str, String)]| {
        let mut request = client.post(address.join(path).unwrap()).body(COMMAND);
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        assert_eq!(request.send().await.unwrap().status(), 401, "{path}");
    };
    let now = Clock::system().now().as_second();
    let signed = |secret: &str, at: i64| {
        let at = at.to_string();
        let signature = signature::sign(&Secret::new(secret), &at, COMMAND);
        [("x-slack-request-timestamp", at), ("x-slack-signature", signature)]
    };
    // Slack's own check of the address has no signature, and needs none.
    let check = client.post(address.join("slack/commands").unwrap()).body("ssl_check=1&token=x");
    assert_eq!(check.send().await.unwrap().status(), 200);
    assert!(!process.log.borrow().iter().any(|entry| entry["level"] == "WARN"), "{:?}", process.log.borrow());
    for _ in 0..3 {
        for path in ["slack/commands", "slack/interactions", "slack/events"] {
            send(path, &signed("another secret", now)).await;
            send(path, &signed("a signing secret", now - 400)).await;
        }
        send("jira/webhook", &[("x-hub-signature", format!("sha256={}", "0".repeat(64)))]).await;
    }
    let log = process.log.borrow().clone();
    for word in ["SLACK_SIGNING_SECRET", "JIRA_WEBHOOK_SECRET", "clock"] {
        let lines: Vec<_> = log.iter().filter(|entry| entry.to_string().contains(word)).collect();
        assert_eq!(lines.len(), 1, "{word}: {lines:?}");
        assert_eq!(lines[0]["level"], "WARN");
    }
}
