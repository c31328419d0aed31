//! Shapes of Jira's answers that several requests share, and how they are read.

pub(super) mod event;
pub(super) mod issue;
pub(super) mod page;
pub(super) mod parse;
pub(super) mod refusal;
