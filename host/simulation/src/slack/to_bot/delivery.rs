//! Sends signed requests to the bot and takes its answers within Slack's three seconds. Uses HTTP, or a
//! socket once the bot has opened one.

use axum::http::{StatusCode, header};
use reqwest::Response;

use crate::slack::{
    random::random_text,
    sockets,
    state::WorkspaceState,
    to_bot::parcel::{self, BotAnswer, NoAnswer, Parcel},
};
use maro_slack::signature;

/// Sends the parcel and waits up to 3 s for an answer.
pub(crate) async fn deliver(shared: &WorkspaceState, parcel: &Parcel) -> Result<BotAnswer, NoAnswer> {
    if let Parcel::Interaction(payload) = parcel {
        shared.note_interaction(payload.clone());
    }
    let parcel = &parcel.marked(&random_text(16));
    if shared.sockets.are_in_use() {
        return sockets::delivery::deliver(shared, parcel).await;
    }
    let command_url = shared.command_url.read().unwrap_or_else(std::sync::PoisonError::into_inner).clone();
    let address = parcel.address(&command_url.ok_or(NoAnswer::Unreachable)?)?;
    let (content_type, body) = parcel.body();
    let timestamp = shared.settings.clock.now().as_second().to_string();
    let signature = signature::sign(&shared.settings.signing_secret, &timestamp, body.as_bytes());
    let request = shared
        .client
        .post(address)
        .header(header::CONTENT_TYPE, content_type)
        .header(header::ACCEPT, "application/json,*/*")
        .header("X-Slack-Request-Timestamp", timestamp)
        .header("X-Slack-Signature", signature)
        .body(body);
    read(request.send().await).await
}

async fn read(outcome: Result<Response, reqwest::Error>) -> Result<BotAnswer, NoAnswer> {
    let word =
        |error: reqwest::Error| if error.is_timeout() { NoAnswer::Timeout } else { NoAnswer::Unreachable };
    let response = outcome.map_err(word)?;
    match response.status() {
        StatusCode::OK => {}
        status if status.is_server_error() => return Err(NoAnswer::ServerError),
        _ => return Err(NoAnswer::ClientError),
    }
    let is_json = parcel::is_json(response.headers());
    Ok(BotAnswer { is_json, body: response.bytes().await.map_err(word)? })
}
