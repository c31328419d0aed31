//! The commands without a sandbox: the same handler, with the plugins' work done by plain functions of the
//! host. What it costs more to have plugins is the difference to this.

use std::sync::Arc;

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
    routing::post,
};
use jiff::Timestamp;
use maro_domain::{
    author::Author,
    ids::ChannelId,
    issue::IssueKey,
    reply::{Block, Button, ButtonKind, Item, Maker, Reply, Span, Visibility},
    tracked::{PageRequest, TrackedIssue, UntrackOutcome},
};
use maro_process::clock::Clock;
use maro_slack::{
    command::{self, CommandRequest},
    outgoing::render::Renderer,
    outgoing::response_url::ResponseUrlPolicy,
    signature::SignatureVerifier,
};
use maro_store::tracker::ChannelIssueTracker;

/// As in `plugins/tracked`.
const PAGE_SIZE: u32 = 20;

const MAX_BODY_BYTES: usize = 1024 * 1024;

pub(crate) struct NativeBot {
    pub(crate) tracker: Arc<dyn ChannelIssueTracker>,
    pub(crate) signature: SignatureVerifier,
    pub(crate) renderer: Renderer,
    pub(crate) response_urls: ResponseUrlPolicy,
    pub(crate) clock: Clock,
}

pub(crate) fn router(bot: NativeBot) -> Router {
    Router::new().route("/slack/commands", post(receive)).with_state(Arc::new(bot))
}

async fn receive(State(bot): State<Arc<NativeBot>>, headers: HeaderMap, body: Body) -> Response {
    let body = to_bytes(body, MAX_BODY_BYTES).await.unwrap();
    let header = |name: &str| headers.get(name).map(HeaderValue::as_bytes);
    let (timestamp, signature) = (header("x-slack-request-timestamp"), header("x-slack-signature"));
    if bot.signature.verify(timestamp, signature, &body, bot.clock.now()).is_err() {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let Ok(CommandRequest::Command(command)) = command::parse(&body, &bot.response_urls) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let reply = match command.text.split_once(' ') {
        Some(("untrack", key)) => {
            let author = Author::host(&command.channel, &command.user);
            untrack(&*bot.tracker, &author, key, bot.clock.now()).await
        }
        _ => tracked(&*bot.tracker, &command.channel).await,
    };
    let message = bot.renderer.render(&reply, &command.channel, &command.user);
    ([(header::CONTENT_TYPE, "application/json; charset=utf-8")], message.to_answer()).into_response()
}

/// What `plugins/tracked` does for a first page.
pub(crate) async fn tracked(tracker: &dyn ChannelIssueTracker, channel: &ChannelId) -> Reply {
    let page = PageRequest { offset: 0, limit: PAGE_SIZE };
    let page = tracker.get_tracked_issues(channel, page).await.unwrap();
    let heading =
        vec![Span::Text("Tracked Jira issues in ".to_owned()), Span::Channel, Span::Text(":".to_owned())];
    let items = page.issues.into_iter().map(item).collect();
    Reply { visibility: Visibility::Caller, blocks: vec![Block::Paragraph(heading), Block::Items(items)] }
}

fn item(issue: TrackedIssue) -> Item {
    let summary = issue.last_jira_summary.unwrap_or_default();
    let status = issue.last_jira_status.unwrap_or_default();
    let button = Button {
        label: "Stop tracking".to_owned(),
        command: format!("untrack {}", issue.key),
        kind: ButtonKind::Runs,
        maker: Maker::Host,
        question: None,
        is_confirmed_first: false,
    };
    let spans = vec![Span::Issue(issue.key), Span::Text(format!(": {summary} ({status})"))];
    Item { spans, button: Some(button) }
}

/// What `plugins/untrack` does for one key that is not on the list.
async fn untrack(tracker: &dyn ChannelIssueTracker, author: &Author, key: &str, now: Timestamp) -> Reply {
    let key = IssueKey::parse(key).unwrap();
    let outcomes = tracker.untrack(author, std::slice::from_ref(&key), now).await.unwrap();
    assert_eq!(outcomes, [UntrackOutcome::NotTracked]);
    let line = vec![Span::Issue(key), Span::Text(" is not tracked in this channel".to_owned())];
    Reply { visibility: Visibility::Caller, blocks: vec![Block::Lines(vec![line])] }
}
