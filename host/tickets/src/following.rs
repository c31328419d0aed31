//! How the lists follow Jira: by webhooks, by asking what has changed, and by reading each issue again when its
//! turn comes.

pub mod leading;
pub mod new_issues;
pub mod polling;
pub(crate) mod questions;
pub mod shared_reading;
pub mod sync;
mod sync_lag;
pub mod webhook_hints;
pub mod withheld;
