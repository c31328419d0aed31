//! Finding issues: for a plugin's question, for similar ones and for MARO's own marks.

pub mod changed;
pub mod intent_marks;
pub mod jql;
pub(crate) mod outside_projects;
pub mod plugin_search;
pub(crate) mod project_limits;
pub mod similar;
