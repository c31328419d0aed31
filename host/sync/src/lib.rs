//! Keeps the lists as Jira has them: by webhooks, by asking what has changed, and by reading each issue again when its
//! turn comes. What each finds is written to the tables, and channels hear of it from `maro-notices`.

pub mod batch_answers;
mod field_authors;
pub mod field_changes;
pub mod leadership;
mod leftover_fields;
pub mod list_sync;
mod new_comments;
pub mod new_issues;
pub mod one_issue;
mod own_account;
pub mod polling;
pub mod read_batching;
pub mod security_levels;
mod sync_lag;
pub mod webhook_hints;
