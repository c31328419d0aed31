//! The failures of Jira that the page offers.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use maro_simulation::jira::{faults::JiraFault, server::SimulatedJira};

/// How long a slow site takes to answer: longer than Slack waits, but not longer than MARO does.
const SLOW: Duration = Duration::from_secs(4);

/// The failures that the page offers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum JiraFailure {
    None,
    Unauthorized,
    Forbidden,
    RateLimited,
    Unavailable,
    Slow,
    Nonsense,
    Unreachable,
}

impl JiraFailure {
    pub(super) fn fault(self) -> Option<JiraFault> {
        Some(match self {
            Self::None => return None,
            Self::Unauthorized => JiraFault::Status(401, None),
            Self::Forbidden => JiraFault::Status(403, None),
            Self::RateLimited => JiraFault::Status(429, Some("30".to_owned())),
            Self::Unavailable => JiraFault::Status(503, None),
            Self::Slow => JiraFault::Slow(SLOW),
            Self::Nonsense => JiraFault::WrongShape,
            Self::Unreachable => JiraFault::Reset,
        })
    }

    /// The site's current failure.
    pub(super) fn of(jira: &SimulatedJira) -> Self {
        jira.fault().map_or(Self::None, |fault| Self::named(&fault))
    }

    /// What the page calls a fault. `None` for one that it doesn't offer.
    pub(super) fn named(fault: &JiraFault) -> Self {
        const OFFERED: [JiraFailure; 7] = [
            JiraFailure::Unauthorized,
            JiraFailure::Forbidden,
            JiraFailure::RateLimited,
            JiraFailure::Unavailable,
            JiraFailure::Slow,
            JiraFailure::Nonsense,
            JiraFailure::Unreachable,
        ];
        OFFERED.into_iter().find(|failure| failure.fault().as_ref() == Some(fault)).unwrap_or(Self::None)
    }
}
