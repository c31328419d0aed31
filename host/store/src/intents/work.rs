//! One intention under way: its record, and the journal's word that it is ours.

use jiff::Timestamp;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::intents::{Intent, IntentJournal, IntentState, JournalError, Saved, Version};
use maro_domain::{
    ids::{ChannelId, UserId},
    issue::{InvalidIssueKey, IssueId, IssueKey},
    ticket::CreatedTicket,
};
use maro_process::telemetry::error_chain;

/// An intention that this process works on. What its flow keeps of it is the record, stored as JSON.
#[derive(Debug)]
pub struct Work<Record> {
    pub id: String,
    pub version: Version,
    pub channel: ChannelId,
    pub user: UserId,
    pub begun_at: Timestamp,
    pub record: Record,
}

/// Why work cannot go on here.
#[derive(Debug, thiserror::Error)]
pub enum Stop {
    /// Another process, or another click, has taken it over.
    #[error("somebody else works on it")]
    Lost,
    #[error("the journal fails")]
    Journal(#[from] JournalError),
    /// What the journal holds is of another shape, as after going back to an older version.
    #[error("the record cannot be read")]
    Unreadable,
}

/// Jira's answer to a creation, as records keep it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ticket {
    pub id: String,
    pub key: String,
}

impl<Record: DeserializeOwned> Work<Record> {
    /// What the journal holds, as work.
    ///
    /// # Errors
    /// [`Stop::Unreadable`].
    pub fn read(intent: Intent) -> Result<Self, Stop> {
        let Intent { id, version, channel, user, created_at: begun_at, .. } = intent;
        let record = serde_json::from_str(&intent.data).map_err(|error| {
            tracing::error!(intent = id, %error, "a record of the journal cannot be read");
            Stop::Unreadable
        })?;
        Ok(Self { id, version, channel, user, begun_at, record })
    }
}

impl<Record: Serialize> Work<Record> {
    /// Writes down how far it has come, and that we are still at it.
    ///
    /// # Errors
    /// [`Stop::Lost`], [`Stop::Journal`]; the latter has been logged.
    pub async fn save(
        &mut self,
        journal: &dyn IntentJournal,
        state: IntentState,
        now: Timestamp,
    ) -> Result<(), Stop> {
        let data = to_json(&self.record);
        let saved = journal.save(&self.id, self.version, state, &data, now).await;
        match saved.inspect_err(|error| {
            tracing::error!(intent = self.id, error = error_chain(error), "the journal fails");
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

/// A record as an intent's data.
pub fn to_json<Record: Serialize>(record: &Record) -> String {
    serde_json::to_string(record).expect("records have string keys only")
}
