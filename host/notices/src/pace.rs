//! How often a channel gets a message, and how long to pause after what Slack said.

use std::time::Duration;

use maro_slack::web_api::{error::ApiError, posting_once::PostFailure};

/// Slack takes about one message a second in a channel.
pub(crate) const PACE: Duration = Duration::from_secs(1);

/// While Slack can't be reached.
pub(crate) const OUTAGE_PAUSE: Duration = Duration::from_secs(5);

/// Before the channel's history is asked for a message that Slack didn't confirm.
const UNCONFIRMED_PAUSE: Duration = Duration::from_secs(3);

/// The first pause after Slack has refused a message, and the longest.
const REFUSED_PAUSE: Duration = Duration::from_secs(15);
const MAX_REFUSED_PAUSE: Duration = Duration::from_secs(300);

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
