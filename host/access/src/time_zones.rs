//! In which time zone somebody is, as far as Slack lets the bot know.

use std::{sync::Arc, time::Duration};

use maro_domain::ids::UserId;
use maro_process::{telemetry::error_chain, ttl_cache::Remembered};
use maro_slack::web_api::{SlackWebApi, error::ApiError};

use crate::workspace::Workspace;

/// The optional scope without which Slack tells nobody's.
const SCOPE: &str = "users:read";

/// How long an answer of Slack is good, and how long it isn't asked again after a failure.
const LIFETIME: Duration = Duration::from_secs(600);
const FAILURE_LIFETIME: Duration = Duration::from_secs(15);

/// How many people are remembered.
const MAX_REMEMBERED: usize = 20_000;

/// Slack was asked and didn't answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SlackIsAway;

pub(crate) struct TimeZones {
    slack: Arc<SlackWebApi>,
    workspace: Arc<Workspace>,
    zones: Remembered<UserId, Result<Option<String>, SlackIsAway>>,
}

impl TimeZones {
    pub(crate) fn new(slack: Arc<SlackWebApi>, workspace: Arc<Workspace>) -> Self {
        Self { slack, workspace, zones: Remembered::at_most(MAX_REMEMBERED) }
    }

    /// The name of a person's zone. `None` if Slack doesn't say, or the app may not ask.
    pub(crate) async fn of(&self, user: &UserId) -> Result<Option<String>, SlackIsAway> {
        if let Some(zone) = self.zones.get(user) {
            return zone;
        }
        if self.workspace.lacks_scope(SCOPE).await {
            return Ok(None);
        }
        let zone = match self.slack.get_user(user).await {
            Ok(person) => Ok(person.time_zone()),
            Err(ApiError::MissingScope { .. }) => Ok(None),
            Err(error) => {
                tracing::info!(
                    error = error_chain(&error),
                    "Slack didn't say which time zone a person is in"
                );
                Err(SlackIsAway)
            }
        };
        let lifetime = if zone.is_ok() { LIFETIME } else { FAILURE_LIFETIME };
        self.zones.put(user.clone(), zone.clone(), lifetime);
        zone
    }
}
