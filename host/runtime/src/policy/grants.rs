//! Which capabilities an operator gives a plugin, and how far each reaches.

use std::fmt;

use serde::Deserialize;

use maro_domain::issue::IssueKey;
use maro_texts as texts;

/// A capability that must be granted by name in `NAME.toml`. `log` needs no grant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Grant {
    Jira,
    Tracker,
    TrackerEdit,
    JiraEdit,
    Storage,
    Settings,
    Clock,
    Http,
    Caller,
}

impl Grant {
    pub const ALL: [Self; 9] = [
        Self::Jira,
        Self::Tracker,
        Self::TrackerEdit,
        Self::JiraEdit,
        Self::Storage,
        Self::Settings,
        Self::Clock,
        Self::Http,
        Self::Caller,
    ];

    /// The name of the grant: that of its WIT interface in the package `maro:plugin`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Jira => "jira",
            Self::Tracker => "tracker",
            Self::TrackerEdit => "tracker-edit",
            Self::JiraEdit => "jira-edit",
            Self::Storage => "storage",
            Self::Settings => "settings",
            Self::Clock => "clock",
            Self::Http => "http",
            Self::Caller => "caller",
        }
    }

    /// Whether nothing can be changed with it.
    pub fn only_reads(self) -> bool {
        matches!(self, Self::Jira | Self::Tracker | Self::Settings | Self::Clock)
    }

    pub fn from_interface(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|grant| grant.as_str() == name)
    }
}

impl fmt::Display for Grant {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// A Jira project key: the part before the number of an issue.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct ProjectKey(String);

impl ProjectKey {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for ProjectKey {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if IssueKey::parse(&format!("{text}-1")).is_ok() {
            return Ok(Self(text));
        }
        Err(texts::plugins::manifests::not_a_project_key(&text))
    }
}
