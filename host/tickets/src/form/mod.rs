//! The Slack side: modals open, are submitted, and show how an intent ended. [`crate::intents::exactly_once`] carries it out.

pub(crate) mod buttons;
mod cancelling;
pub(crate) mod choices;
pub(crate) mod create;
mod create_views;
mod field_choices;
mod fields;
mod filled;
mod jira_form;
pub(crate) mod latest;
pub(crate) mod link;
mod message_text;
mod modal_state;
pub(crate) mod modals;
pub mod open;
mod outcome;
mod permission;
mod refused;
pub(crate) mod screens;
pub(crate) mod stories;
pub(crate) mod submissions;
