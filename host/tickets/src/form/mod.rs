//! The Slack side: modals open, are submitted, and show how an intention ended. What is done about it is in
//! [`crate::flow`].

pub(crate) mod buttons;
pub(crate) mod choices;
pub(crate) mod create;
mod create_views;
pub(crate) mod link;
mod modal_state;
pub(crate) mod modals;
pub mod open;
mod outcome;
pub(crate) mod stories;
pub(crate) mod submissions;
