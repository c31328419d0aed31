//! How the lists follow Jira.

mod cut_off_replicas;
mod failing_issues;
pub(super) mod status_sync;
pub(super) mod webhooks;
