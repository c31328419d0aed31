//! A simulated workspace, a bot in front of it, and the messages that tests send.

pub(crate) mod forms;

use std::{future::Future, sync::Arc};

use axum::{
    Router,
    body::Bytes,
    http::HeaderMap,
    response::{IntoResponse, Response},
    routing::post,
};
use maro_domain::{
    ids::{ChannelId, UserId},
    reply::{Block, Reply, Span, Visibility},
};
use maro_process::{clock::Clock, secret::Secret};
use maro_simulation::slack::{SimulatedSlack, SimulatedSlackSettings};
use maro_slack::{
    command::{self, CommandRequest, SlashCommand},
    config::SlackConfig,
    outgoing::render::Renderer,
    outgoing::response_url::ResponseUrlPolicy,
    signature::SignatureVerifier,
};
use tokio::net::TcpListener;
use url::Url;

pub(crate) const SIGNING_SECRET: &str = "8f742231b10e8888abcd99yyyzzz85a5";
pub(crate) const BOT_TOKEN: &str = "xoxb-simulation";

pub(crate) fn renderer() -> Renderer {
    Renderer::new(&Url::parse("https://example.atlassian.net").unwrap())
}

pub(crate) fn channel() -> ChannelId {
    ChannelId::parse("C0GENERAL01").unwrap()
}

pub(crate) fn caller() -> UserId {
    UserId::parse("U0ADA000001").unwrap()
}

pub(crate) fn text(text: impl Into<String>) -> Span {
    Span::Text(text.into())
}

pub(crate) fn lines(visibility: Visibility, lines: Vec<Vec<Span>>) -> Reply {
    Reply { visibility, blocks: vec![Block::Lines(lines)] }
}

pub(crate) fn config(api_url: Url) -> SlackConfig {
    SlackConfig {
        signing_secret: Some(Secret::new(SIGNING_SECRET)),
        ..SlackConfig::new(api_url, Secret::new(BOT_TOKEN))
    }
}

pub(crate) async fn start_slack(clock: Clock) -> SimulatedSlack {
    let settings = SimulatedSlackSettings {
        listen: ([127, 0, 0, 1], 0).into(),
        signing_secret: Secret::new(SIGNING_SECRET),
        bot_token: Secret::new(BOT_TOKEN),
        clock,
    };
    SimulatedSlack::start(settings).await.unwrap()
}

/// Serves a router on loopback for the rest of the test, and tells where.
pub(crate) async fn serve(router: Router) -> Url {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = Url::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    url
}

/// A bot in front of `answer`: it checks signatures and reads commands with MARO's own code.
pub(crate) async fn start_bot<F, R>(slack: &SimulatedSlack, clock: Clock, answer: F)
where
    F: Fn(Box<SlashCommand>) -> R + Send + Sync + 'static,
    R: Future<Output = Response> + Send,
{
    let verifier = SignatureVerifier::new(&Secret::new(SIGNING_SECRET));
    let policy = ResponseUrlPolicy::new(&config(slack.api_url()));
    let shared = Arc::new((verifier, policy, answer, clock));
    let handle = move |headers: HeaderMap, body: Bytes| {
        let shared = Arc::clone(&shared);
        async move {
            let (verifier, policy, answer, clock) = &*shared;
            let header = |name| headers.get(name).map(|value: &axum::http::HeaderValue| value.as_bytes());
            let timestamp = header("x-slack-request-timestamp");
            verifier.verify(timestamp, header("x-slack-signature"), &body, clock.now()).unwrap();
            match command::parse(&body, policy).unwrap() {
                CommandRequest::Command(command) => answer(command).await,
                CommandRequest::SslCheck => ().into_response(),
            }
        }
    };
    let bot = serve(Router::new().route("/slack/commands", post(handle))).await;
    slack.connect_bot(bot.join("/slack/commands").unwrap());
}

/// The HTTP answer that carries a message.
pub(crate) fn answer_with(reply: &Reply, command: &SlashCommand) -> Response {
    let message = renderer().render(reply, &command.channel, &command.user);
    ([("content-type", "application/json")], message.to_answer()).into_response()
}
