//! Asking again: which failures may pass, which pause to take, and when to give up instead.

use std::{error::Error, time::Duration};

use jiff::{Timestamp, fmt::rfc2822::DateTimeParser};
use reqwest::header::{DATE, HeaderMap, HeaderName, RETRY_AFTER};
use tokio::time::Instant;

/// What is left of the deadline after a pause must suffice for an answer.
const TIME_FOR_AN_ANSWER: Duration = Duration::from_millis(100);

/// The longest wait that is believed.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(24 * 60 * 60);

/// An attempt that failed.
#[derive(Debug)]
pub struct Failure<E> {
    pub error: E,
    /// Whether the other side may have acted on the request anyway.
    pub may_have_acted: bool,
    /// Whether the same request may fare better later.
    pub may_pass: bool,
    /// The wait that the other side asks for, if it names one.
    pub retry_after: Option<Duration>,
}

impl<E> Failure<E> {
    /// The other side refuses the request as such.
    pub fn refused(error: E) -> Self {
        Self { error, may_have_acted: false, may_pass: false, retry_after: None }
    }

    /// It won't pass, and the other side may have acted on the request.
    pub fn unclear(error: E) -> Self {
        Self { may_have_acted: true, ..Self::refused(error) }
    }

    /// It may pass, and the other side has certainly not acted on the request.
    pub fn not_done(error: E) -> Self {
        Self { may_pass: true, ..Self::refused(error) }
    }

    /// It may pass, and the other side may have acted on the request.
    pub fn unknown(error: E) -> Self {
        Self { may_pass: true, ..Self::unclear(error) }
    }

    /// The same, with the wait that the other side asks for.
    #[must_use]
    pub fn after(self, retry_after: Option<Duration>) -> Self {
        Self { retry_after, ..self }
    }
}

/// Pauses that double, up to a bound, with jitter: many callers shall not come back at once.
#[derive(Debug, Clone, Copy)]
pub struct Backoff {
    /// The longest that the first pause can be.
    pub first: Duration,
    /// The longest that any pause can be.
    pub longest: Duration,
    /// The least part of a pause that is taken for certain, from 0 to 1.
    pub certain: f64,
}

impl Backoff {
    /// The pause after the given attempt; the first is 1.
    pub fn pause(&self, attempt: u32) -> Duration {
        let bound = self.first.saturating_mul(1 << attempt.saturating_sub(1).min(20)).min(self.longest);
        bound.mul_f64(rand::random_range(self.certain..=1.0))
    }
}

/// How patiently a request is sent again.
#[derive(Debug, Clone, Copy)]
pub struct Retry {
    /// How often it is sent at most.
    pub max_attempts: u32,
    pub backoff: Backoff,
    /// No pause ends later. The caller cuts off an attempt that lasts longer.
    pub deadline: Instant,
    /// Whether it does no harm a second time, so that it is sent again where the first may have worked.
    pub repeatable: bool,
}

impl Retry {
    /// Makes attempts, which are told their number, until one works or no other makes sense.
    ///
    /// # Errors
    /// The last attempt's failure.
    pub async fn run<T, E, F>(&self, mut attempt: impl FnMut(u32) -> F) -> Result<T, Failure<E>>
    where
        E: Error + 'static,
        F: Future<Output = Result<T, Failure<E>>>,
    {
        let mut number = 1;
        loop {
            let failure = match attempt(number).await {
                Ok(done) => return Ok(done),
                Err(failure) => failure,
            };
            let remaining = self.deadline.saturating_duration_since(Instant::now());
            let Some(pause) = self.pause(&failure, number, remaining) else { return Err(failure) };
            tracing::debug!(
                attempt = number,
                ?pause,
                error = &failure.error as &dyn Error,
                "sending a request again"
            );
            tokio::time::sleep(pause).await;
            number += 1;
        }
    }

