//! How the lists follow Jira: by webhooks, by asking what has changed, and by reading each issue again when its
//! turn comes.

pub mod field_changes;
pub mod leading;
pub mod list_sync;
pub mod new_issues;
pub mod one_issue;
pub mod polling;
pub(crate) mod questions;
pub mod shared_reading;
mod sync_lag;
pub mod webhook_hints;
pub mod withheld;
