//! Slack: verifying and reading what it sends, and writing what MARO answers in its markup and limits.
//!
//! Knows neither the lists nor Jira. The HTTP routes are in `bot/src/server/`; they call the functions here.

pub mod command;
pub mod command_button;
pub mod command_in_use;
pub mod config;
pub mod events;
pub mod interaction;
mod keyed_secrets;
pub mod outgoing;
mod rate_limit;
pub mod sealed;
pub mod signature;
pub mod socket;
pub mod urlencoded;
pub mod view;
pub mod web_api;
pub mod words;
