//! Who can be in a channel, as far as Slack lets the bot know.
//!
//! The scopes `channels:read` and `groups:read` are optional. Without them no channel is judged to be shared; with
//! them, a channel that Slack says nothing of counts as shared.

use std::{sync::Arc, time::Duration};

use maro_domain::ids::{ChannelId, UserId};
use maro_process::{telemetry::error_chain, ttl_cache::Remembered};
use maro_slack::web_api::{Conversation, SlackWebApi, error::ApiError};

use crate::workspace::Workspace;

/// The scope for public channels, and the one for private channels.
pub const PUBLIC_SCOPE: &str = "channels:read";
pub const PRIVATE_SCOPE: &str = "groups:read";

/// The scopes for what was written in public channels, and in private ones.
const HISTORY_SCOPES: [&str; 2] = ["channels:history", "groups:history"];

/// How long an answer of Slack is good, and how long it isn't asked again after a failure.
const LIFETIME: Duration = Duration::from_secs(300);
const FAILURE_LIFETIME: Duration = Duration::from_secs(5);

/// How many channels are remembered.
const MAX_REMEMBERED: usize = 10_000;

/// Who can be in a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// People of the bot's own organization.
    Own { is_private: bool },
    /// People of other organizations, too, or invited.
    Shared,
    /// The app may not ask.
    Unknowable,
    /// Slack was asked and didn't say.
    Unknown,
}

/// Finds out who can be in a channel.
pub(crate) struct Channels {
    slack: Arc<SlackWebApi>,
    workspace: Arc<Workspace>,
    remembered: Remembered<ChannelId, Audience>,
}

impl Channels {
    pub(crate) fn new(slack: Arc<SlackWebApi>, workspace: Arc<Workspace>) -> Self {
        Self { slack, workspace, remembered: Remembered::at_most(MAX_REMEMBERED) }
    }

    /// Asks Slack if it hasn't said lately.
    pub(crate) async fn audience(&self, channel: &ChannelId) -> Audience {
        if let Some(audience) = self.remembered(channel) {
            return audience;
        }
        // Scopes that aren't known may be there: then it counts what Slack says, if it says something.
        let lacks_private = self.workspace.lacks_scope(PRIVATE_SCOPE).await;
        if lacks_private && self.workspace.lacks_scope(PUBLIC_SCOPE).await {
            return Audience::Unknowable;
        }
        let question = self.remembered.ask(channel.clone());
        let (audience, lifetime) = match self.slack.get_conversation(channel).await {
            Ok(Conversation { is_ext_shared, is_pending_ext_shared, .. })
                if is_ext_shared || is_pending_ext_shared =>
            {
                (Audience::Shared, LIFETIME)
            }
            Ok(Conversation { is_private, .. }) => (Audience::Own { is_private }, LIFETIME),
            Err(ApiError::MissingScope { .. }) => (Audience::Unknowable, LIFETIME),
            // Of a private channel Slack then says that there is none.
            Err(ApiError::ChannelNotFound) if lacks_private => (Audience::Unknowable, LIFETIME),
            // Only an app that is known to have a scope may insist on an answer.
            Err(_) if !self.may_ask().await => (Audience::Unknowable, FAILURE_LIFETIME),
            Err(error) => {
                let (channel, error) = (channel.as_str(), error_chain(&error));
                tracing::info!(
                    channel,
                    error,
                    "Slack doesn't say who is in a channel, so it counts as shared"
                );
                (Audience::Unknown, FAILURE_LIFETIME)
            }
        };
        let is_good = question.answered(audience, lifetime);
        match audience {
            // People who joined while Slack was answering may be missing in the answer.
            Audience::Own { .. } if !is_good => Audience::Unknown,
            audience => audience,
        }
    }

    /// Whether the app is known to have one of the scopes.
    async fn may_ask(&self) -> bool {
        self.workspace.has_scope(PUBLIC_SCOPE).await || self.workspace.has_scope(PRIVATE_SCOPE).await
    }

    /// Whether the bot is in a channel, as far as Slack says so now.
    pub(crate) async fn has_bot(&self, channel: &ChannelId) -> bool {
        self.slack.get_conversation(channel).await.is_ok_and(|found| found.is_member)
    }

    /// Whether the app may read the history of some channels, as far as is known.
    pub(crate) async fn may_read_history(&self) -> bool {
        for scope in HISTORY_SCOPES {
            if !self.workspace.lacks_scope(scope).await {
                return true;
            }
        }
        false
    }

    /// The channels that a person is in, as far as the app may see them. `None` if it may see none.
    pub(crate) async fn of_person(&self, user: &UserId) -> Option<Vec<ChannelId>> {
        let mut types = Vec::new();
        for (scope, kind) in [(PUBLIC_SCOPE, "public_channel"), (PRIVATE_SCOPE, "private_channel")] {
            if self.workspace.has_scope(scope).await {
                types.push(kind);
            }
        }
        if types.is_empty() {
            return None;
        }
        match self.slack.get_conversations_of(user, &types.join(",")).await {
            Ok(channels) => Some(channels),
            Err(error) => {
                let (user, error) = (user.as_str(), error_chain(&error));
                tracing::info!(user, error, "Slack doesn't say which channels somebody is in");
                None
            }
        }
    }

    /// What is known without asking.
    pub(crate) fn known(&self, channel: &ChannelId) -> Audience {
        self.remembered(channel).unwrap_or(Audience::Unknowable)
    }

    pub(crate) fn forget(&self, channel: &ChannelId) {
        self.remembered.forget(channel);
    }

    fn remembered(&self, channel: &ChannelId) -> Option<Audience> {
        if channel.is_direct_message() || channel.is_person() {
            // With the bot, nobody else is in it. It is no private channel, though: it has no members to vouch.
            return Some(Audience::Own { is_private: false });
        }
        self.remembered.get(channel)
    }
}
