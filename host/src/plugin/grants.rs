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
}

impl Grant {
    pub const ALL: [Self; 3] = [Self::Jira, Self::Tracker, Self::TrackerEdit];

    /// The name of the grant, which is that of the WIT interface in package `maro:plugin`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Jira => "jira",
            Self::Tracker => "tracker",
            Self::TrackerEdit => "tracker-edit",
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
