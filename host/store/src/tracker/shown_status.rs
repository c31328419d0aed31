//! The status that Jira last showed of an issue on a list, as it is stored: a JSON array of id, category and name.

use crate::tracker::known_fields::{known_category, known_status};
use maro_domain::{
    issue::{Issue, StatusId},
    tracked::is_no_status,
};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::tracker) struct ShownStatus {
    pub(in crate::tracker) id: Option<String>,
    /// Jira's key of it.
    pub(in crate::tracker) category: Option<String>,
    pub(in crate::tracker) name: String,
}

impl ShownStatus {
    /// `None` where nothing can be read: what isn't known tells nothing.
    pub(in crate::tracker) fn read(stored: Option<&str>) -> Option<Self> {
        let (id, category, name) = serde_json::from_str(stored?).ok()?;
        Some(Self { id, category, name })
    }

    /// What is stored of an issue. `None` if Jira shows no status of it, which leaves what is known.
    pub(in crate::tracker) fn stored(issue: &Issue) -> Option<String> {
        let name = known_status(issue).filter(|status| !is_no_status(status))?;
        let id = issue.status_id.as_ref().map(StatusId::as_str);
        Some(serde_json::json!([id, known_category(issue), name]).to_string())
    }
}
