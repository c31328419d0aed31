//! The simulated workspace behaves like Slack towards a bot made of MARO's own parts.

use std::{sync::Arc, time::Duration};

use axum::response::IntoResponse;
use jiff::Timestamp;
use maro_domain::reply::{Block, Reply, Span, Visibility};
use maro_process::{
    clock::Clock,
    http::client::{self, ClientOptions, Trust},
};
use maro_simulation::slack::shown::history::Author;
use maro_slack::outgoing::response_url::ResponseUrlClient;
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};

use crate::support::{
    BOT_TOKEN, answer_with, caller, channel, lines, renderer, start_bot, start_slack, text,
};

const PATIENCE: Duration = Duration::from_secs(20);

fn client() -> Client {
    client::build(&ClientOptions::new(Trust::Nobody)).unwrap()
}

fn echo(typed: &str, visibility: Visibility) -> Reply {
    let line = vec![Span::Caller, text(" said "), Span::Code(typed.to_owned()), text(" in "), Span::Channel];
    Reply { visibility, blocks: vec![Block::Paragraph(line)] }
}

#[tokio::test]
async fn a_command_arrives_signed_with_every_field() {
    let clock = Clock::stopped(Timestamp::from_second(1_700_000_000).unwrap());
    let slack = start_slack(clock.clone()).await;
    start_bot(&slack, clock, |command| async move {
        assert_eq!(command.command, "/maro");
        assert_eq!(command.text, "track SCRUM-1,\nscrum-2 <https://x/browse/A-1|A-1> 100% ü+&amp;=");
        assert_eq!(command.channel.as_str(), "C0LAUNCH001");
        assert_eq!(command.channel_name.as_deref(), Some("privategroup"));
        assert_eq!(command.user.as_str(), "U0GRACE0001");
        assert_eq!(command.team_id.as_deref(), Some("T0SIMULATED"));
        assert!(command.trigger_id.is_some() && command.response_url.is_some());
        answer_with(&echo("it", Visibility::Caller), &command)
    })
    .await;
    let typed = "/maro track SCRUM-1,\nscrum-2 <https://x/browse/A-1|A-1> 100% ü+&=";
    let invocation = slack.send_command("#launch", "@grace", typed).await.unwrap();
    assert_eq!(invocation.immediate[0].text, "<@U0GRACE0001> said `it` in <#C0LAUNCH001>");
    assert_eq!(slack.problems(), Vec::<String>::new());
    slack.stop().await;
}

#[tokio::test]
async fn a_private_answer_is_seen_by_its_caller_and_a_shared_one_by_all() {
    let slack = start_slack(Clock::system()).await;
    start_bot(&slack, Clock::system(), |command| async move {
        let visibility = if command.text == "share" { Visibility::Channel } else { Visibility::Caller };
        answer_with(&echo(&command.text, visibility), &command)
    })
    .await;
    slack.send_command("general", "ada", "/maro hide").await.unwrap();
    slack.send_command("general", "ada", "/maro share").await.unwrap();
    assert_eq!(slack.messages_seen_by("ada", "general").len(), 2);
    assert_eq!(slack.messages_seen_by("linus", "general").len(), 1);
    assert_eq!(slack.messages_seen_by("ada", "random").len(), 0);
}

#[tokio::test]
async fn a_late_answer_arrives_through_the_response_url() {
    let slack = start_slack(Clock::system()).await;
    let client = Arc::new(ResponseUrlClient::default());
    start_bot(&slack, Clock::system(), move |command| {
        let client = Arc::clone(&client);
        async move {
            tokio::spawn(async move {
                let reply = echo(&command.text, Visibility::Channel);
                let message = renderer().render(&reply, &command.channel, &command.user);
                client.post(command.response_url.as_ref().unwrap(), &message).await.unwrap();
            });
            ().into_response()
        }
    })
    .await;
    let shown = slack.run_command("dm", "ada", "/maro slow", PATIENCE).await.unwrap();
    assert_eq!(shown.len(), 1);
    assert!(shown[0].is_delayed);
    assert_eq!(shown[0].text, "<@U0ADA000001> said `slow` in this conversation");
    assert_eq!(shown[0].visible_to, None);
}

