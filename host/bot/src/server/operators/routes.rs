//! The addresses of operators, for `MARO_OPERATOR_LISTEN` or beside Slack's and Jira's.

use std::sync::Arc;

use axum::{Router, routing::get};

use crate::server::{
    operators::{health, metrics},
    state::BotState,
};

pub(crate) fn router(state: Arc<BotState>) -> Router {
    Router::new()
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .route("/metrics", get(metrics::show))
        .with_state(state)
}
