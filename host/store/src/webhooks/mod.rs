//! What Jira's webhooks say has changed, until it's read: a bounded queue with one row for each issue, which the
//! replicas drain together. A claim that isn't ended or renewed in time is over, so what a replica was reading when
//! it died is read by another.
//!
//! Owns the tables `webhook_queue` and `handled_webhooks`. Their times are the database's own, since the clocks of
//! replicas differ.

use std::time::Duration;

use async_trait::async_trait;
use serde::Deserialize;

use crate::database::error::{self, DatabaseError};
use maro_domain::issue::{IssueId, IssueKey};

pub(crate) mod observed;
pub(crate) mod postgres;
pub(crate) mod sqlite;

/// How long a claim lasts unless it is renewed: so long a replica that died holds up its issues.
pub const CLAIM: Duration = Duration::from_secs(5);

/// How many issues may wait.
pub const CAPACITY: i64 = 20_000;

/// How long it's known which webhooks were taken. Jira repeats one five times, each a quarter of an hour later at most.
const KEPT: Duration = Duration::from_secs(2 * 60 * 60);

/// A webhook that says that an issue has changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Webhook {
    /// Names this webhook, however often it's sent. `None`: its sender names none.
    pub identifier: Option<String>,
    pub id: Option<IssueId>,
    /// `None`: only the id is known. The key that a list has for it is as good.
    pub key: Option<IssueKey>,
    /// What stands for the status that somebody set, and who did.
    pub status: Option<SetStatus>,
}

/// How much is kept of the statuses that were set while an issue waits, in characters: five digests, and names of 100
/// at most beside them. A webhook that comes late mustn't hide who set the status that Jira shows.
macro_rules! max_digests {
    () => {
        "324"
    };
}

macro_rules! max_names {
    () => {
        "1000"
    };
}

use {max_digests, max_names};

/// A status that somebody set. The status itself isn't kept: Jira may not show it to MARO.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetStatus {
    /// SHA-256 of its name, in hexadecimal.
    pub digest: String,
    pub by: String,
}

/// An issue to read, as far as webhooks told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changed {
    /// Its name in the queue.
    pub name: String,
    pub id: Option<IssueId>,
    pub key: IssueKey,
    /// The statuses that were set since, as far as webhooks told: that of the last webhook first.
    pub statuses: Vec<SetStatus>,
    /// Counts the webhooks about it.
    pub version: i64,
}

/// The queue. SQLite and PostgreSQL behave the same: one suite tests both.
#[async_trait]
pub trait WebhookQueue: Send + Sync {
    /// Puts issues into the queue, unless they're on no list or the webhook was taken before. Returns for each
    /// webhook, in order, whether that is all that there is to do with it: if not, the queue has no room, and it must
    /// come again.
    async fn put(&self, webhooks: &[Webhook]) -> Result<Vec<bool>, DatabaseError>;

    /// Claims at most `limit` issues, longest waiting first. If fewer wait, replicas that share the queue claim some
    /// only once in `pace`, so that Jira is asked for them together. Only issues whose time came `overdue` ago are
    /// claimed: the others are another replica's.
    async fn claim(
        &self,
        holder: i64,
        limit: u32,
        pace: Duration,
        overdue: Duration,
    ) -> Result<Vec<Changed>, DatabaseError>;

    /// Keeps what `holder` has claimed for another [`CLAIM`].
    async fn renew(&self, holder: i64) -> Result<(), DatabaseError>;

    /// Removes issues that `holder` has claimed and read. Those about which another webhook came meanwhile are given
    /// back, to be read after `pause`. What else it has claimed it keeps.
    async fn end(&self, holder: i64, read: &[Changed], pause: Duration) -> Result<(), DatabaseError>;

    /// Gives back issues that `holder` has claimed and couldn't read, to be read after `pause`.
    async fn put_off(&self, holder: i64, unread: &[Changed], pause: Duration) -> Result<(), DatabaseError>;

    /// Forgets the webhooks that don't come again.
    async fn prune(&self) -> Result<(), DatabaseError>;
}

impl SetStatus {
    /// The name as it's stored.
    fn line(&self) -> String {
        self.by.replace(['\n', '\r'], " ")
    }
}

impl Webhook {
    /// The issue's name in the queue.
    fn name(&self) -> &str {
        let key = || self.key.as_ref().map_or("", IssueKey::as_str);
        self.id.as_ref().map_or_else(key, IssueId::as_str)
    }
}

/// Reads the positions of webhooks, of which there are `count`, for which there was no room.
fn parse_taken(positions: &[String], count: usize) -> Vec<bool> {
    let mut taken = vec![true; count];
    for position in positions.iter().filter_map(|position| position.parse::<usize>().ok()) {
        if let Some(flag) = taken.get_mut(position) {
            *flag = false;
        }
    }
    taken
}

/// Reads digests, with a space between each two, and the names that belong to them, one a line.
fn statuses(digests: &str, names: &str) -> Vec<SetStatus> {
    let digests = digests.split(' ').filter(|digest| !digest.is_empty());
    let set = |(digest, by): (&str, &str)| SetStatus { digest: digest.to_owned(), by: by.to_owned() };
    digests.zip(names.lines()).map(set).collect()
}

/// Reads claimed issues, each a JSON array.
fn parse_changed(rows: &[String]) -> Result<Vec<Changed>, DatabaseError> {
    #[derive(Deserialize)]
    struct Stored(String, Option<String>, String, Option<String>, Option<String>, i64);
    let mut changed = Vec::with_capacity(rows.len());
    for row in rows {
        let Stored(name, id, key, digest, by, version) = error::parse(row)?;
        let Ok(key) = IssueKey::parse(&key) else { continue };
        let statuses = statuses(&digest.unwrap_or_default(), &by.unwrap_or_default());
        changed.push(Changed { name, id: id.map(IssueId::new), key, statuses, version });
    }
    Ok(changed)
}
