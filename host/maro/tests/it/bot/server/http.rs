//! Requests that are not what they should be, and the addresses for operators.

use std::time::Duration;

use axum::http::StatusCode;
use maro_process::{
    clock::Clock,
    http::client::{self, ClientOptions},
    secret::Secret,
};
use maro_slack::signature;
use reqwest::{Client, RequestBuilder};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::{bot::TestBot, built_components::PluginsFolder, log::Log};

pub(crate) fn client() -> Client {
    client::build(&ClientOptions::loopback(Duration::from_secs(10))).unwrap()
}

/// A request signed with the bot's secret, as of `age` seconds ago.
pub(crate) fn signed(bot: &TestBot, path: &str, body: &[u8], age: i64) -> RequestBuilder {
    let timestamp = (Clock::system().now().as_second() - age).to_string();
    let secret = bot.config.slack.signing_secret.clone().unwrap();
    client()
        .post(bot.url(path))
        .header("content-type", "application/x-www-form-urlencoded")
        .header("x-slack-signature", signature::sign(&secret, &timestamp, body))
        .header("x-slack-request-timestamp", timestamp)
        .body(body.to_owned())
}

pub(crate) const COMMAND: &[u8] = b"command=%2Fmaro&text=tracked&channel_id=C1&user_id=U1";

pub(crate) async fn status(request: RequestBuilder) -> u16 {
    request.send().await.unwrap().status().as_u16()
}

#[tokio::test]
async fn only_what_slack_signed_lately_is_obeyed() {
    let bot = TestBot::start().await;
    assert_eq!(status(signed(&bot, "slack/commands", COMMAND, 0)).await, 200);
    assert_eq!(status(signed(&bot, "slack/commands", COMMAND, 299)).await, 200);
    assert_eq!(status(signed(&bot, "slack/commands", COMMAND, 301)).await, 401, "stale");
    assert_eq!(status(signed(&bot, "slack/commands", COMMAND, -301)).await, 401, "from the future");
    let forged = signed(&bot, "slack/commands", COMMAND, 0)
        .body("command=%2Fmaro&text=plugins&channel_id=C1&user_id=U1");
    assert_eq!(status(forged).await, 401, "another body");
    assert_eq!(status(client().post(bot.url("slack/commands")).body(COMMAND)).await, 401, "unsigned");
    let other =
        signature::sign(&Secret::new("other"), &Clock::system().now().as_second().to_string(), COMMAND);
    let request = client()
        .post(bot.url("slack/commands"))
        .header("x-slack-signature", other)
        .header("x-slack-request-timestamp", Clock::system().now().as_second().to_string());
    assert_eq!(status(request.body(COMMAND)).await, 401, "another secret");
}

#[tokio::test]
async fn malformed_requests_are_refused_by_kind() {
    let bot = TestBot::start().await;
    assert_eq!(status(signed(&bot, "slack/commands", b"", 0)).await, 400, "empty");
    assert_eq!(
        status(signed(&bot, "slack/commands", b"command=%2Fmaro&text=%ff&channel_id=C1&user_id=U1", 0)).await,
        400
    );
    assert_eq!(
        status(signed(&bot, "slack/commands", b"command=/maro&text=\xff&channel_id=C1&user_id=U1", 0)).await,
        400
    );
    assert_eq!(
        status(signed(
            &bot,
            "slack/commands",
            b"command=/maro&text=x&channel_id=%3C!channel%3E&user_id=U1",
            0
        ))
        .await,
        400
    );
    assert_eq!(status(signed(&bot, "slack/commands", &vec![b'a'; 2 * 1024 * 1024], 0)).await, 413);
    assert_eq!(status(client().get(bot.url("slack/commands"))).await, 405);
    assert_eq!(status(client().get(bot.url("nothing/here"))).await, 404);
}

#[tokio::test]
async fn an_address_with_a_slash_too_many_is_the_same_and_a_wrong_one_is_told() {
    let (log, _guard) = Log::start();
    let bot = TestBot::start().await;
    assert_eq!(status(signed(&bot, "slack/commands/", COMMAND, 0)).await, 200);
    assert_eq!(status(signed(&bot, "slack/interactions/", b"payload=x", 0)).await, 400);
    assert_eq!(status(signed(&bot, "slack/events/", b"x", 0)).await, 400);
    assert_eq!(status(client().post(bot.url("slack/command")).body(COMMAND)).await, 404);
    assert_eq!(log.lines("doesn't have"), "", "nobody signed it");
    assert_eq!(status(signed(&bot, "slack/command", COMMAND, 0)).await, 404);
    assert_eq!(log.lines("doesn't have").lines().count(), 1);
}

/// Many senders read no answer before all is sent; a reset meanwhile would hide it from them.
#[tokio::test]
async fn who_sends_too_much_can_send_all_of_it_and_is_told() {
    let bot = TestBot::start().await;
    let body = vec![b'a'; 4 * 1024 * 1024];
    let announced = format!("content-length: {}\r\n\r\n", body.len()).into_bytes();
    let chunked = format!("transfer-encoding: chunked\r\n\r\n{:x}\r\n", body.len()).into_bytes();
    for rest_of_head in [announced, chunked] {
        let mut connection = tokio::net::TcpStream::connect(bot.bot().address()).await.unwrap();
        connection.write_all(b"POST /slack/commands HTTP/1.1\r\nhost: bot\r\n").await.unwrap();
        connection.write_all(&rest_of_head).await.unwrap();
        connection.write_all(&body).await.unwrap();
        let mut answer = [0; 12];
        connection.read_exact(&mut answer).await.unwrap();
        assert_eq!(answer, *b"HTTP/1.1 413");
    }
}

