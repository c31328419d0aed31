//! Issues, people's comments and fields as Jira shows them to MARO's account.

pub mod answers;
pub mod chosen_fields;
pub(crate) mod cloud;
pub(crate) mod data_center;
pub(crate) mod details;
pub(crate) mod look_up;
pub mod newest_comments;
pub(crate) mod newest_keys;
pub(crate) mod per_key_lookup;
pub(crate) mod single_issue;
mod splitting_batches;
pub(crate) mod unservable_issues;
