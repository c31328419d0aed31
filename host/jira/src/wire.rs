//! Shapes of Jira's answers that several questions share.

pub(super) mod issue;
pub(super) mod page;
pub(super) mod refusal;
