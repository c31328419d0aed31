//! What operators and owners of plugins were notified of lately, so that of all replicas one tells it, and nobody
//! again for a while.
//!
//! Owns the table `plugin_refusals`. What is told is mostly that a plugin's file was refused. Anything else has a
//! subject that no file's name can be: with a slash, in brackets or in capitals.

use async_trait::async_trait;
use jiff::Timestamp;

use crate::database::error::DatabaseError;

pub(crate) mod observed;
pub(crate) mod postgres;
pub(crate) mod sqlite;

/// The claims. SQLite and PostgreSQL behave the same: one suite tests both.
#[async_trait]
pub trait NoticeClaims: Send + Sync {
    /// Decides whether the caller has to tell of `subject` in this state. Of all replicas that ask, one gets `true`.
    /// After that, none does, unless the content changes or the last one got it before `told_before`.
    async fn claim(
        &self,
        subject: &str,
        content: &str,
        now: Timestamp,
        told_before: Timestamp,
    ) -> Result<bool, DatabaseError>;

    /// Takes back a claim that was got at `claimed_at`, because nobody could be told.
    async fn release(&self, subject: &str, claimed_at: Timestamp) -> Result<(), DatabaseError>;
}
