//! `/metrics`: what was counted as it happened, and what is measured when somebody asks.

use std::sync::Arc;

use axum::{
    extract::State,
    http::header,
    response::{IntoResponse as _, Response},
};
use jiff::{SignedDuration, Timestamp};
use tokio::time::timeout;

use crate::server::{operators::DATABASE_PATIENCE, state::BotState};
use maro_slack::socket::kept_connections::CONNECTIONS;
use maro_store::database::inspection::PoolStatus;

/// The ages by which open intents are counted: younger than these, and older than the last.
const AGES: [SignedDuration; 3] =
    [SignedDuration::from_mins(1), SignedDuration::from_mins(10), SignedDuration::from_hours(1)];
const AGE_NAMES: [&str; 4] = ["under_1m", "under_10m", "under_1h", "over_1h"];

pub(crate) async fn show(State(state): State<Arc<BotState>>) -> Response {
    state.plugins.registry.observe();
    measure_database_and_intents(&state).await;
    if let Some(connected) = state.slack.connected_sockets() {
        state.metrics.set_slack_sockets(connected, CONNECTIONS);
    }
    state.metrics.credentials.set_jira(state.jira.token_lasts());
    state.metrics.credentials.set_slack(state.slack.web_api.token_lasts());
    let content_type = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, content_type)], state.metrics.render()).into_response()
}

/// Measures what isn't counted as it happens.
async fn measure_database_and_intents(state: &BotState) {
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
    let counts = state.operator_answers.open_intents.get(count_open_intents(state)).await;
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
