//! What Jira reports by itself.

pub mod field_edits;
pub mod watched_fields;
pub mod webhook;
