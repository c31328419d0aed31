//! The Slack side: modals open, are submitted, and show how an intent ended. [`crate::exactly_once`] carries it out.

pub(crate) mod buttons;
pub(crate) mod choices;
pub(crate) mod create;
mod create_views;
pub(crate) mod link;
mod message_text;
mod modal_state;
pub(crate) mod modals;
pub mod open;
mod outcome;
mod permission;
pub(crate) mod stories;
pub(crate) mod submissions;
