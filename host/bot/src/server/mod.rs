//! HTTP in: Slack's and Jira's addresses, health and metrics.

mod authentication;
pub(crate) mod connections;
mod jira_webhook;
mod messages;
mod operators;
pub(crate) mod slack;
pub(crate) mod state;

use std::sync::Arc;

use axum::{
    Router,
    routing::{get, post},
};

use crate::server::state::BotState;

/// The addresses of Slack and Jira, and those of operators unless they have a listener of their own.
pub(crate) fn router(state: Arc<BotState>, has_operators: bool) -> Router {
    let router = Router::new()
        .route("/slack/commands", post(slack::commands::receive))
        .route("/slack/interactions", post(slack::interactions::receive))
        .route("/slack/events", post(slack::events::receive))
        .route("/jira/webhook", post(jira_webhook::receive))
        .route("/jira/webhook/{*secret}", post(jira_webhook::receive))
        .with_state(Arc::clone(&state));
    if has_operators { router.merge(operators(state)) } else { router }
}

/// The addresses of operators.
pub(crate) fn operators(state: Arc<BotState>) -> Router {
    Router::new()
        .route("/healthz", get(operators::health::alive))
        .route("/readyz", get(operators::health::ready))
        .route("/metrics", get(operators::metrics::show))
        .with_state(state)
}
