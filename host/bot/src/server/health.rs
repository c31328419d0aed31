//! What operators' machines ask: alive, ready, metrics.

use std::{sync::Arc, time::Duration};

use axum::{
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use tokio::time::timeout;

use crate::server::state::BotState;
use maro_process::telemetry::error_chain;

/// How long the database may take before it counts as gone.
const DATABASE_PATIENCE: Duration = Duration::from_secs(2);

pub(super) async fn alive() -> &'static str {
    "ok\n"
}

pub(super) async fn ready(State(state): State<Arc<BotState>>) -> Response {
    if !state.plugins.are_loaded() {
        return (StatusCode::SERVICE_UNAVAILABLE, "plugins are loading\n").into_response();
    }
    match timeout(DATABASE_PATIENCE, state.tracker.try_change()).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => {
            tracing::warn!(error = error_chain(&error), "not ready");
            return (StatusCode::SERVICE_UNAVAILABLE, "the database is unavailable\n").into_response();
        }
        Err(_) => {
            return (StatusCode::SERVICE_UNAVAILABLE, "the database does not answer\n").into_response();
        }
    }
    let plugins = state.plugins.registry.plugins();
    let (serving, refused) = (plugins.all().count(), plugins.refused.len());
    (StatusCode::OK, format!("ready: {serving} plugins serve, {refused} refused\n")).into_response()
}

pub(super) async fn metrics(State(state): State<Arc<BotState>>) -> Response {
    state.plugins.registry.observe();
    let content_type = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, content_type)], state.metrics.render()).into_response()
}
