//! `POST /time`: turns the workspace's clock forward, so that what happens later can be seen at once.

use std::sync::Arc;

use axum::{body::Bytes, extract::State, http::StatusCode, response::Response};
use jiff::SignedDuration;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::playground::{answers, state::PlaygroundState};
use maro_process::clock::Clock;

/// The furthest that a clock is turned in all: ten years.
const MAX_AHEAD: SignedDuration = SignedDuration::from_hours(10 * 366 * 24);

#[derive(Debug, Deserialize)]
struct Turn {
    forward_minutes: u32,
}

pub(super) async fn turn(State(shared): State<Arc<PlaygroundState>>, body: Bytes) -> Response {
    let Ok(Turn { forward_minutes }) = serde_json::from_slice::<Turn>(&body) else {
        return answers::refusal(StatusCode::BAD_REQUEST, "The body must be JSON with forward_minutes.");
    };
    let clock = &shared.playground.clock;
    let by = SignedDuration::from_mins(i64::from(forward_minutes));
    if clock.ahead() + by > MAX_AHEAD {
        let sentence = "The clock can be turned forward by ten years at most.";
        return answers::refusal(StatusCode::UNPROCESSABLE_ENTITY, sentence);
    }
    clock.turn_forward(by);
    answers::json(StatusCode::OK, &shape(clock))
}

/// How far it is ahead, as the page shows it.
pub(super) fn shape(clock: &Clock) -> Value {
    json!({ "ahead_seconds": clock.ahead().as_secs() })
}
