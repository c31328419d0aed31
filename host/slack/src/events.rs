//! What Slack reports by itself: links, channels, the Home tab, and what is written to MARO.

pub mod addressed;
pub mod channel_event;
mod envelope;
pub mod event;
pub mod home_event;
mod message;
pub mod named_keys;
pub mod sender;
pub mod shared_links;