#[tokio::test]
async fn a_silent_bot_makes_slack_say_so_after_three_seconds() {
    let slack = start_slack(Clock::system()).await;
    start_bot(&slack, Clock::system(), |_| std::future::pending()).await;
    let shown = slack.send_command("general", "ada", "/maro tracked").await.unwrap().immediate;
    assert_eq!(shown[0].author, Author::Slack);
    assert_eq!(shown[0].text, "/maro failed with the error \"operation_timeout\"");
}

#[tokio::test]
async fn a_failing_or_babbling_bot_is_shown_as_slack_shows_it() {
    let slack = start_slack(Clock::system()).await;
    start_bot(&slack, Clock::system(), |command| async move {
        match command.text.as_str() {
            "500" => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
            "401" => StatusCode::UNAUTHORIZED.into_response(),
            "plain" => "just *text*".into_response(),
            "json" => ([("content-type", "application/json")], "{").into_response(),
            _ => {
                let block = json!({"type": "section", "text": {"type": "mrkdwn", "text": "x".repeat(3_001)}});
                let payload = json!({"text": "x", "blocks": [block]});
                ([("content-type", "application/json")], payload.to_string()).into_response()
            }
        }
    })
    .await;
    for (typed, shown) in [
        ("500", "/maro failed with the error \"http_service_error\""),
        ("401", "/maro failed with the error \"http_client_error\""),
        ("plain", "just *text*"),
        ("json", "/maro failed with the error \"invalid_command_response\""),
        ("blocks", "/maro failed with the error \"invalid_command_response\""),
    ] {
        let invocation = slack.send_command("general", "ada", &format!("/maro {typed}")).await.unwrap();
        assert_eq!(invocation.immediate[0].text, shown);
    }
    assert_eq!(
        slack.problems(),
        [
            "The answer to a command is neither JSON nor text.",
            "invalid_blocks: /blocks/0/text has 3001 characters, at most 3000."
        ]
    );
}

