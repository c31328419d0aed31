//! What a message in a channel is answered with, whether it has links or keys: a few issues, each now and then.

use std::time::Duration;

use crate::server::state::BotState;
use maro_domain::{
    caller::{Caller, Way},
    ids::{ChannelId, TeamId, UserId},
    issue::IssueKey,
};
use maro_process::telemetry::error_chain;

/// How many issues of one message are shown.
pub(crate) const MAX_SHOWN: usize = 2;

/// How long an issue that was shown in a channel isn't shown there again, whether by a link or by its key.
const ONCE_IN: Duration = Duration::from_secs(30 * 60);

/// The author of the message, as if they had asked for its issues.
pub(crate) fn author(state: &BotState, channel: ChannelId, user: UserId, team: Option<TeamId>) -> Caller {
    Caller {
        channel,
        user,
        user_name: None,
        team,
        foreign_team: None,
        way: Way::Typed,
        command_name: state.slack.renderer.command_in_use.name(),
        request: None,
    }
}

/// Whether it's this message that shows the issue. If the database doesn't say so it isn't: shown twice would be
/// worse than not at all.
pub(crate) async fn may_show(state: &BotState, channel: &ChannelId, key: &IssueKey) -> bool {
    state.stores.notices.claim_shown_issue(channel, key, ONCE_IN).await.unwrap_or_else(|error| {
        tracing::debug!(error = error_chain(&error), "an issue isn't shown");
        false
    })
}

/// Slack didn't show these issues, so the next message may.
pub(crate) async fn forget(state: &BotState, channel: &ChannelId, keys: &[IssueKey]) {
    for key in keys {
        if let Err(error) = state.stores.notices.release_shown_issue(channel, key).await {
            tracing::debug!(error = error_chain(&error), "an issue isn't shown for half an hour");
        }
    }
}
