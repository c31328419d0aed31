//! What operators' machines ask: alive, ready, metrics.

use std::{sync::Arc, time::Duration};

use axum::{
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use jiff::{SignedDuration, Timestamp};
use tokio::time::timeout;

use crate::server::state::BotState;
use maro_slack::socket::CONNECTIONS;
use maro_store::database::inspection::PoolStatus;

/// How long the database may take before it counts as gone.
const DATABASE_PATIENCE: Duration = Duration::from_secs(2);

/// The ages by which open intents are counted: younger than these, and older than the last.
const AGES: [SignedDuration; 3] =
    [SignedDuration::from_mins(1), SignedDuration::from_mins(10), SignedDuration::from_hours(1)];
const AGE_NAMES: [&str; 4] = ["under_1m", "under_10m", "under_1h", "over_1h"];

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
    if let Err(problem) = state.looks.readiness.get(database_problem(&state)).await {
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

pub(crate) async fn metrics(State(state): State<Arc<BotState>>) -> Response {
    state.plugins.registry.observe();
    observe_database(&state).await;
    if let Some(connected) = state.slack.connected_sockets() {
        state.metrics.set_slack_sockets(connected, CONNECTIONS);
    }
    state.metrics.credentials.set_jira(state.jira.token_lasts());
    state.metrics.credentials.set_slack(state.slack.web_api.token_lasts());
    let content_type = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, content_type)], state.metrics.render()).into_response()
}

/// Measures what isn't counted as it happens.
async fn observe_database(state: &BotState) {
    let metrics = &state.metrics;
    if let Some(pool) = state.stores.connections() {
        let PoolStatus { in_use, idle, waiting, max } = pool;
        metrics.set_database_connections(&[
            ("in_use", in_use),
            ("idle", idle),
            ("waited_for", waiting),
            ("max", max),
        ]);
    }
    let counts = state.looks.open_intents.get(count_open_intents(state)).await;
    let by_age = counts.map(|counts| {
        let by_age: Vec<_> = AGE_NAMES.into_iter().zip(counts).collect();
        by_age
    });
    metrics.set_open_intents(by_age.as_deref());
}

async fn count_open_intents(state: &BotState) -> Option<[u64; 4]> {
    let now = state.clock.now();
    let bounds = AGES.map(|age| now.checked_sub(age).unwrap_or(Timestamp::UNIX_EPOCH));
    let counted = timeout(DATABASE_PATIENCE, state.stores.intents.count_open(bounds)).await;
    counted.ok().and_then(Result::ok)
}
