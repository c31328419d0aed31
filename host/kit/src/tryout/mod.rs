//! Trying a plugin out: alone, or in a bot between a simulated Slack and Jira.

pub(super) mod case_report;
pub mod case_writer;
pub(super) mod interface_diff;
pub(crate) mod left_out;
pub(super) mod line_diff;
pub(super) mod simulation;
pub mod single_plugin;
pub mod transcript;
