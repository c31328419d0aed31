//! How the lists follow Jira.

pub(super) mod status_sync;
pub(super) mod webhooks;
