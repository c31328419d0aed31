//! `/healthz` and `/readyz`: whether the process is alive, and whether it can serve.

use std::sync::Arc;

use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use tokio::time::timeout;

use crate::server::{operators::DATABASE_PATIENCE, state::BotState};

pub(crate) async fn alive() -> &'static str {
    "ok\n"
}

pub(crate) async fn ready(State(state): State<Arc<BotState>>) -> Response {
    if state.draining.is_cancelled() {
        return (StatusCode::SERVICE_UNAVAILABLE, "MARO is stopping\n").into_response();
    }
    if !state.plugins.are_loaded() {
        let plugins = state.plugins.registry.plugins();
        let left = match plugins.are_listed() {
            true => format!("plugins are loading: {} left\n", plugins.loading.len()),
            false => "plugins are loading\n".to_owned(),
        };
        return (StatusCode::SERVICE_UNAVAILABLE, left).into_response();
    }
    if let Err(problem) = state.operator_answers.readiness.get(database_problem(&state)).await {
        return (StatusCode::SERVICE_UNAVAILABLE, problem).into_response();
    }
    if state.slack.connected_sockets() == Some(0) {
        return (StatusCode::SERVICE_UNAVAILABLE, "there is no connection to Slack\n").into_response();
    }
    let registry = &state.plugins.registry;
    let plugins = registry.plugins();
    let (serving, refused) = (plugins.all().count(), plugins.refused.len());
    let mut text = format!("ready: {serving} plugins serve, {refused} refused\n");
    if let Some(problem) = registry.folder_problem() {
        // What is loaded keeps serving, so requests may come.
        text += &format!("the plugins folder can't be read: {problem}\n");
    }
    (StatusCode::OK, text).into_response()
}

async fn database_problem(state: &BotState) -> Result<(), &'static str> {
    match timeout(DATABASE_PATIENCE, state.tracker.try_change()).await {
        Ok(Ok(())) => Ok(()),
        // Logged once, where every call of the database passes.
        Ok(Err(_)) => Err("the database is unavailable\n"),
        Err(_) => Err("the database does not answer\n"),
    }
}
