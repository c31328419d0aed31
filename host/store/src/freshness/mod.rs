//! How fresh what the lists show is: when Jira was last asked about each issue, and whose turn is next. Several
//! replicas share the issues: what one has claimed the others leave alone, and what it doesn't return in time they
//! take over.
//!
//! Owns the table `issue_freshness`, which [`crate::tracker`] writes with its rows: one row for an issue, on however
//! many lists it is. The times of claims are the database's own, since the clocks of replicas differ.

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use serde::Deserialize;

use crate::database::{
    error::{self, DatabaseError},
    time::{StoredTime, millis},
};
use maro_domain::issue::{Issue, IssueKey};

pub(crate) mod observed;
pub(crate) mod postgres;
pub(crate) mod sqlite;

/// How long a claim lasts unless it is renewed: so long a replica that died holds up its issues.
pub const CLAIM: Duration = Duration::from_secs(5);

/// When Jira was last asked about the issues that wait longest. What it was never asked about isn't among them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waiting {
    pub oldest: Timestamp,
    /// Of a hundred issues, one waits for longer.
    pub oldest_but_one_percent: Timestamp,
}

/// What is too old.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ages {
    pub before: Timestamp,
    /// What is later than this by minutes was written before a clock was set back. It says nothing.
    pub now: Timestamp,
}

/// The freshness of issues. SQLite and PostgreSQL behave the same: one suite tests both.
#[async_trait]
pub trait Freshness: Send + Sync {
    /// Claims at most `limit` issues about which Jira was last asked before `ages.before` or never, and those that
    /// have to be read at once, longest waiting first. Nobody else gets them until they are recorded, released, or
    /// [`CLAIM`] is over.
    async fn claim(&self, ages: Ages, limit: u32, holder: i64) -> Result<Vec<IssueKey>, DatabaseError>;

    /// Keeps what `holder` has claimed for another [`CLAIM`].
    async fn renew(&self, holder: i64) -> Result<(), DatabaseError>;

    /// Gives back what `holder` has claimed and not recorded.
    async fn release(&self, holder: i64) -> Result<(), DatabaseError>;

    /// Gives back issues that Jira couldn't serve. They have their next turn as if Jira had been asked about them at
    /// `until`; when it was last asked stays.
    async fn put_off(&self, keys: &[IssueKey], until: Timestamp) -> Result<(), DatabaseError>;

    /// Has an issue read at once, by each of the keys under which lists have it. Finds them by its key or Jira's id.
    async fn forget(&self, issue: &Issue) -> Result<(), DatabaseError>;

    /// For each issue, in order, whether a list has it, and not as Jira has it by now as far as its time of the last
    /// change says.
    async fn is_outdated(&self, issues: &[Issue]) -> Result<Vec<bool>, DatabaseError>;

    /// `None` if Jira was asked about nothing yet.
    async fn waiting(&self) -> Result<Option<Waiting>, DatabaseError>;
}

fn parse_keys(texts: Vec<String>) -> Vec<IssueKey> {
    let keys = texts.into_iter().filter_map(|text| {
        let key = IssueKey::parse(&text);
        if key.is_err() {
            tracing::warn!(issue_key = text, "skipped an issue with an invalid issue_key");
        }
        key.ok()
    });
    keys.collect()
}

/// Reads the positions of issues, of which there are `count`.
fn parse_positions(json: &str, count: usize) -> Result<Vec<bool>, DatabaseError> {
    let positions: Vec<usize> = error::parse(json)?;
    let mut flags = vec![false; count];
    for position in positions {
        if let Some(flag) = flags.get_mut(position) {
            *flag = true;
        }
    }
    Ok(flags)
}

fn parse_waiting(json: &str) -> Result<Option<Waiting>, DatabaseError> {
    #[derive(Deserialize)]
    struct Stored(Option<StoredTime>, Option<StoredTime>);
    let Stored(oldest, late) = error::parse(json)?;
    let time = |stored: Option<StoredTime>| stored.and_then(|time| time.0);
    let Some(oldest) = time(oldest) else { return Ok(None) };
    Ok(Some(Waiting { oldest, oldest_but_one_percent: time(late).unwrap_or(oldest) }))
}

fn claim_ms() -> i64 {
    millis(CLAIM)
}
