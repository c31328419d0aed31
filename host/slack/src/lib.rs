//! Slack: verifying and reading what it sends, and writing what MARO answers in its markup and limits.
//!
//! Knows neither the lists nor Jira. The HTTP routes are in `bot/src/server/`; they call the functions here.

pub mod addressed;
pub mod channel_event;
pub mod command;
pub mod command_button;
pub mod command_in_use;
pub mod config;
pub mod emoji;
pub mod form;
pub mod home_event;
pub mod interaction;
mod link_label;
pub mod message;
pub mod message_words;
pub mod named_keys;
pub mod names;
pub mod parse_markup;
pub mod render;
pub mod response_url;
pub mod sealed;
pub mod sender;
pub mod shared_links;
pub mod signature;
pub mod socket;
pub mod title;
pub mod view;
pub mod web_api;
