//! The bot: its settings, its commands, and the server that Slack and Jira speak to.

pub mod commands;
pub mod config;
pub mod server;
