//! Hands messages to Slack.

use maro_domain::ids::ChannelId;
use maro_process::telemetry::error_chain;
use maro_slack::{
    outgoing::message::Message,
    web_api::{
        SlackWebApi,
        error::ApiError,
        posting_once::{Mark, PostFailure},
    },
};

/// What became of a head line.
pub(crate) enum HeadLine {
    /// It's up to date, or stays as it is.
    Settled,
    Gone,
    /// It can be brought up to date later.
    Old(PostFailure),
}

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

    /// Brings a head line up to date.
    pub(crate) async fn update_head(&self, ts: &str, head: &Message) -> HeadLine {
        match self.update(ts, head).await {
            Ok(()) => HeadLine::Settled,
            Err(failure) => {
                tracing::debug!(error = error_chain(&failure), "a head line wasn't kept up to date");
                match &failure.error {
                    error if error.is_message_gone() => HeadLine::Gone,
                    error if error.is_message_fixed() => HeadLine::Settled,
                    _ => HeadLine::Old(failure),
                }
            }
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
}

/// Whether MARO is in a channel where it may not write. `None`: that isn't why it failed.
pub(crate) fn shut_out(failure: &PostFailure) -> Option<bool> {
    match &failure.error {
        ApiError::NotInChannel | ApiError::ChannelNotFound => Some(false),
        ApiError::Refused { error, .. } if error.starts_with("restricted_action") => Some(true),
        _ => None,
    }
}