    /// How long to pause after the given attempt (the first is 1), or `None` to give up: because it was the
    /// last, because another may do harm, or because the pause doesn't fit into the time that remains.
    fn pause<E>(&self, failure: &Failure<E>, attempt: u32, remaining: Duration) -> Option<Duration> {
        let may_repeat = failure.may_pass && (self.repeatable || !failure.may_have_acted);
        if !may_repeat || attempt >= self.max_attempts {
            return None;
        }
        let pause = failure.retry_after.unwrap_or_default().saturating_add(self.backoff.pause(attempt));
        (pause.saturating_add(TIME_FOR_AN_ANSWER) <= remaining).then_some(pause)
    }
}

/// The `Retry-After` of an answer, in seconds or as a date; `None` if it is absent or makes no sense.
///
/// A date is compared with the answer's own `Date`, as the clocks may differ, or else with `now`.
pub fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let value = text(headers, &RETRY_AFTER)?.trim();
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
    use std::{fmt, future};

    use super::*;

    const LONG: Duration = Duration::from_secs(60);

    #[derive(Debug)]
    struct Broken;

    impl Error for Broken {}

    impl fmt::Display for Broken {
        fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter.write_str("broken")
        }
    }

    fn retry(repeatable: bool) -> Retry {
        let first = Duration::from_millis(100);
        let backoff = Backoff { first, longest: Duration::from_millis(150), certain: 0.5 };
        Retry { max_attempts: 3, backoff, deadline: Instant::now() + LONG, repeatable }
    }

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
    fn a_date_is_measured_on_its_senders_clock() {
        let headers =
            [(RETRY_AFTER, "Wed, 01 Jan 2025 10:00:05 GMT"), (DATE, "Wed, 01 Jan 2025 10:00:00 GMT")];
        assert_eq!(wait_for(&headers), Some(Duration::from_secs(5)));
    }

    #[test]
    fn pauses_double_up_to_a_bound_and_are_spread() {
        for (attempt, bound) in [(0, 100), (1, 100), (2, 150), (3, 150), (1_000, 150)] {
            let bound = Duration::from_millis(bound);
            let pause = retry(true).backoff.pause(attempt);
            assert!((bound / 2..=bound).contains(&pause), "{attempt}: {pause:?}");
        }
    }

    #[test]
    fn a_pause_is_taken_only_if_it_fits() {
        let (retry, short) = (retry(true), Duration::from_secs(2));
        let failure = |seconds: Option<u64>| Failure::not_done(()).after(seconds.map(Duration::from_secs));
        assert!(retry.pause(&failure(None), 1, short).unwrap() <= Duration::from_millis(100));
        assert_eq!(retry.pause(&failure(None), 3, LONG), None);
        assert_eq!(retry.pause(&failure(None), 1, Duration::from_millis(120)), None);
        assert!(retry.pause(&failure(Some(5)), 1, LONG).unwrap() >= Duration::from_secs(5));
        assert_eq!(retry.pause(&failure(Some(5)), 1, short), None);
        assert_eq!(retry.pause(&Failure::not_done(()).after(Some(Duration::MAX)), 1, LONG), None);
    }

    #[test]
    fn only_what_was_certainly_not_done_is_sent_again_if_twice_does_harm() {
        for (failure, harmless, harmful) in [
            (Failure::not_done(()), true, true),
            (Failure::unknown(()), true, false),
            (Failure::unclear(()), false, false),
            (Failure::refused(()), false, false),
        ] {
            let is_repeated = |repeatable| retry(repeatable).pause(&failure, 1, LONG).is_some();
            assert_eq!((is_repeated(true), is_repeated(false)), (harmless, harmful), "{failure:?}");
        }
    }

    #[tokio::test]
    async fn attempts_are_numbered_and_the_last_failure_is_told() {
        let none = Backoff { first: Duration::ZERO, longest: Duration::ZERO, certain: 0.0 };
        let retry = Retry { backoff: none, ..retry(true) };
        let mut numbers = Vec::new();
        let outcome: Result<(), _> = retry
            .run(|number| {
                numbers.push(number);
                future::ready(Err(Failure::unknown(Broken)))
            })
            .await;
        assert_eq!(numbers, [1, 2, 3]);
        assert!(outcome.unwrap_err().may_have_acted);
        let second = retry
            .run(|number| future::ready(if number == 2 { Ok(number) } else { Err(Failure::unknown(Broken)) }))
            .await;
        assert_eq!(second.ok(), Some(2));
    }
}
