//! What Jira reports by itself.

pub mod field_edits;
pub mod signature;
pub mod watched_fields;
pub mod webhook;
