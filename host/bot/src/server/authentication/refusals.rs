//! Requests whose signature is wrong, told to the operator: a secret or a clock may be. Whoever sends such requests
//! without end gets one line a minute of each kind.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// How long a kind stays quiet after a line.
const QUIET: Duration = Duration::from_secs(60);

/// Why a request was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refused {
    /// It isn't signed with Slack's secret.
    NotSlacks,
    /// It isn't signed with the webhook's secret.
    NotJiras,
    /// It was signed, for an address that doesn't exist.
    NoSuchAddress,
    /// It was signed at another time, by Slack's clock and ours.
    Stale { seconds_off: u64 },
}

/// When each kind was last logged.
#[derive(Debug, Default)]
pub(crate) struct Refusals([LastLine; 4]);

#[derive(Debug, Default)]
struct LastLine(Mutex<Option<Instant>>);

impl Refusals {
    pub(crate) fn note(&self, refused: Refused) {
        let [slack, jira, stale, lost] = &self.0;
        let now = Instant::now();
        match refused {
            Refused::NotSlacks if slack.is_due(now) => tracing::warn!(
                "refused a request that isn't signed with SLACK_SIGNING_SECRET; if Slack sent it, copy the secret of \
                 this Slack app again"
            ),
            Refused::NotJiras if jira.is_due(now) => tracing::warn!(
                "refused a webhook that isn't signed with JIRA_WEBHOOK_SECRET and doesn't have it in its address; if \
                 Jira sent it, give the webhook the same secret there"
            ),
            // The address isn't shown: Jira's may hold a secret.
            Refused::NoSuchAddress if lost.is_due(now) => tracing::warn!(
                "a signed request came to an address that MARO doesn't have; if Slack or Jira sent it, compare the \
                 addresses there with the README's"
            ),
            Refused::Stale { seconds_off } if stale.is_due(now) => tracing::warn!(
                seconds_off,
                "refused a request whose signature time is too far from this machine's clock; if Slack sent \
                it, set the clock"
            ),
            _ => {}
        }
    }
}

impl LastLine {
    fn is_due(&self, now: Instant) -> bool {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_due = last.is_none_or(|last| now.saturating_duration_since(last) >= QUIET);
        if is_due {
            *last = Some(now);
        }
        is_due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_has_one_line_a_minute() {
        let (line, now) = (LastLine::default(), Instant::now());
        assert!(line.is_due(now));
        assert!(!line.is_due(now + Duration::from_secs(59)));
        assert!(line.is_due(now + Duration::from_secs(60)));
        assert!(!line.is_due(now + Duration::from_secs(61)));
    }
}
