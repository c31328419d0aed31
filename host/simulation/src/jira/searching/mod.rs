//! Searches: Jira's query language, and words as its index compares them.

pub(super) mod jql;
pub(super) mod search;
pub(super) mod words;
