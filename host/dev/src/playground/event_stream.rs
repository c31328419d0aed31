//! `GET /live`: everything that the page shows, as server-sent events. A stream starts with everything, or,
//! for a page that lost its connection, with what is new. After that, it sends each change.

use std::{collections::BTreeMap, collections::VecDeque, convert::Infallible, sync::Arc, time::Duration};

use axum::{
    extract::State,
    http::HeaderMap,
    response::{
        Sse,
        sse::{Event, KeepAlive},
    },
};
use futures_util::{Stream, StreamExt as _, stream};
use serde_json::{Value, json};
use tokio::sync::{broadcast, watch};

use crate::{
    builds::BuildState,
    playground::{failing_endpoints, failure::JiraFailure, plugins, shapes, state::PlaygroundState, time},
};
use maro_runtime::plugin_changes::PluginEvent;

/// How often the plugins are polled: their figures change without an event.
const LOOK_INTERVAL: Duration = Duration::from_millis(500);

/// How long a browser waits before it reconnects.
const RETRY: Duration = Duration::from_secs(1);

/// What one page knows already, and what has yet to be sent to it.
struct LiveView {
    shared: Arc<PlaygroundState>,
    slack: watch::Receiver<u64>,
    jira: watch::Receiver<u64>,
    builds: watch::Receiver<BTreeMap<String, BuildState>>,
    plugins: broadcast::Receiver<PluginEvent>,
    /// The page knows the messages up to this revision.
    revision: u64,
    /// What was last sent, by the event's name.
    sent: BTreeMap<&'static str, Value>,
    pending: VecDeque<Event>,
}

pub(super) async fn stream(
    State(shared): State<Arc<PlaygroundState>>,
    headers: HeaderMap,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let known = headers.get("last-event-id").and_then(|id| id.to_str().ok());
    let shutdown = shared.shutdown.clone();
    let view = LiveView::new(shared, known);
    let events = stream::unfold(view, |mut view| async { Some((Ok(view.next().await), view)) });
    Sse::new(events.take_until(shutdown.cancelled_owned())).keep_alive(KeepAlive::default())
}

impl LiveView {
    /// `last_event_id` is the last event that a page received before its connection broke.
    fn new(shared: Arc<PlaygroundState>, last_event_id: Option<&str>) -> Self {
        let playground = &shared.playground;
        let known = last_event_id.and_then(|id| {
            let (session, revision) = id.split_once('-')?;
            (session == shared.session).then(|| revision.parse().ok())?
        });
        let mut view = Self {
            slack: playground.slack.watch(),
            jira: playground.jira.watch(),
            builds: playground.builds.watch(),
            plugins: playground.registry.events().subscribe().1,
            revision: known.unwrap_or(0),
            sent: BTreeMap::new(),
            pending: VecDeque::new(),
            shared,
        };
        let workspace = shapes::workspace(&view.shared);
        view.pending.push_back(event("workspace", &workspace).retry(RETRY));
        view.send_messages(known.is_none());
        view.look();
        view
    }

    async fn next(&mut self) -> Event {
        loop {
            if let Some(event) = self.pending.pop_front() {
                return event;
            }
            // Whichever it was, even the end of a watch, everything is checked.
            tokio::select! {
                _ = self.slack.changed() => self.send_messages(false),
                _ = self.jira.changed() => {}
                _ = self.builds.changed() => {}
                _ = self.plugins.recv() => {}
                () = tokio::time::sleep(LOOK_INTERVAL) => {}
            }
            self.look();
        }
    }

    fn send_messages(&mut self, is_whole: bool) {
        let changes = self.shared.playground.slack.message_changes(self.revision);
        if !is_whole && changes.revision == self.revision {
            return;
        }
        self.revision = changes.revision;
        let id = format!("{}-{}", self.shared.session, self.revision);
        self.pending.push_back(event("messages", &shapes::messages(&changes, is_whole)).id(id));
    }

    /// Checks everything that is sent as a whole, and sends what has changed.
    fn look(&mut self) {
        let playground = &self.shared.playground;
        let jira = &playground.jira;
        let now = [
            ("modals", shapes::modals(playground)),
            ("homes", shapes::homes(playground)),
            ("time", time::shape(&playground.clock)),
            (
                "jira",
                json!({
                    "issues": jira.issues(),
                    "failure": JiraFailure::of(jira),
                    "failing": failing_endpoints::failing(jira),
                }),
            ),
            ("plugins", plugins::plugins(&playground.registry.plugins())),
            ("events", plugins::events(&playground.registry.events().subscribe().0)),
            ("builds", plugins::builds(&self.builds.borrow())),
            ("problems", json!(playground.slack.problems())),
        ];
        for (name, value) in now {
            if self.sent.get(name) != Some(&value) {
                self.pending.push_back(event(name, &value));
                self.sent.insert(name, value);
            }
        }
    }
}

fn event(name: &str, data: &Value) -> Event {
    Event::default().event(name).data(data.to_string())
}
