//! From which workspace a person is, as Slack says of them: not every event says it.

use std::{sync::Arc, time::Duration};

use maro_domain::ids::UserId;
use maro_process::{telemetry::error_chain, ttl_cache::Remembered};
use maro_slack::web_api::{SlackWebApi, error::ApiError};

use crate::workspace::{Standing, Workspace};

/// The optional scope without which Slack says nothing of people.
const SCOPE: &str = "users:read";

/// How long an answer of Slack is good, and how long it isn't asked again after a failure.
const LIFETIME: Duration = Duration::from_secs(600);
const FAILURE_LIFETIME: Duration = Duration::from_secs(15);

/// How many people are remembered.
const MAX_REMEMBERED: usize = 20_000;

pub(crate) struct People {
    slack: Arc<SlackWebApi>,
    workspace: Arc<Workspace>,
    strangers: Remembered<UserId, bool>,
}

impl People {
    pub(crate) fn new(slack: Arc<SlackWebApi>, workspace: Arc<Workspace>) -> Self {
        Self { slack, workspace, strangers: Remembered::at_most(MAX_REMEMBERED) }
    }

    /// Whether a person is of a workspace that nobody allows. If Slack was asked and doesn't say, they are; if the app
    /// may not ask, they aren't.
    pub(crate) async fn is_stranger(&self, user: &UserId) -> bool {
        if let Some(is_stranger) = self.strangers.get(user) {
            return is_stranger;
        }
        if self.workspace.lacks_scope(SCOPE).await {
            return false;
        }
        let (is_stranger, lifetime) = match self.slack.get_user(user).await {
            Ok(person) => (self.workspace.standing_of(&person).await == Standing::Stranger, LIFETIME),
            Err(ApiError::MissingScope { .. }) => (false, LIFETIME),
            // Only an app that is known to have the scope may insist on an answer.
            Err(_) if !self.workspace.has_scope(SCOPE).await => (false, FAILURE_LIFETIME),
            Err(error) => {
                let error = error_chain(&error);
                tracing::info!(
                    user = user.as_str(),
                    error,
                    "Slack didn't say which workspace a person is from"
                );
                (true, FAILURE_LIFETIME)
            }
        };
        self.strangers.put(user.clone(), is_stranger, lifetime);
        is_stranger
    }
}