#[tokio::test]
async fn a_response_url_takes_five_messages_within_half_an_hour() {
    let start = Timestamp::from_second(1_700_000_000).unwrap();
    let clock = Clock::stopped(start);
    let slack = start_slack(clock.clone()).await;
    let urls = Arc::new(std::sync::Mutex::new(Vec::new()));
    let seen = Arc::clone(&urls);
    let take = move |body: axum::body::Bytes| async move {
        let url = url::form_urlencoded::parse(&body)
            .find(|(name, _)| name == "response_url")
            .map(|(_, url)| url.into_owned());
        seen.lock().unwrap().extend(url);
    };
    let bot = crate::support::serve(axum::Router::new().fallback(axum::routing::post(take))).await;
    slack.connect_bot(bot);
    slack.send_command("general", "ada", "/maro one").await.unwrap();
    slack.send_command("general", "ada", "/maro two").await.unwrap();
    let (first, second) = {
        let urls = urls.lock().unwrap();
        (urls[0].clone(), urls[1].clone())
    };
    let post = async |url: &str| {
        let request = client().post(url).header("content-type", "application/json");
        request.body(r#"{"text":"hello"}"#).send().await.unwrap().status()
    };
    for _ in 0..5 {
        assert_eq!(post(&first).await, StatusCode::OK);
    }
    assert_eq!(post(&first).await, StatusCode::NOT_FOUND);
    assert_eq!(post(&second).await, StatusCode::OK);
    assert_eq!(post(&format!("{second}x")).await, StatusCode::NOT_FOUND);
    clock.set(start + jiff::SignedDuration::from_mins(30));
    assert_eq!(post(&second).await, StatusCode::NOT_FOUND);
    assert_eq!(slack.messages().len(), 6);
    assert_eq!(slack.problems().len(), 3);
}

#[tokio::test]
async fn the_web_api_wants_the_bots_token() {
    let slack = start_slack(Clock::system()).await;
    let call = async |method: &str, token: Option<&str>| -> Value {
        let mut request = client().post(format!("{}/{method}", slack.api_url()));
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        serde_json::from_slice(&response.bytes().await.unwrap()).unwrap()
    };
    assert_eq!(call("api.test", None).await, json!({"ok": true}));
    assert_eq!(call("auth.test", None).await["error"], "not_authed");
    assert_eq!(call("auth.test", Some("xoxb-other")).await["error"], "invalid_auth");
    assert_eq!(call("chat.nonsense", Some(BOT_TOKEN)).await["error"], "unknown_method");
    let answer = call("auth.test", Some(BOT_TOKEN)).await;
    assert_eq!((&answer["ok"], &answer["team_id"]), (&json!(true), &json!("T0SIMULATED")));
}

#[tokio::test]
async fn only_the_operator_of_this_session_may_type() {
    let slack = start_slack(Clock::system()).await;
    let address = slack.url().join("/simulation/acts").unwrap();
    let body = json!({"channel": "general", "user": "ada", "acts": [{"command": {"text": "/maro help"}}]})
        .to_string();
    let request = |token: &str, host: Option<&str>| {
        let request =
            client().post(address.clone()).header("x-maro-simulation-token", token).body(body.clone());
        match host {
            Some(host) => request.header("host", host),
            None => request,
        }
    };
    let token = slack.operator_token().expose();
    let port = slack.url().port().unwrap();
    for (token, host, status) in [
        ("", None, StatusCode::FORBIDDEN),
        ("guess", None, StatusCode::FORBIDDEN),
        (token, Some("evil.example"), StatusCode::MISDIRECTED_REQUEST),
        // It is admitted; only the bot is missing.
        (token, None, StatusCode::SERVICE_UNAVAILABLE),
        (token, Some(&format!("localhost:{port}")), StatusCode::SERVICE_UNAVAILABLE),
    ] {
        assert_eq!(request(token, host).send().await.unwrap().status(), status);
    }
}

#[test]
fn a_message_with_a_flaw_is_found_out() {
    use maro_simulation::slack::checks::message_problems;

    let section = |text: &str| json!({"type": "section", "text": {"type": "mrkdwn", "text": text}});
    for (payload, flaw) in [
        (json!([]), "a JSON object"),
        (json!({}), "no_text"),
        (json!({"text": ""}), "no_text"),
        (json!({"text": "x", "response_type": "public"}), "response_type"),
        (json!({"text": "x", "replace_original": "false"}), "replace_original"),
        (json!({"text": "x".repeat(40_001)}), "40001 characters"),
        (json!({"text": "x", "blocks": vec![section("x"); 51]}), "51 blocks"),
        (json!({"text": "x", "blocks": [section("")]}), "empty text"),
        (json!({"text": "x", "blocks": [section(" \n")]}), "blank text"),
        (json!({"text": "x", "blocks": [section(&"🦀".repeat(1_501))]}), "3002 characters"),
        (json!({"text": "x", "blocks": vec![section(&"x".repeat(2_999)); 5]}), "msg_blocks_too_long"),
        (json!({"text": "x", "blocks": [{"type": "section"}]}), "neither text nor fields"),
        (json!({"text": "x", "blocks": [{"type": "sektion"}]}), "unknown type"),
        (json!({"blocks": [section("x")]}), "text is missing"),
    ] {
        let problems = message_problems(&payload).join(" ");
        assert!(problems.contains(flaw), "{flaw}: {problems:?}");
    }
    let message =
        renderer().render(&lines(Visibility::Caller, vec![vec![text("fine")]]), &channel(), &caller());
    assert!(message_problems(&serde_json::from_slice(&message.to_answer()).unwrap()).is_empty());
}
