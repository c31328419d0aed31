//! The person who asked for an issue, as its reporter, if they have an account. Jira may refuse that, if the field
//! isn't on the screen or MARO's account may not set it: then it is left out.

use serde_json::{Value, json};

use crate::connection::site::JiraSite;

/// Jira's name of the field.
pub(super) const REPORTER: &str = "reporter";

pub(super) fn value(site: &JiraSite, account: &str) -> Value {
    let name = if site.is_cloud() { "id" } else { "name" };
    json!({ name: account })
}
