//! Which capabilities an operator gives a plugin.

use std::fmt;

use serde::Deserialize;

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
}

impl Grant {
    pub const ALL: [Self; 8] = [
        Self::Jira,
        Self::Tracker,
        Self::TrackerEdit,
        Self::JiraEdit,
        Self::Storage,
        Self::Settings,
        Self::Clock,
        Self::Http,
    ];

    /// The name of the grant, which is that of the WIT interface in package `maro:plugin`.
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
        }
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
