//! Until when the server may begin a change.
//!
//! What MARO gave up on must not happen later: a network can hold a statement back for a minute and deliver it
//! then, after the person was told that it failed and did something else. So each change carries a deadline in
//! the server's own time, and the server refuses what arrives after it. Within a transaction,
//! `idle_in_transaction_session_timeout` does the same for the COMMIT.

use std::time::Instant;

/// The condition that a change arrives in time: the last argument, such as `"$3"`, which [`super::attempt`] binds.
/// Otherwise the statement fails with [`TOO_LATE`], and a sentence for the server's log. That sentence has the
/// server's time in it, so that no planner works it out in advance, and fails by that.
macro_rules! in_time {
    ($deadline:literal) => {
        concat!(
            "CASE WHEN statement_timestamp() < to_timestamp(",
            $deadline,
            "::float8) THEN true ELSE ('arrived at ' || statement_timestamp() || ', after ' || to_timestamp(",
            $deadline,
            "::float8))::boolean END"
        )
    };
}
pub(crate) use in_time;

/// The code of the error by which a statement that arrived too late fails.
pub(super) const TOO_LATE: &str = "22P02";

/// The clock of the server at the other end of a connection.
#[derive(Debug, Clone, Copy)]
pub(super) struct ServerClock {
    seconds: f64,
    read_at: Instant,
}

impl ServerClock {
    /// The server has just said that it has so many seconds since 1970. It said so before `read_at`, so this
    /// clock is slow rather than fast, and a deadline early rather than late.
    pub(super) fn new(seconds: f64, read_at: Instant) -> Self {
        Self { seconds, read_at }
    }

    /// What the server's clock shows at a moment, in seconds since 1970.
    pub(super) fn at(&self, moment: Instant) -> f64 {
        self.seconds + moment.saturating_duration_since(self.read_at).as_secs_f64()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_servers_clock_goes_on_from_what_it_said() {
        let now = Instant::now();
        let clock = ServerClock::new(1_000.5, now);
        assert!((clock.at(now + Duration::from_millis(1_500)) - 1_002.0).abs() < 1e-6);
    }
}
