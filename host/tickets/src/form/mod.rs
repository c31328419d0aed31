//! The Slack side: modals open, are submitted, and show how an intent ended. [`crate::intents::exactly_once`] carries
//! it out.

pub(crate) mod create;
pub(crate) mod link_duplicate;
pub mod modal;
pub(crate) mod stories;
mod story_lines;
