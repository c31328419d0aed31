//! An intent in progress: its record, and the proof that this process holds it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{
    audit::Entry,
    database::error::DatabaseError,
    intents::{Intent, IntentError, IntentState, Intents, Saved, Saving, Version},
};
use maro_domain::{
    author::Author,
    ids::{ChannelId, UserId},
    issue::{InvalidIssueKey, IssueId, IssueKey},
    ticket::CreatedTicket,
};
use maro_process::telemetry::error_chain;

/// An intent that this process is working on. The record is what its flow stores, as JSON.
#[derive(Debug)]
pub struct Work<Record> {
    pub id: String,
    pub version: Version,
    pub channel: ChannelId,
    pub user: UserId,
    pub begun_at: Timestamp,
    /// In whose name it is carried on. After a crash, nobody's request is known.
    pub author: Author,
    pub record: Record,
}

/// Why this process can't continue the work.
#[derive(Debug, thiserror::Error)]
pub enum Stop {
    /// Another process or another click has taken it over.
    #[error("another process or click is working on it")]
    Lost,
    #[error("the intent can't be read or written")]
    Store(#[from] IntentError),
    /// The stored record has another shape, for example after a downgrade.
    #[error("the record can't be read")]
    Unreadable,
}

impl Stop {
    /// Whether the database failed, which is logged elsewhere, once.
    pub fn is_outage(&self) -> bool {
        matches!(self, Self::Store(IntentError::Database(_)))
    }
}

impl From<DatabaseError> for Stop {
    fn from(error: DatabaseError) -> Self {
        Self::Store(error.into())
    }
}

/// Jira's answer to a creation, as stored in records.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ticket {
    pub id: String,
    pub key: String,
}

impl<Record: DeserializeOwned> Work<Record> {
    /// Turns a stored intent into work.
    ///
    /// # Errors
    /// [`Stop::Unreadable`].
    pub fn read(intent: Intent) -> Result<Self, Stop> {
        let Intent { id, version, channel, user, created_at: begun_at, .. } = intent;
        let record = serde_json::from_str(&intent.data).map_err(|error| {
            tracing::error!(intent = id, %error, "can't read an intent's record");
            Stop::Unreadable
        })?;
        let author = Author::host(&channel, &user);
        Ok(Self { id, version, channel, user, begun_at, author, record })
    }
}

impl<Record: Serialize> Work<Record> {
    /// Saves the progress and renews the lease.
    ///
    /// # Errors
    /// [`Stop::Lost`] and [`Stop::Store`]. The latter has been logged.
    pub async fn save(
        &mut self,
        intents: &dyn Intents,
        state: IntentState,
        now: Timestamp,
    ) -> Result<(), Stop> {
        let data = to_json(&self.record);
        let saved = intents.save(&self.id, self.version, state, &data, now).await;
        self.saved(saved)
    }

    /// As [`Work::save`], with entries in the audit log, and only for the first handling of the author's request
    /// that changes anything.
    ///
    /// # Errors
    /// As [`Work::save`].
    pub async fn save_as(
        &mut self,
        intents: &dyn Intents,
        state: IntentState,
        entries: &[Entry<'_>],
        now: Timestamp,
    ) -> Result<(), Stop> {
        let data = to_json(&self.record);
        let saving = Saving { id: &self.id, version: self.version, state, data: &data };
        let saved = intents.save_as(&self.author, saving, entries, now).await;
        self.saved(saved)
    }

    fn saved(&mut self, saved: Result<Saved, IntentError>) -> Result<(), Stop> {
        match saved.inspect_err(|error| {
            tracing::info!(intent = self.id, error = error_chain(error), "can't write an intent");
        })? {
            Saved::Yes(version) => {
                self.version = version;
                Ok(())
            }
            Saved::Lost => Err(Stop::Lost),
        }
    }
}

impl From<CreatedTicket> for Ticket {
    fn from(ticket: CreatedTicket) -> Self {
        Self { id: ticket.id.as_str().to_owned(), key: ticket.key.into_string() }
    }
}

impl Ticket {
    pub fn key(&self) -> Result<IssueKey, InvalidIssueKey> {
        IssueKey::parse(&self.key)
    }

    pub fn id(&self) -> IssueId {
        IssueId::new(self.id.as_str())
    }
}

/// Turns a record into an intent's data.
pub fn to_json<Record: Serialize>(record: &Record) -> String {
    serde_json::to_string(record).expect("records have string keys only")
}
