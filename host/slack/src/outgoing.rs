//! What MARO writes into Slack, escaped in one place.

pub(crate) mod link_label;
pub mod message;
pub mod render;
pub mod response_url;
