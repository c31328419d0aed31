//! The text formats that Jira takes and gives.

pub(crate) mod adf;
pub(crate) mod plain;
pub(crate) mod wiki;
