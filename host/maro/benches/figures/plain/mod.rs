//! The three commands as a server of their own, in a process of its own: axum and sqlx, no plugins and no
//! sandbox. It checks the same signatures, asks the same Jira, does the same to the same tables, and gives the
//! same answers.

mod jira;
mod lists;

use std::sync::Arc;

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
    routing::post,
    serve::ListenerExt as _,
};
use maro_domain::{
    issue::IssueKey,
    reply::{Block, Button, ButtonKind, Item, Maker, Reply, Span, Visibility},
};
use maro_process::{clock::Clock, secret::Secret};
use maro_slack::{
    command::{self, CommandRequest, SlashCommand},
    config::SlackConfig,
    outgoing::render::Renderer,
    outgoing::response_url::ResponseUrlPolicy,
    sealed::Sealer,
    signature::SignatureVerifier,
};
use tokio::net::TcpListener;
use url::Url;

use crate::{
    load,
    plain::{
        jira::Jira,
        lists::{Lists, Row},
    },
};

/// What makes the benchmark's own program this server.
pub(crate) const ARGUMENT: &str = "plain-server";

/// As in `plugins/tracked`.
const PAGE_SIZE: u32 = 20;

struct Server {
    lists: Lists,
    jira: Jira,
    signature: SignatureVerifier,
    renderer: Renderer,
    sealer: Sealer,
    response_urls: ResponseUrlPolicy,
}

/// Serves until it is killed.
pub(crate) fn main(arguments: &[String]) {
    let [address, database, jira] = arguments else { panic!("an address, a database and a Jira") };
    let jira = Url::parse(jira).unwrap();
    let slack = SlackConfig {
        signing_secret: Some(Secret::new(load::SIGNING_SECRET)),
        ..SlackConfig::new(jira.clone(), Secret::new("unused"))
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let sealer = Sealer::new(slack.signing_secret.as_ref().unwrap());
        let server = Server {
            lists: Lists::open(database).await,
            jira: Jira::new(&jira),
            signature: SignatureVerifier::new(slack.signing_secret.as_ref().unwrap()),
            renderer: Renderer::new(&jira).sealing_buttons(sealer.clone()),
            sealer,
            response_urls: ResponseUrlPolicy::new(&slack),
        };
        let router = Router::new().route("/slack/commands", post(receive)).with_state(Arc::new(server));
        let listener = TcpListener::bind(address).await.unwrap();
        let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
        axum::serve(listener, router).await.unwrap();
    });
}

async fn receive(State(server): State<Arc<Server>>, headers: HeaderMap, body: Bytes) -> Response {
    let header = |name: &str| headers.get(name).map(HeaderValue::as_bytes);
    let (timestamp, signature) = (header("x-slack-request-timestamp"), header("x-slack-signature"));
    if server.signature.verify(timestamp, signature, &body, Clock::system().now()).is_err() {
        return (StatusCode::UNAUTHORIZED, "The request is not signed by Slack.\n").into_response();
    }
    let Ok(CommandRequest::Command(command)) = command::parse(&body, &server.response_urls) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let (name, words) = command.text.split_once(' ').unwrap_or((&command.text, ""));
    let keys: Vec<_> = words.split(' ').filter_map(|word| IssueKey::parse(word).ok()).collect();
    let reply = match name {
        "tracked" => tracked(&server, &command).await,
        "track" => track(&server, &command, &keys).await,
        "untrack" => untrack(&server, &command, &keys).await,
        _ => return StatusCode::BAD_REQUEST.into_response(),
    };
    let mut message = server.renderer.render(&reply, &command.channel, &command.user);
    if name == "tracked" {
        message = message.redrawn_by(&command.text, &server.sealer);
    }
    ([(header::CONTENT_TYPE, "application/json; charset=utf-8")], message.to_answer()).into_response()
}

async fn tracked(server: &Server, command: &SlashCommand) -> Reply {
    let mut rows = server.lists.first(&command.channel, PAGE_SIZE + 1).await;
    let more = rows.len() > PAGE_SIZE as usize;
    rows.truncate(PAGE_SIZE as usize);
    if rows.is_empty() {
        let nothing = vec![text("No Jira issues are tracked in "), Span::Channel, text(" yet.")];
        return Reply { visibility: Visibility::Caller, blocks: vec![Block::Paragraph(nothing)] };
    }
    let heading = vec![text("Tracked Jira issues in "), Span::Channel, text(":")];
    let count = if more { server.lists.count(&command.channel).await } else { 0 };
    let mut heading = vec![heading];
    if more {
        heading.push(vec![text(&format!("{count} issues, {count} open"))]);
    }
    let share = Button { maker: Maker::Host, ..button("Share with channel", "tracked share".to_owned()) };
    let mut blocks = vec![Block::Titled(heading, share)];
    blocks.push(Block::Items(rows.into_iter().map(item).collect()));
    if more {
        let pages = count.cast_unsigned().div_ceil(u64::from(PAGE_SIZE));
        let place = text(&format!("Page 1 of {pages}"));
        let next = vec![text("Next: "), Span::Code("/maro tracked 2".to_owned())];
        blocks.push(Block::Lines(vec![vec![place], next]));
        let next = Button { kind: ButtonKind::TurnsPage, ..button("Next page", "tracked 2".to_owned()) };
        blocks.push(Block::Buttons(vec![next]));
    }
    Reply { visibility: Visibility::Caller, blocks }
}

fn button(label: &str, command: String) -> Button {
    let label = label.to_owned();
    Button {
        label,
        command,
        kind: ButtonKind::Runs,
        maker: Maker::Plugin("tracked".into()),
        question: None,
        is_confirmed_first: false,
    }
}

fn item((key, summary, status): Row) -> Item {
    let (summary, status) = (summary.unwrap_or_default(), status.unwrap_or_default());
    let button = button("Stop tracking", format!("untrack {key}"));
    let issue = Span::Issue(IssueKey::from_string(key).unwrap());
    Item { spans: vec![issue, text(&format!(": {summary} ({status})"))], button: Some(button) }
}

async fn track(server: &Server, command: &SlashCommand, keys: &[IssueKey]) -> Reply {
    let issues = server.jira.issues(keys).await;
    let added = server.lists.add(&command.channel, &command.user, &issues).await;
    let changed = added.contains(&true);
    let lines = issues.into_iter().zip(added).map(|(issue, is_new)| match is_new {
        true => {
            let details = format!(": {} ({})", issue.summary, issue.status);
            vec![text("Now tracking "), Span::Issue(issue.key), text(&details)]
        }
        false => vec![Span::Issue(issue.key), text(" is already tracked in this channel")],
    });
    said(changed, lines.collect())
}

async fn untrack(server: &Server, command: &SlashCommand, keys: &[IssueKey]) -> Reply {
    let removed = server.lists.remove(&command.channel, keys).await;
    let changed = removed.contains(&true);
    let lines = keys.iter().zip(removed).map(|(key, was_there)| match was_there {
        true => vec![text("Stopped tracking "), Span::Issue(key.clone())],
        false => vec![Span::Issue(key.clone()), text(" is not tracked in this channel")],
    });
    said(changed, lines.collect())
}

fn said(changed: bool, lines: Vec<Vec<Span>>) -> Reply {
    let mut blocks = vec![Block::Lines(lines)];
    if !changed {
        return Reply { visibility: Visibility::Caller, blocks };
    }
    blocks.push(Block::Context(vec![text("By "), Span::Caller]));
    Reply { visibility: Visibility::Channel, blocks }
}

fn text(text: &str) -> Span {
    Span::Text(text.to_owned())
}
