//! For people who assign an issue to themselves with a button.

use maro_domain::issue::IssueKey;

pub const ASSIGN: &str = "Assign";

/// Asked before an issue is assigned to somebody else than now.
pub fn takes_over(key: &IssueKey, assignee: &str) -> String {
    format!("{key} is assigned to {assignee}. Assign it to yourself?")
}

/// It has just been assigned to the person who reads this.
pub fn now_yours(key: &IssueKey) -> String {
    format!("{key} is now assigned to you.")
}

pub fn already_yours(key: &IssueKey) -> String {
    format!("{key} is already assigned to you.")
}
