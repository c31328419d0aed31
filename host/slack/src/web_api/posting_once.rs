//! Messages that the caller keeps account of: none may be posted twice.

use std::time::Duration;

use serde::{Deserialize, de::IgnoredAny};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::{
    outgoing::message::Message,
    web_api::{
        MessageTs, SlackWebApi,
        calling::Method,
        error::{ApiError, SlackOutage},
    },
};
use maro_domain::ids::ChannelId;
use maro_process::{breaker::BreakerStatus, http::retry::Failure};

/// It mustn't last longer than the caller's claim.
const POST_NOTICE: Method =
    Method { name: "chat.postMessage", deadline: Duration::from_secs(10), repeatable: false };
const UPDATE_MESSAGE: Method =
    Method { name: "chat.update", deadline: Duration::from_secs(5), repeatable: true };
const DELETE_MESSAGE: Method =
    Method { name: "chat.delete", deadline: Duration::from_secs(5), repeatable: true };
/// Tells whether Slack answers, and does nothing.
const PROBE: Method = Method { name: "auth.test", deadline: Duration::from_secs(3), repeatable: true };

/// What Slack calls a message that isn't there (any more), or that can't be answered.
const GONE: [&str; 4] =
    ["message_not_found", "thread_not_found", "invalid_thread_ts", "cannot_reply_to_message"];

/// What it calls one that is there and stays as it is.
const FIXED: [&str; 3] = ["cant_update_message", "edit_window_closed", "is_inactive"];

/// The name of MARO's marks.
pub(super) const MARK: &str = "maro_notice";

/// What a message is known by in a channel's history. People don't see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark<'a> {
    /// It tells these notices.
    Notices(&'a [i64]),
    /// It begins the thread of the issue with this id.
    Head(&'a str),
}

impl Mark<'_> {
    fn metadata(self) -> Value {
        let payload = match self {
            Self::Notices(ids) => json!({ "notices": ids }),
            Self::Head(issue) => json!({ "head_of": issue }),
        };
        json!({ "event_type": MARK, "event_payload": payload })
    }
}

/// A message that Slack hasn't confirmed.
#[derive(Debug, thiserror::Error)]
#[error("{error}")]
pub struct PostFailure {
    #[source]
    pub error: ApiError,
    /// Whether it may have been posted anyway.
    pub may_be_posted: bool,
}

impl From<Failure<ApiError>> for PostFailure {
    fn from(failure: Failure<ApiError>) -> Self {
        Self { error: failure.error, may_be_posted: failure.may_have_acted }
    }
}

impl ApiError {
    /// Whether the message that a call was about is gone.
    pub fn is_message_gone(&self) -> bool {
        matches!(self, Self::Refused { error, .. } if GONE.contains(&error.as_str()))
    }

    /// Whether the message that was to be changed is there, and can't be changed any more.
    pub fn is_message_fixed(&self) -> bool {
        matches!(self, Self::Refused { error, .. } if FIXED.contains(&error.as_str()))
    }
}

#[derive(Deserialize)]
struct Answer {
    ts: String,
}

impl SlackWebApi {
    /// Posts a message to a channel within 10 s, as a reply if `thread` is the timestamp of a message. By its mark it
    /// can be found again: see [`SlackWebApi::marks_in`]. Fails at once while it's unknown what became of another, and takes
    /// 3 s more for the first one after that.
    ///
    /// # Errors
    /// [`PostFailure`].
    pub async fn post_notice(
        &self,
        channel: &ChannelId,
        thread: Option<&str>,
        message: &Message,
        mark: Option<Mark<'_>>,
    ) -> Result<MessageTs, PostFailure> {
        let mut request = body(channel, message);
        request["unfurl_links"] = json!(false);
        if let Some(thread) = thread {
            request["thread_ts"] = json!(thread);
        }
        if let Some(mark) = mark {
            request["metadata"] = mark.metadata();
        }
        let unsent = |error| PostFailure { error, may_be_posted: false };
        let Ok(admission) = self.caller.posts.admit(Instant::now()) else {
            return Err(unsent(ApiError::Unreachable(SlackOutage::HeldBack)));
        };
        if admission.is_trial()
            && let Err(error) = self.caller.post::<IgnoredAny>(PROBE, &json!({})).await
            && !error.is_answer()
        {
            admission.failed(Instant::now());
            return Err(unsent(error));
        }
        let posted = self.caller.try_post_with(POST_NOTICE, &request, once).await;
        match &posted {
            Err(failure) if failure.may_have_acted || !failure.error.is_answer() => {
                admission.failed(Instant::now())
            }
            Ok(_) | Err(_) => admission.succeeded(),
        };
        let answer: Answer = posted.map_err(PostFailure::from)?;
        Ok(MessageTs(answer.ts))
    }

    /// How long no notice can be posted, as far as that is known.
    pub fn posting_is_held(&self) -> Option<Duration> {
        let now = Instant::now();
        match self.caller.posts.status(now) {
            BreakerStatus::Open { until } => Some(until.saturating_duration_since(now)),
            BreakerStatus::Closed | BreakerStatus::HalfOpen => None,
        }
    }

    /// Replaces the text of a message of the bot's own, which keeps its mark. To do so again does no harm.
    ///
    /// # Errors
    /// [`PostFailure`]; see [`ApiError::is_message_gone`].
    pub async fn update_message(
        &self,
        channel: &ChannelId,
        ts: &str,
        message: &Message,
    ) -> Result<(), PostFailure> {
        let mut request = body(channel, message);
        request["ts"] = json!(ts);
        // That Slack took it is all there is to know.
        let updated: Result<IgnoredAny, _> = self.caller.try_post(UPDATE_MESSAGE, &request).await;
        updated.map(drop).map_err(PostFailure::from)
    }

    /// Deletes a message of the bot's own.
    ///
    /// # Errors
    /// [`ApiError`]. A message that isn't there is none.
    pub async fn delete_message(&self, channel: &ChannelId, ts: &str) -> Result<(), ApiError> {
        let request = json!({ "channel": channel.as_str(), "ts": ts });
        let deleted: Result<IgnoredAny, _> = self.caller.try_post(DELETE_MESSAGE, &request).await;
        match deleted {
            Err(failure) if !failure.error.is_message_gone() => Err(failure.error),
            _ => Ok(()),
        }
    }
}

/// The caller comes back rather than wait here: others are told meanwhile, and what people turn off isn't told any more.
fn once(failure: Failure<ApiError>) -> Failure<ApiError> {
    Failure { may_pass: false, ..failure }
}

fn body(channel: &ChannelId, message: &Message) -> Value {
    let mut request = json!({ "channel": channel.as_str(), "text": message.text() });
    if message.has_blocks() {
        request["blocks"] = message.blocks();
    }
    request
}
