//! The bot: its settings, its commands, its plugins, and the server that Slack and Jira speak to.

mod applying_settings;
mod audit_upkeep;
mod background_work;
pub mod bot;
mod claimed_notices;
pub mod commands;
pub mod config;
mod credential_notices;
mod database_call_log;
mod jira_patience;
mod own_workspace;
mod plugins;
mod remembered_cloud_id;
mod server;
mod services;
