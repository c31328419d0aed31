//! Who may see and do what, and where.

pub(super) mod audit_log;
pub(super) mod foreign_requests;
pub(super) mod hidden_issues;
pub(super) mod hidden_summaries;
pub(super) mod long_lists;
pub(super) mod open_forms;
pub(super) mod own_rights;
pub(super) mod policy;
pub(super) mod roles;
pub(super) mod strangers;
