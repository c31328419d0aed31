//! The journal: what MARO is about to do in Jira for somebody, written down before Jira is asked and after
//! it has answered, so that nothing is done twice and nothing is lost.
//!
//! Owns the tables `ticket_intents` and `created_tickets`. What stands in an intent's data, and how one that
//! was left behind is brought to its end, is the business of its flow.

use std::{error::Error, sync::Arc};

use async_trait::async_trait;
use jiff::Timestamp;

use crate::database::DatabaseError;
use maro_domain::{
    ids::{ChannelId, UserId},
    issue::Issue,
};

pub mod open;
pub mod postgres;
pub mod sqlite;
pub mod work;

mod stored;

/// The longest id of an intent, in bytes.
pub const MAX_ID_LENGTH: usize = 200;

/// The longest data of an intent, in bytes.
pub const MAX_DATA_LENGTH: usize = 256 * 1024;

/// The most tickets that [`IntentJournal::recent_tickets`] gives.
pub const MAX_RECENT_TICKETS: u32 = 500;

/// Why the journal could not be read or written.
///
/// After a failed write the journal may, rarely, hold it all the same: the database took it and the answer
/// was lost. An intent that was begun that way belongs to nobody, and turns up among the abandoned ones.
#[derive(Debug, Clone, thiserror::Error)]
pub enum JournalError {
    /// The database refuses, is gone, or is too busy to give a connection; or a newer MARO wrote the
    /// intent, and this one does not understand it.
    #[error("the database is unavailable")]
    Unavailable(#[source] Arc<dyn Error + Send + Sync>),
    /// The database did not answer in time.
    #[error("the database did not answer in time")]
    TimedOut,
    /// The caller asks for more than fits. Nothing was written.
    #[error("the {what} of an intent is longer than {limit} bytes")]
    TooLong { what: &'static str, limit: usize },
}

impl From<DatabaseError> for JournalError {
    fn from(error: DatabaseError) -> Self {
        match error {
            DatabaseError::Unavailable(source) | DatabaseError::Uncertain(source) => {
                Self::Unavailable(source)
            }
            DatabaseError::TimedOut => Self::TimedOut,
        }
    }
}

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IntentKind {
    /// Creating a ticket.
    Create,
    /// Linking a ticket to a conversation.
    Link,
    /// Creating the stories of an epic.
    Stories,
    /// Creating a ticket that a plugin asks for.
    PluginCreate,
}

impl IntentKind {
    const ALL: [Self; 4] = [Self::Create, Self::Link, Self::Stories, Self::PluginCreate];

    /// The name under which the kind is stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Link => "link",
            Self::Stories => "stories",
            Self::PluginCreate => "plugin_create",
        }
    }
}

/// How far an intent has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IntentState {
    /// Wanted, and nothing done: not to be taken over by anyone, for somebody still thinks about it.
    Draft,
    /// Jira may have been asked, and may have done it.
    Begun,
    /// Jira's result is in the data. What follows from it is under way.
    Confirmed,
    /// All is done.
    Finished,
    /// It came to nothing, and whoever asked was told.
    Failed,
}

impl IntentState {
    const ALL: [Self; 5] = [Self::Draft, Self::Begun, Self::Confirmed, Self::Finished, Self::Failed];

    /// The name under which the state is stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Begun => "begun",
            Self::Confirmed => "confirmed",
            Self::Finished => "finished",
            Self::Failed => "failed",
        }
    }
}

/// Names a write to an intent, and is another after every write: who knows the last one holds the lease.
/// Chosen by chance, so that a write that is made again after its answer was lost knows itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Version(i64);

impl Version {
    /// A version that no write has had: 63 bits by chance.
    fn new() -> Self {
        Self(rand::random::<i64>() & i64::MAX)
    }
}

/// What somebody wants done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewIntent {
    /// The same for the same wish, however often it reaches MARO; at most [`MAX_ID_LENGTH`] bytes.
    pub id: String,
    pub kind: IntentKind,
    pub channel: ChannelId,
    pub user: UserId,
    /// [`IntentState::Begun`], or [`IntentState::Draft`] for what somebody still has to confirm.
    pub state: IntentState,
    /// JSON, the flow's own; at most [`MAX_DATA_LENGTH`] bytes.
    pub data: String,
}

/// An intent as it stands in the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Intent {
    pub id: String,
    pub kind: IntentKind,
    pub channel: ChannelId,
    pub user: UserId,
    pub state: IntentState,
    pub data: String,
    pub version: Version,
    pub created_at: Timestamp,
    /// The last write, from which the holder's lease runs.
    pub updated_at: Timestamp,
}

/// Whose an intent is after [`IntentJournal::begin`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Begun {
    /// The caller's: it alone may go on.
    New(Intent),
    /// It was there already, and is or was somebody else's.
    Known(Intent),
}

/// What became of [`IntentJournal::save`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Saved {
    /// Written; the next save takes this version.
    Yes(Version),
    /// Somebody else has taken the intent over, or it is forgotten. Nothing was written, and the caller
    /// must do nothing more for it.
    Lost,
}

/// The journal. SQLite and PostgreSQL behave alike: one suite tests both.
///
/// Every method is atomic. What is written survives the end of the process, `kill -9` included. Times are
/// kept to the microsecond; they are the callers', so leases must be long against the differences between
/// the replicas' clocks.
#[async_trait]
pub trait IntentJournal: Send + Sync {
    /// Writes an intent down, before Jira is asked. Of all the callers that ever begin one id exactly one
    /// gets [`Begun::New`]. What is there already is not changed.
    async fn begin(&self, intent: &NewIntent, now: Timestamp) -> Result<Begun, JournalError>;

    /// Writes how far an intent has come, if `version` is still its last, and renews the lease. A holder
    /// that needs long saves what it has from time to time.
    async fn save(
        &self,
        id: &str,
        version: Version,
        state: IntentState,
        data: &str,
        now: Timestamp,
    ) -> Result<Saved, JournalError>;

    /// Takes over intents that are begun or confirmed and were last written before `idle_before`; at most
    /// `limit`, those waiting longest. Each goes to exactly one of the replicas that ask, and its former
    /// holder's next save is [`Saved::Lost`].
    async fn claim_abandoned(
        &self,
        idle_before: Timestamp,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<Intent>, JournalError>;

    async fn get(&self, id: &str) -> Result<Option<Intent>, JournalError>;

    /// Notes tickets that Jira has confirmed as created. May be repeated: a ticket is noted once, with what
    /// was said first. Their statuses are not kept.
    async fn record_tickets(
        &self,
        project_key: &str,
        intent_id: &str,
        tickets: &[Issue],
        now: Timestamp,
    ) -> Result<(), JournalError>;

    /// The tickets of a project noted at or after `since`, newest first, at most [`MAX_RECENT_TICKETS`].
    /// Their statuses are empty.
    async fn recent_tickets(&self, project_key: &str, since: Timestamp) -> Result<Vec<Issue>, JournalError>;

    /// Removes the intents that are drafts, finished or failed and were last written before `before`, and the
    /// tickets noted before it. How many intents those were.
    async fn forget_before(&self, before: Timestamp) -> Result<u64, JournalError>;
}

fn check_length(what: &'static str, text: &str, limit: usize) -> Result<(), JournalError> {
    if text.len() > limit { Err(JournalError::TooLong { what, limit }) } else { Ok(()) }
}

fn check(intent: &NewIntent) -> Result<(), JournalError> {
    check_length("id", &intent.id, MAX_ID_LENGTH)?;
    check_length("data", &intent.data, MAX_DATA_LENGTH)
}
