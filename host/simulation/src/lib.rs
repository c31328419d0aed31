//! Simulated Slack and Jira servers for `maro dev` and the tests. They speak real HTTP on loopback.
//!
//! The bot that talks to them is the production bot with different base URLs.

mod breakable_connection;
pub mod jira;
pub mod slack;
