//! Trying a plugin out: alone, or in a bot between a simulated Slack and Jira.

pub mod case_writer;
pub(super) mod contract;
pub(super) mod differences;
pub(super) mod simulation;
pub mod single_plugin;
pub mod transcript;
