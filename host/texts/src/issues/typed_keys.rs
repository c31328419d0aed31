//! For people whose keys and links can't be used.

use crate::text;
use maro_domain::reply::Span;

/// Of a link in a command.
pub const OTHER_SITE: &str = "That link is to another Jira site.";

/// A word among keys that isn't one.
pub fn not_a_key(word: &str) -> Vec<Span> {
    vec![Span::Code(word.to_owned()), text(" isn't an issue key")]
}

pub fn too_many_keys(most: usize) -> String {
    format!("You can use up to {most} keys at a time.")
}
