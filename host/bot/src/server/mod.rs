//! HTTP in: Slack's and Jira's addresses. Those of operators are in `operators/routes.rs`.

mod authentication;
pub(crate) mod connections;
mod jira_webhook;
mod messages;
pub(crate) mod operators;
pub(crate) mod slack;
pub(crate) mod state;

use std::sync::Arc;

use axum::{Router, routing::post};

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
    if has_operators { router.merge(operators::routes::router(state)) } else { router }
}
