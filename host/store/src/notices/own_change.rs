//! What MARO is changing of an issue just now, which nobody has to be told of.

use std::borrow::Cow;

use maro_domain::issue::IssueKey;

/// What of an issue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OwnChange {
    /// Its status, and whatever Jira changes with it.
    Status,
    /// Its assignee or its comments: somebody else's change of status is told meanwhile.
    Fields,
}

impl OwnChange {
    /// How it stands in `own_changes`. No key has a space.
    pub(super) fn row(self, key: &IssueKey) -> Cow<'_, str> {
        match self {
            Self::Status => Cow::Borrowed(key.as_str()),
            Self::Fields => Cow::Owned(format!("fields of {}", key.as_str())),
        }
    }
}
