//! `POST /slack/events`: proves to Slack that the address is ours, and hears what becomes of channels, what people
//! say to MARO, and which links they share.

use std::sync::Arc;

use axum::{
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse as _, Response},
};
use serde::Deserialize;

use crate::server::{
    authentication::{
        signed::{Signed, SignedBody},
        strangers,
    },
    messages::{named_keys, shared_links, to_maro},
    slack::{channel_events, home},
    state::BotState,
};
use maro_slack::events::{
    channel_event::ChannelEvent,
    event::{News, SlackEvent},
};

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum EventRequest {
    UrlVerification {
        challenge: String,
    },
    #[serde(rename = "event_callback")]
    Callback(Box<SlackEvent>),
    #[serde(other)]
    Other,
}

impl SignedBody for EventRequest {
    const ADDRESS: &'static str = "/slack/events";
    const MALFORMED: &'static str = "The request isn't an event.\n";

    type Error = serde_json::Error;

    /// What changes something does so once for each event's id, and Slack repeats what it takes for lost.
    fn may_come_again(&self) -> bool {
        true
    }

    fn parse(_state: &BotState, body: &[u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(body)
    }
}

pub(crate) async fn receive(
    State(state): State<Arc<BotState>>,
    Signed(request, _): Signed<EventRequest>,
) -> Response {
    match request {
        EventRequest::UrlVerification { challenge } => {
            ([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], challenge).into_response()
        }
        EventRequest::Callback(event) => match begin(&state, *event).await {
            // Until it is written down, Slack has to send it again.
            Some(event) if channel_events::follow(&state, &event).await.is_err() => {
                StatusCode::SERVICE_UNAVAILABLE.into_response()
            }
            _ => StatusCode::OK.into_response(),
        },
        EventRequest::Other => StatusCode::OK.into_response(),
    }
}

/// Begins whatever Slack needn't wait for, and refuses what a stranger says. Returns what is left: what became of a
/// channel has to be written down.
pub(super) async fn begin(state: &Arc<BotState>, event: SlackEvent) -> Option<ChannelEvent> {
    let Some(news) = event.news else {
        tracing::debug!(kind = event.kind, "an event was left alone");
        return None;
    };
    let Ok(foreign_team) = strangers::admit(state, &event.sender).await else {
        if let News::Addressed(said) = news {
            strangers::refuse_said(state, said);
        }
        return None;
    };
    let bot = Arc::clone(state);
    match news {
        News::OfChannel(event) => return Some(event),
        News::Addressed(said) => state.tasks.spawn(to_maro::answer(bot, said, foreign_team)),
        News::Home(opened) => state.tasks.spawn(home::show(bot, opened)),
        News::Links(links) => state.tasks.spawn(shared_links::show(bot, links)),
        News::Named(named) => state.tasks.spawn(named_keys::answer(bot, named)),
    };
    None
}
