//! When to call Slack again: which pause to take, and when to give up instead.

use std::time::Duration;

use slack_morphism::errors::SlackClientError;

use crate::web_api::error::{ApiError, DEFAULT_RETRY_AFTER, Outage};

/// How often one call is sent at most.
const MAX_ATTEMPTS: u32 = 4;

/// The bound of the first pause; it doubles with each attempt.
const FIRST_BACKOFF: Duration = Duration::from_millis(200);

/// What is left of the deadline after a pause must suffice for an answer.
const TIME_FOR_AN_ANSWER: Duration = Duration::from_millis(100);

/// One attempt that failed.
#[derive(Debug)]
pub(super) struct Failure {
    error: ApiError,
    certainty: Certainty,
}

/// What is known about the request of an attempt that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Certainty {
    /// Slack has not acted on it, and may the next time.
    NotDone,
    /// It may have arrived.
    Unknown,
    /// Slack has answered for good.
    Final,
}

impl Failure {
    pub(super) fn timed_out() -> Self {
        Self { error: ApiError::TimedOut, certainty: Certainty::Unknown }
    }

    pub(super) fn from_client(error: SlackClientError) -> Self {
        match error {
            SlackClientError::ApiError(refusal) => Self::refused(ApiError::from_refusal(&refusal)),
            SlackClientError::RateLimitError(limit) => {
                let retry_after = limit.retry_after.unwrap_or(DEFAULT_RETRY_AFTER);
                Self { error: ApiError::RateLimited { retry_after }, certainty: Certainty::NotDone }
            }
            SlackClientError::HttpError(answer) => Self::from_status(answer.status_code.as_u16()),
            SlackClientError::HttpProtocolError(failure) => {
                let cause = failure.cause.unwrap_or_else(|| "the cause is unknown".into());
                let never_sent = cause
                    .downcast_ref::<hyper_util::client::legacy::Error>()
                    .is_some_and(hyper_util::client::legacy::Error::is_connect);
                let certainty = if never_sent { Certainty::NotDone } else { Certainty::Unknown };
                Self { error: ApiError::Unreachable(Outage::Connection(cause)), certainty }
            }
            // The answer broke off.
            SlackClientError::SystemError(failure) => {
                let cause = failure.cause.unwrap_or_else(|| "the cause is unknown".into());
                Self {
                    error: ApiError::Unreachable(Outage::Connection(cause)),
                    certainty: Certainty::Unknown,
                }
            }
            // The library's texts quote the body.
            SlackClientError::ProtocolError(_)
            | SlackClientError::EndOfStream(_)
            | SlackClientError::SocketModeProtocolError(_) => Self::invalid("it isn't the documented JSON"),
        }
    }

    fn refused(error: ApiError) -> Self {
        let certainty = match error {
            ApiError::RateLimited { .. } => Certainty::NotDone,
            ApiError::Unreachable(_) => Certainty::Unknown,
            _ => Certainty::Final,
        };
        Self { error, certainty }
    }

    pub(super) fn from_status(status: u16) -> Self {
        if status >= 500 {
            let error = ApiError::Unreachable(Outage::Status(status));
            return Self { error, certainty: Certainty::Unknown };
        }
        Self::invalid(&format!("status {status}"))
    }

    fn invalid(detail: &str) -> Self {
        let error = ApiError::InvalidResponse { detail: detail.to_owned() };
        Self { error, certainty: Certainty::Final }
    }

    pub(super) fn into_error(self) -> ApiError {
        self.error
    }

    /// How long to pause after the given attempt (the first is 1), or `None` to give up: because it was the
    /// last, because another may do harm, or because the pause does not fit into the time that remains.
    pub(super) fn pause(&self, attempt: u32, repeatable: bool, remaining: Duration) -> Option<Duration> {
        let may_repeat = match self.certainty {
            Certainty::NotDone => true,
            Certainty::Unknown => repeatable,
            Certainty::Final => false,
        };
        if attempt >= MAX_ATTEMPTS || !may_repeat {
            return None;
        }
        let asked = match &self.error {
            ApiError::RateLimited { retry_after } => *retry_after,
            _ => Duration::ZERO,
        };
        let pause = asked.saturating_add(backoff(attempt));
        (pause.saturating_add(TIME_FOR_AN_ANSWER) <= remaining).then_some(pause)
    }
}

/// Exponential with full jitter, so that many callers do not come back at once.
fn backoff(attempt: u32) -> Duration {
    FIRST_BACKOFF.saturating_mul(1 << (attempt - 1).min(10)).mul_f64(rand::random_range(0.0..=1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(60);

    #[test]
    fn only_what_slack_has_not_done_is_sent_again_if_twice_does_harm() {
        let limited = Failure::refused(ApiError::refused("ratelimited", ""));
        assert!(limited.pause(1, false, LONG).is_some());
        for unknown in [Failure::timed_out(), Failure::from_status(503)] {
            assert!(unknown.pause(1, false, LONG).is_none());
            assert!(unknown.pause(1, true, LONG).is_some());
        }
        for done in [Failure::from_status(404), Failure::refused(ApiError::refused("is_archived", ""))] {
            assert!(done.pause(1, true, LONG).is_none());
        }
    }

    #[test]
    fn a_pause_is_taken_only_if_it_fits() {
        let error = ApiError::RateLimited { retry_after: Duration::from_secs(5) };
        let limited = Failure { error, certainty: Certainty::NotDone };
        assert!(limited.pause(1, false, LONG).unwrap() >= Duration::from_secs(5));
        assert!(limited.pause(1, false, Duration::from_secs(5)).is_none());
        assert!(limited.pause(MAX_ATTEMPTS, false, LONG).is_none());
        let error = ApiError::RateLimited { retry_after: Duration::MAX };
        assert!(Failure { error, certainty: Certainty::NotDone }.pause(1, true, LONG).is_none());
    }
}
