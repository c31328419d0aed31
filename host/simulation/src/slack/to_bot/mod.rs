//! What is sent to the bot, over HTTP or Socket Mode: commands, events and interactions.

pub(super) mod delivery;
pub mod dispatch;
pub(super) mod events;
pub mod parcel;
pub(super) mod payloads;
