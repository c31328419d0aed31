//! HTTP in: Slack's and Jira's addresses, health and metrics.

mod answers;
mod channel_events;
pub(crate) mod connections;
mod health;
mod jira_webhook;
mod late_answers;
mod named_keys;
mod once_a_second;
mod refusals;
mod request;
mod seen_requests;
mod shared_links;
mod shown_once;
mod signed;
mod slack_addressed;
mod slack_buttons;
mod slack_commands;
mod slack_events;
mod slack_home;
mod slack_interactions;
pub(crate) mod slack_socket;
pub(crate) mod state;
mod strangers;
mod unfurled_buttons;

use std::sync::Arc;

use axum::{
    Router,
    routing::{get, post},
};

use crate::server::state::BotState;

/// The addresses of Slack and Jira, and those of operators unless they have a listener of their own.
pub(crate) fn router(state: Arc<BotState>, has_operators: bool) -> Router {
    let router = Router::new()
        .route("/slack/commands", post(slack_commands::receive))
        .route("/slack/interactions", post(slack_interactions::receive))
        .route("/slack/events", post(slack_events::receive))
        .route("/jira/webhook", post(jira_webhook::receive))
        .route("/jira/webhook/{*secret}", post(jira_webhook::receive))
        .with_state(Arc::clone(&state));
    if has_operators { router.merge(operators(state)) } else { router }
}

/// The addresses of operators.
pub(crate) fn operators(state: Arc<BotState>) -> Router {
    Router::new()
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .route("/metrics", get(health::metrics))
        .with_state(state)
}