#[tokio::test]
async fn slacks_checks_of_the_address_are_answered() {
    let bot = TestBot::start().await;
    let response = client().post(bot.url("slack/commands")).body("ssl_check=1&token=x").send().await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.text().await.unwrap(), "");

    let body = br#"{"type":"url_verification","challenge":"3eZbrw1aB","token":"x"}"#;
    let response = signed(&bot, "slack/events", body, 0).send().await.unwrap();
    assert_eq!(response.text().await.unwrap(), "3eZbrw1aB");
    assert_eq!(status(client().post(bot.url("slack/events")).body(&body[..])).await, 401);
    assert_eq!(status(signed(&bot, "slack/events", b"{}", 0)).await, 400);
}

#[tokio::test]
async fn a_forged_response_url_is_never_contacted() {
    let bot = TestBot::start().await;
    let trap = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http%3A%2F%2F{}%2Fcommands", trap.local_addr().unwrap());
    bot.jira.set_fault(maro_simulation::jira::faults::JiraFault::Hang);
    let body =
        format!("command=%2Fmaro&text=track+SCRUM-123&channel_id=C0GENERAL01&user_id=U1&response_url={url}");
    let response = signed(&bot, "slack/commands", body.as_bytes(), 0).send().await.unwrap();
    assert_eq!(response.text().await.unwrap(), "", "acknowledged");
    let contacted = tokio::time::timeout(Duration::from_secs(10), trap.accept()).await;
    assert!(contacted.is_err(), "the bot contacted an address out of a request");
}

#[tokio::test]
async fn operators_see_health_and_metrics() {
    let bot = TestBot::with_plugins(PluginsFolder::shipped().with_file("broken.wasm", b"?")).await;
    assert_eq!(text(&bot, "healthz").await, "ok\n");
    assert_eq!(text(&bot, "readyz").await, "ready: 3 plugins serve, 1 refused\n");
    bot.say("/maro tracked").await;
    bot.say("/maro track").await;
    status(client().post(bot.url("slack/commands")).body(COMMAND)).await;
    let metrics = text(&bot, "metrics").await;
    for line in [
        r#"maro_commands_total{subcommand="tracked",outcome="replied"} 1"#,
        r#"maro_commands_total{subcommand="track",outcome="usage"} 1"#,
        r#"maro_rejected_requests_total{reason="signature"} 1"#,
        r#"maro_invocation_seconds_count{subcommand="tracked",phase="guest"} 1"#,
        "maro_plugins_loaded 3",
        "maro_plugins_refused 1",
        "# EOF",
    ] {
        assert!(metrics.lines().any(|other| other == line), "{line} is missing in:\n{metrics}");
    }
}

pub(crate) async fn text(bot: &TestBot, path: &str) -> String {
    client().get(bot.url(path)).send().await.unwrap().text().await.unwrap()
}

#[tokio::test]
async fn idle_connections_by_the_hundred_do_no_harm() {
    let bot = TestBot::start().await;
    let mut idle = Vec::new();
    for _ in 0..300 {
        idle.push(tokio::net::TcpStream::connect(bot.bot().address()).await.unwrap());
    }
    assert_eq!(status(signed(&bot, "slack/commands", COMMAND, 0)).await, 200);
    drop(idle);
}

#[tokio::test]
async fn interactions_are_verified_like_commands_and_unknown_ones_left_alone() {
    let bot = TestBot::start().await;
    let unknown = br#"payload=%7B%22type%22%3A%22block_dance%22%2C%22user%22%3A%7B%22id%22%3A%22U1%22%7D%7D"#;
    assert_eq!(status(client().post(bot.url("slack/interactions")).body(&unknown[..])).await, 401);
    assert_eq!(status(signed(&bot, "slack/interactions", unknown, 301)).await, 401);
    let response = signed(&bot, "slack/interactions", unknown, 0).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.text().await.unwrap(), "");
    for malformed in [&b"payload=%7B"[..], b"payload=", b"other=1", b"payload=%ff"] {
        assert_eq!(status(signed(&bot, "slack/interactions", malformed, 0)).await, 400, "{malformed:?}");
    }
}

#[tokio::test]
async fn operators_may_have_an_address_of_their_own() {
    let bot = TestBot::with_settings(PluginsFolder::shipped(), |config| {
        config.operator_listen = Some(config.listen);
    })
    .await;
    let own = bot.bot().operator_address().unwrap();
    for path in ["healthz", "readyz", "metrics"] {
        assert_eq!(status(client().get(bot.url(path))).await, 404, "{path}");
        assert_eq!(status(client().get(format!("http://{own}/{path}"))).await, 200, "{path}");
    }
    assert_eq!(status(client().post(format!("http://{own}/slack/commands")).body(COMMAND)).await, 404);
    assert_eq!(status(signed(&bot, "slack/commands", COMMAND, 0)).await, 200);
}

#[tokio::test]
async fn many_who_ask_whether_the_bot_is_ready_share_one_look_at_the_database() {
    let bot = TestBot::start().await;
    let looks = async || {
        let metrics = text(&bot, "metrics").await;
        let line = r#"maro_database_calls_total{call="try_change""#;
        let count = metrics.lines().filter(|other| other.starts_with(line));
        count.filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok()).sum::<u64>()
    };
    let began = std::time::Instant::now();
    let before = looks().await;
    futures_util::future::join_all((0..200).map(|_| text(&bot, "readyz"))).await;
    let most = 2 + began.elapsed().as_secs();
    let made = looks().await - before;
    assert!((1..=most).contains(&made), "{made} looks");
}
