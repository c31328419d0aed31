//! The site as people use it in a browser, and the webhooks that report what they do.

pub(super) mod browse;
pub(super) mod reports;
pub mod user_actions;
pub(super) mod webhooks;
