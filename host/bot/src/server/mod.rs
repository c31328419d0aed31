//! HTTP in: Slack's and Jira's addresses. Those of operators are in `operators/routes.rs`.

mod authentication;
pub(crate) mod connections;
mod jira_webhook;
mod messages;
pub(crate) mod operators;
pub(crate) mod slack;
pub(crate) mod state;
mod unknown_address;

use std::sync::Arc;

use axum::{Router, routing::post};

use crate::server::state::BotState;

/// The addresses of Slack and Jira, and those of operators unless they have a listener of their own.
pub(crate) fn router(state: Arc<BotState>, has_operators: bool) -> Router {
    let mut router = Router::new().route("/jira/webhook/{*secret}", post(jira_webhook::receive));
    // A slash at the end is easily typed, and neither Slack nor Jira shows what it leads to.
    for slash in ["", "/"] {
        router = router
            .route(&format!("/slack/commands{slash}"), post(slack::commands::receive))
            .route(&format!("/slack/interactions{slash}"), post(slack::interactions::receive))
            .route(&format!("/slack/events{slash}"), post(slack::events::receive))
            .route(&format!("/jira/webhook{slash}"), post(jira_webhook::receive));
    }
    let router = router.fallback(unknown_address::refuse).with_state(Arc::clone(&state));
    if has_operators { router.merge(operators::routes::router(state)) } else { router }
}
