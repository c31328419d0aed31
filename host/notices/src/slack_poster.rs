//! Hands messages to Slack, and says how long to pause after what Slack said.

use std::time::Duration;

use crate::messages::Messages;
use maro_domain::ids::{ChannelId, UserId};
use maro_process::telemetry::error_chain;
use maro_slack::{
    outgoing::message::Message,
    web_api::{
        SlackWebApi,
        error::ApiError,
        posting_once::{Mark, PostFailure},
    },
};

/// Slack takes about one message a second in a channel.
pub(crate) const PACE: Duration = Duration::from_secs(1);

/// While Slack can't be reached.
pub(crate) const OUTAGE_PAUSE: Duration = Duration::from_secs(5);

/// Before the channel's history is asked for a message that Slack didn't confirm.
const UNCONFIRMED_PAUSE: Duration = Duration::from_secs(3);

/// The first pause after Slack has refused a message, and the longest.
const REFUSED_PAUSE: Duration = Duration::from_secs(15);
const MAX_REFUSED_PAUSE: Duration = Duration::from_secs(300);

/// Posts in one channel.
#[derive(Clone, Copy)]
pub(crate) struct Poster<'a> {
    pub(crate) slack: &'a SlackWebApi,
    pub(crate) channel: &'a ChannelId,
}

impl Poster<'_> {
    /// The timestamp of the new message. In the channel's history, it's found by `mark`.
    pub(crate) async fn post(
        &self,
        thread: Option<&str>,
        message: &Message,
        mark: Mark<'_>,
    ) -> Result<String, PostFailure> {
        let posted = self.slack.post_notice(self.channel, thread, message, Some(mark)).await.map(|ts| ts.0);
        posted.inspect_err(|failure| {
            tracing::info!(
                channel = self.channel.as_str(),
                may_be_posted = failure.may_be_posted,
                error = error_chain(&failure.error),
                "Slack rejected a notice"
            );
        })
    }

    pub(crate) async fn update(&self, ts: &str, message: &Message) -> Result<(), PostFailure> {
        self.slack.update_message(self.channel, ts, message).await
    }

    /// Brings a head line up to date, which may be missed.
    ///
    /// # Errors
    /// It's gone.
    pub(crate) async fn update_head(&self, ts: &str, head: &Message) -> Result<(), PostFailure> {
        match self.update(ts, head).await {
            Err(failure) if failure.error.is_message_gone() => Err(failure),
            Err(failure) => {
                tracing::debug!(error = error_chain(&failure), "a head line wasn't kept up to date");
                Ok(())
            }
            Ok(()) => Ok(()),
        }
    }

    /// Takes a message back. If that fails, people read the same twice, which is said.
    pub(crate) async fn delete(&self, ts: &str) {
        let channel = self.channel.as_str();
        match self.slack.delete_message(self.channel, ts).await {
            Ok(()) => tracing::info!(channel, "deleted a message that another worker had sent, too"),
            Err(error) => {
                tracing::warn!(channel, error = error_chain(&error), "couldn't delete a message sent twice");
            }
        }
    }

    /// Tells the person who tracked an issue how to let MARO into the channel.
    pub(crate) async fn tell_person(&self, user: &UserId, messages: &Messages<'_>) {
        let message = messages.not_in_channel(user);
        if let Err(failure) = self.slack.post_notice(&ChannelId::of_person(user), None, &message, None).await
        {
            tracing::info!(user = user.as_str(), error = error_chain(&failure), "a person wasn't told");
        }
    }
}

/// Whether MARO may not write there.
pub(crate) fn is_shut_out(failure: &PostFailure) -> bool {
    matches!(failure.error, ApiError::NotInChannel | ApiError::ChannelNotFound)
}

/// How long to pause after a failure, and why Slack takes no messages, if it doesn't.
pub(crate) fn pause_after(failure: &PostFailure, pauses: u32) -> (Duration, Option<String>) {
    match &failure.error {
        _ if failure.may_be_posted => (UNCONFIRMED_PAUSE, None),
        ApiError::RateLimited { retry_after } => ((*retry_after).max(PACE), None),
        error if error.is_outage() => (OUTAGE_PAUSE, None),
        error => {
            let pause = REFUSED_PAUSE.saturating_mul(1 << pauses.min(8)).min(MAX_REFUSED_PAUSE);
            (pause, Some(error.to_string()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pause(error: ApiError, pauses: u32) -> (u64, bool) {
        let (pause, reason) = pause_after(&PostFailure { error, may_be_posted: false }, pauses);
        (pause.as_secs(), reason.is_some())
    }

    #[test]
    fn slack_is_asked_when_it_says_so_and_ever_later_where_it_refuses() {
        let limited = |seconds| ApiError::RateLimited { retry_after: Duration::from_secs(seconds) };
        assert_eq!([0, 7].map(|pauses| pause(limited(40), pauses)), [(40, false); 2]);
        assert_eq!(pause(limited(0), 0).0, PACE.as_secs(), "never sooner than one a second");
        let refused = |pauses| pause(ApiError::NotInChannel, pauses);
        let first = REFUSED_PAUSE.as_secs();
        assert_eq!([0, 1, 2].map(refused), [(first, true), (2 * first, true), (4 * first, true)]);
        assert_eq!(refused(u32::MAX), (MAX_REFUSED_PAUSE.as_secs(), true));
    }
}
