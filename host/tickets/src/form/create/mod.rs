//! The form for a new issue: how it looks, what it offers, and what becomes of what was filled in.

pub(crate) mod choices;
pub(super) mod field_choices;
pub(super) mod fields;
pub(super) mod jira_form;
pub(super) mod message_text;
pub(super) mod opening;
pub(super) mod refused;
pub(crate) mod screens;
pub(crate) mod submission;
pub(super) mod views;
