//! Issues that people create and link, stories, and what may go wrong.

pub(super) mod choices;
pub(super) mod create;
pub(super) mod double_submissions;
pub(super) mod fields;
pub(super) mod message_shortcut;
pub(super) mod recovery;
pub(super) mod slow_jira;
pub(super) mod stories;
pub(super) mod ticket_faults;
pub(super) mod unopened_forms;
