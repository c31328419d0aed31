//! Shapes of Jira's answers that several requests share.

pub(super) mod issue;
pub(super) mod page;
pub(super) mod refusal;
