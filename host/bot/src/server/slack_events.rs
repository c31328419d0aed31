//! `POST /slack/events`: proves to Slack that the address is ours. MARO subscribes to no events yet.

use std::sync::Arc;

use axum::{
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse as _, Response},
};
use serde::Deserialize;

use crate::server::{
    signed::{Signed, SignedBody},
    state::BotState,
    strangers,
};
use maro_slack::sender::Sender;

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Event {
    UrlVerification {
        challenge: String,
    },
    #[serde(rename = "event_callback")]
    Callback {
        #[serde(flatten)]
        sender: EventSender,
    },
    #[serde(other)]
    Other,
}

/// Whose event it is.
#[derive(Deserialize)]
pub(super) struct EventSender {
    team_id: Option<String>,
    enterprise_id: Option<String>,
    event: Option<EventUser>,
}

#[derive(Deserialize)]
struct EventUser {
    user_team: Option<String>,
}

impl SignedBody for Event {
    const MALFORMED: &'static str = "The request is no event.\n";

    type Error = serde_json::Error;

    /// MARO does nothing about events, and Slack repeats what it takes for lost.
    fn may_come_again(&self) -> bool {
        true
    }

    fn parse(_state: &BotState, body: &[u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(body)
    }
}

pub(super) async fn receive(State(state): State<Arc<BotState>>, Signed(event, _): Signed<Event>) -> Response {
    match event {
        Event::UrlVerification { challenge } => {
            ([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], challenge).into_response()
        }
        Event::Callback { sender: EventSender { team_id, enterprise_id, event } } => {
            let user_team = event.and_then(|event| event.user_team);
            let sender = Sender { team: team_id, user_team, enterprise: enterprise_id };
            // Counts those of other workspaces. MARO acts on no events.
            let _ = strangers::admit(&state, &sender).await;
            StatusCode::OK.into_response()
        }
        Event::Other => StatusCode::OK.into_response(),
    }
}
