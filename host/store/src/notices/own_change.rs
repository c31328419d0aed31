//! What MARO is changing of an issue just now, which nobody has to be told of.

use maro_domain::issue::IssueKey;

/// One change of one issue. Others may be under way at the same time: each has a row of its own, so that the end of one
/// isn't the end of all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnChange {
    pub(super) key: String,
    /// How it stands in `own_changes`. No key has a space.
    pub(super) row: String,
}

impl OwnChange {
    /// Of its status, and whatever Jira changes with it.
    pub fn of_status(key: &IssueKey) -> Self {
        Self::new(key, "")
    }

    /// Of its assignee or its comments: somebody else's change of status is told meanwhile.
    pub fn of_fields(key: &IssueKey) -> Self {
        Self::new(key, "fields of ")
    }

    fn new(key: &IssueKey, what: &str) -> Self {
        let row = format!("{what}{} {:016x}", key.as_str(), rand::random::<u64>());
        Self { key: key.as_str().to_owned(), row }
    }
}

/// Whether MARO is changing what stands before the space of a row. A replica of an earlier release writes that alone.
/// Few changes are under way at a time. One that lasts longer than any was noted before the database's clock was set
/// back.
macro_rules! is_changing {
    ($what:literal, $now:expr) => {
        concat!(
            "EXISTS (SELECT 1 FROM own_changes AS own WHERE substr(own.issue_key || ' ', 1, length(",
            $what,
            ") + 1) = ",
            $what,
            " || ' ' AND own.until_ms - ",
            $now,
            " BETWEEN 1 AND 120000)"
        )
    };
}
pub(crate) use is_changing;
