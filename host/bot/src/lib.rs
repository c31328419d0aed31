//! The bot: its settings, its commands, its plugins, and the server that Slack and Jira speak to.

mod audit_upkeep;
pub mod bot;
pub mod commands;
pub mod config;
mod credential_notices;
mod database_watch;
mod jira_gateway;
mod live_settings;
mod plugins;
mod server;
mod services;
