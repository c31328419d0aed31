//! When to ask Jira again: which pause to take, and when to give up instead.

use std::time::Duration;

use jiff::{Timestamp, fmt::rfc2822::DateTimeParser};
use reqwest::header::{DATE, HeaderMap, HeaderName, RETRY_AFTER};

use crate::error::JiraError;

/// How often a request is sent at most.
pub(super) const MAX_ATTEMPTS: u32 = 3;

/// The bound of the first pause; it doubles with each attempt.
const FIRST_BACKOFF: Duration = Duration::from_millis(100);

/// What is left of the deadline after a pause must suffice for an answer.
const TIME_FOR_AN_ANSWER: Duration = Duration::from_millis(100);

/// The longest wait that is believed.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(24 * 60 * 60);

/// A failure that may pass.
#[derive(Debug)]
pub(super) struct PassingFailure {
    /// What to report if it does not.
    pub(super) error: JiraError,
    /// The wait Jira asks for, if it names one.
    pub(super) retry_after: Option<Duration>,
    /// How often the request may be sent in all.
    pub(super) max_attempts: u32,
}

impl PassingFailure {
    /// How long to pause after the given attempt (the first is 1), or `None` to give up, because it was
    /// the last or because the pause does not fit into the time that remains.
    pub(super) fn pause(&self, attempt: u32, remaining: Duration) -> Option<Duration> {
        if attempt >= self.max_attempts {
            return None;
        }
        let pause = self.retry_after.unwrap_or_default() + backoff(attempt);
        (pause + TIME_FOR_AN_ANSWER <= remaining).then_some(pause)
    }
}

/// Exponential with full jitter, so that many callers do not come back at once.
fn backoff(attempt: u32) -> Duration {
    FIRST_BACKOFF.saturating_mul(1 << (attempt - 1).min(10)).mul_f64(rand::random_range(0.0..=1.0))
}

/// The `Retry-After` of an answer, in seconds or as a date; `None` if it is absent or makes no sense.
///
/// A date is compared with the answer's own `Date`, as the clocks may differ, or else with `now`.
pub(super) fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let wait = match value.parse::<u64>() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => {
            let until = parse_http_date(value)?;
            let sent_at = text(headers, &DATE).and_then(parse_http_date).unwrap_or(now);
            until.duration_since(sent_at).try_into().unwrap_or(Duration::ZERO)
        }
    };
    Some(wait.min(MAX_RETRY_AFTER))
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

fn parse_http_date(text: &str) -> Option<Timestamp> {
    DateTimeParser::new().parse_timestamp(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wait_for(headers: &[(HeaderName, &str)]) -> Option<Duration> {
        let headers = headers.iter().map(|(name, value)| (name.clone(), value.parse().unwrap())).collect();
        retry_after(&headers, "2025-01-01T00:00:00Z".parse().unwrap())
    }

    #[test]
    fn the_wait_is_read_in_seconds_and_as_a_date() {
        let seconds = |count| Some(Duration::from_secs(count));
        assert_eq!(wait_for(&[]), None);
        assert_eq!(wait_for(&[(RETRY_AFTER, " 7 ")]), seconds(7));
        assert_eq!(wait_for(&[(RETRY_AFTER, "Wed, 01 Jan 2025 00:00:09 GMT")]), seconds(9));
        assert_eq!(wait_for(&[(RETRY_AFTER, "Wed, 01 Jan 2020 00:00:00 GMT")]), seconds(0));
        assert_eq!(wait_for(&[(RETRY_AFTER, "99999999999")]), seconds(86_400));
        for nonsense in ["soon", "-1", "1.5", "99999999999999999999999"] {
            assert_eq!(wait_for(&[(RETRY_AFTER, nonsense)]), None, "{nonsense}");
        }
    }

    #[test]
    fn a_date_is_measured_on_jiras_clock() {
        let headers =
            [(RETRY_AFTER, "Wed, 01 Jan 2025 10:00:05 GMT"), (DATE, "Wed, 01 Jan 2025 10:00:00 GMT")];
        assert_eq!(wait_for(&headers), Some(Duration::from_secs(5)));
    }

    #[test]
    fn a_pause_is_taken_only_if_it_fits() {
        let failure = |retry_after: Option<u64>| PassingFailure {
            error: JiraError::TimedOut,
            retry_after: retry_after.map(Duration::from_secs),
            max_attempts: MAX_ATTEMPTS,
        };
        let (long, short) = (Duration::from_secs(60), Duration::from_secs(2));
        assert!(failure(None).pause(1, short).unwrap() <= Duration::from_millis(100));
        assert!(failure(None).pause(2, short).unwrap() <= Duration::from_millis(200));
        assert_eq!(failure(None).pause(3, long), None);
        assert_eq!(failure(None).pause(1, Duration::from_millis(50)), None);
        assert!(failure(Some(5)).pause(1, long).unwrap() >= Duration::from_secs(5));
        assert_eq!(failure(Some(5)).pause(1, short), None);
    }
}
