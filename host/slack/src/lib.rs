//! Slack: what it sends, proved to come from it; and what MARO answers, in its markup and within its limits.
//!
//! Knows neither lists nor Jira. HTTP routes are in `server/`; here are the functions they call.

pub mod command;
pub mod command_button;
pub mod config;
pub mod form;
pub mod interaction;
pub mod markup;
pub mod message;
pub mod render;
pub mod response_url;
pub mod sealed;
pub mod signature;
pub mod socket;
pub mod view;
pub mod web_api;
