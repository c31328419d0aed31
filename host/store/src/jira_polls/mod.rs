//! When Jira was last asked what has changed. Of several replicas, one asks at a time. One of them leads: what has to
//! be asked for all of them is asked by that one, in few requests, as long as it keeps up.
//!
//! Owns the table `jira_polls`. Its times are the database's own, since the clocks of replicas differ.

use std::time::Duration;

use async_trait::async_trait;

use crate::database::error::DatabaseError;

pub(crate) mod observed;
pub(crate) mod postgres;
pub(crate) mod sqlite;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Turn {
    /// How long ago everything was known that had changed. `None` if never.
    pub known_ago: Option<Duration>,
    /// The moment of the turn, by the database's clock, in milliseconds since 1970.
    pub asked_ms: i64,
}

/// The time of which everything is known that has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Coverage {
    /// How long ago it began.
    pub since_ago: Duration,
    /// How long ago it ended.
    pub until_ago: Duration,
}

/// The turns. SQLite and PostgreSQL behave the same: one suite tests both.
#[async_trait]
pub trait JiraPolls: Send + Sync {
    /// Whether there may be other replicas.
    fn is_shared(&self) -> bool;

    /// Takes a turn, if nobody has for `interval`. Of all replicas that ask, one gets it.
    async fn take_turn(&self, interval: Duration) -> Result<Option<Turn>, DatabaseError>;

    /// Notes that all is known that had changed when the turn was taken. `is_gapless` says whether that is all since
    /// the turn before, too.
    async fn end_turn(&self, turn: Turn, is_gapless: bool) -> Result<(), DatabaseError>;

    /// For how long everything is known that has changed. `None` if not even of now.
    async fn coverage(&self) -> Result<Option<Coverage>, DatabaseError>;

    /// Makes `holder` the replica that asks Jira for all of them, for `time`, unless another is. To do so again
    /// lengthens that time.
    async fn lead(&self, holder: i64, time: Duration) -> Result<bool, DatabaseError>;

    /// Lets another replica lead at once.
    async fn resign(&self, holder: i64) -> Result<(), DatabaseError>;

    /// Whether issues may be read once more that are known not to have changed: of all replicas, one may in each
    /// `pace`.
    async fn may_sweep(&self, pace: Duration) -> Result<bool, DatabaseError>;
}

/// A time that is further ahead was written before the database's clock was set back.
const LONGEST_TERM_MS: i64 = 60_000;

/// Reads a turn: when it was taken, and since when everything is known; 0 is never. A time that is still to come was
/// written before the database's clock was set back.
fn parse(row: &str) -> Option<Turn> {
    let (asked_ms, known_ms) = row.split_once(' ')?;
    let (asked_ms, known_ms) = (asked_ms.parse().ok()?, known_ms.parse::<i64>().ok()?);
    let known_ago = u64::try_from(i64::saturating_sub(asked_ms, known_ms)).ok().filter(|_| known_ms > 0);
    let known_ago = known_ago.map(Duration::from_millis);
    Some(Turn { known_ago, asked_ms })
}

/// Reads since when and until when everything is known, in milliseconds ago.
fn parse_coverage(row: &str) -> Option<Coverage> {
    let (since_ago, until_ago) = row.split_once(' ')?;
    let ago = |text: &str| Some(Duration::from_millis(text.parse::<i64>().ok()?.max(0).unsigned_abs()));
    Some(Coverage { since_ago: ago(since_ago)?, until_ago: ago(until_ago)? })
}
