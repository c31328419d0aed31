//! The audit log: who changed what, when and where. And which requests have changed something, so that none does twice.
//!
//! Owns the tables `audit_log` and `audit_retention`. The modules of other tables write an entry in the transaction
//! of their own change, by `author_and_request.rs` and the statements in `replay_guard.rs` of each database. The
//! first entry of a request has the request, which is unique: so whatever is changed for it a second time fails as a
//! whole.

use async_trait::async_trait;
use jiff::Timestamp;

use crate::database::error::DatabaseError;
use maro_domain::{author::Author, request_token::RequestToken};

pub(crate) mod author_and_request;
pub mod export;
pub(crate) mod observed;
pub(crate) mod postgres;
pub(crate) mod sqlite;

/// What is done, and how it ended or that it's about to begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry<'a> {
    /// Such as `comment`.
    pub action: &'a str,
    /// What is changed: a key, a name. Never its content.
    pub subject: &'a str,
    /// `begun`, `done`, `refused`, `failed`, `missing` or `uncertain`.
    pub outcome: &'a str,
}

/// A change of the database, as the log has it.
#[derive(Debug, Clone, Copy)]
pub struct Noted<'a> {
    pub author: &'a Author,
    pub entry: Entry<'a>,
    pub at: Timestamp,
}

/// How far [`AuditLog::prune`] has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pruned {
    /// Somebody has pruned it not long ago.
    NotDue,
    /// So many entries were removed.
    Removed(u64),
}

/// The audit log. SQLite and PostgreSQL behave the same: one suite tests both.
///
/// Entries are never changed, and go only by [`AuditLog::prune`]: the databases refuse anything else.
#[async_trait]
pub trait AuditLog: Send + Sync {
    /// Notes what is about to be changed elsewhere, such as in Jira, for the author's request.
    ///
    /// # Errors
    /// [`DatabaseError::Replayed`] if another handling of the request has changed something. Then it mustn't be
    /// done.
    async fn begin(&self, author: &Author, entry: Entry<'_>, now: Timestamp) -> Result<(), DatabaseError>;

    /// Notes what has ended, or was refused. Takes no care of the author's request.
    async fn note(&self, author: &Author, entry: Entry<'_>, now: Timestamp) -> Result<(), DatabaseError>;

    /// Whether another handling of a request has changed something.
    async fn is_replay(&self, request: &RequestToken) -> Result<bool, DatabaseError>;

    /// Removes the entries before `kept_since`, if nobody has done so since `due_before`. Of all replicas that
    /// ask, one does it.
    async fn prune(
        &self,
        kept_since: Timestamp,
        due_before: Timestamp,
        now: Timestamp,
    ) -> Result<Pruned, DatabaseError>;
}
