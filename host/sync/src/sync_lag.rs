//! How long an issue may have changed without MARO knowing it: the oldest, and the oldest of 99 in a hundred.

use std::time::Duration;

use jiff::Timestamp;

use maro_process::metrics::Metrics;
use maro_store::freshness::Waiting;

/// The time of which all changes are known.
#[derive(Debug, Clone, Copy)]
pub(crate) struct KnownTime {
    pub(crate) since: Timestamp,
    pub(crate) until_ago: Duration,
}

/// Shows it in the metrics. `waiting`: when Jira was last asked of those issues that it's longest ago for.
pub(crate) fn show(metrics: &Metrics, waiting: Option<Waiting>, known: Option<KnownTime>, now: Timestamp) {
    let lag = |asked_at| lag(now, asked_at, known);
    metrics.sync_lag.set(waiting.map_or(0, |waiting| lag(waiting.oldest)));
    metrics.sync_lag_99th.set(waiting.map_or(0, |waiting| lag(waiting.oldest_but_one_percent)));
}

/// For how many seconds an issue may have changed without MARO knowing it.
fn lag(now: Timestamp, asked_at: Timestamp, known: Option<KnownTime>) -> i64 {
    let age = now.duration_since(asked_at).as_secs().max(0);
    let known = known.filter(|known| known.since <= asked_at);
    known.map_or(age, |known| age.min(i64::try_from(known.until_ago.as_secs()).unwrap_or(i64::MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_not_to_have_changed_is_as_fresh_as_that_is_known() {
        let time = |second| Timestamp::from_second(second).unwrap();
        let known = Some(KnownTime { since: time(100), until_ago: Duration::from_secs(20) });
        assert_eq!(lag(time(1_000), time(99), known), 901);
        assert_eq!(lag(time(1_000), time(100), known), 20);
        assert_eq!(lag(time(1_000), time(990), known), 10);
        assert_eq!(lag(time(1_000), time(100), None), 900);
        assert_eq!(lag(time(1_000), time(1_001), known), 0);
    }
}
