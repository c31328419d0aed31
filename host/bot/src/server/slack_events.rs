//! `POST /slack/events`: proves to Slack that the address is ours. MARO subscribes to no events yet.

use axum::{
    http::{StatusCode, header},
    response::{IntoResponse as _, Response},
};
use serde::Deserialize;

use crate::server::{
    signed::{Signed, SignedBody},
    state::BotState,
};

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Event {
    UrlVerification {
        challenge: String,
    },
    #[serde(other)]
    Other,
}

impl SignedBody for Event {
    const MALFORMED: &'static str = "The request is no event.\n";

    type Error = serde_json::Error;

    fn parse(_state: &BotState, body: &[u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(body)
    }
}

pub(super) async fn receive(Signed(event): Signed<Event>) -> Response {
    match event {
        Event::UrlVerification { challenge } => {
            ([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], challenge).into_response()
        }
        Event::Other => StatusCode::OK.into_response(),
    }
}
