//! The intents: what MARO is about to do in Jira for somebody. Each is written before Jira is asked and again
//! after Jira has answered, so that nothing is done twice and nothing is lost.
//!
//! Owns the tables `ticket_intents` and `created_tickets`. An intent's flow decides what is in its data, and
//! how to finish one that was left behind.

use async_trait::async_trait;
use jiff::Timestamp;

use crate::{
    audit::{Entry, Noted},
    database::error::DatabaseError,
};
use maro_domain::{
    author::Author,
    ids::{ChannelId, UserId},
    issue::Issue,
};

pub(crate) mod observed;
pub(crate) mod postgres;
pub(crate) mod sqlite;
pub mod work;

mod stored;

/// The maximum length of an intent's id, in bytes.
pub const MAX_ID_LENGTH: usize = 200;

/// The maximum length of an intent's data, in bytes.
pub const MAX_DATA_LENGTH: usize = 256 * 1024;

/// How many tickets [`Intents::recent_tickets`] returns at most.
pub const MAX_RECENT_TICKETS: u32 = 500;

/// Why an intent couldn't be written.
#[derive(Debug, Clone, thiserror::Error)]
pub enum IntentError {
    /// The database failed. If that leaves the outcome uncertain, an intent that was begun belongs to nobody,
    /// and turns up among the abandoned ones.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// The caller's text is too long. Nothing was written.
    #[error("the {what} of an intent is longer than {limit} bytes")]
    TooLong { what: &'static str, limit: usize },
}

/// What to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IntentKind {
    /// Creating a ticket.
    Create,
    /// Linking a ticket to a conversation.
    Link,
    /// Creating the stories of an epic.
    Stories,
    /// Creating a ticket for a plugin.
    PluginCreate,
}

impl IntentKind {
    const ALL: [Self; 4] = [Self::Create, Self::Link, Self::Stories, Self::PluginCreate];

    /// The kind's name in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Link => "link",
            Self::Stories => "stories",
            Self::PluginCreate => "plugin_create",
        }
    }
}

/// The progress of an intent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IntentState {
    /// Nothing has been done yet. Nobody may take it over, because a person is still deciding.
    Draft,
    /// Jira may have been asked, and may have done it.
    Begun,
    /// Jira's result is in the data. The follow-ups are in progress.
    Confirmed,
    /// Everything is done.
    Finished,
    /// It failed, and the person who asked was told.
    Failed,
}

impl IntentState {
    const ALL: [Self; 5] = [Self::Draft, Self::Begun, Self::Confirmed, Self::Finished, Self::Failed];

    /// The state's name in the database.
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

/// Identifies a write to an intent and changes with every write. The one who knows the latest version holds the
/// lease. It is random, so that a retry can recognise its own first attempt if the answer was lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Version(i64);

impl Version {
    /// A new, unique version: 63 random bits.
    fn new() -> Self {
        Self(rand::random::<i64>() & i64::MAX)
    }
}

/// What somebody wants done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewIntent {
    /// The same for the same request, however often it reaches MARO. At most [`MAX_ID_LENGTH`] bytes.
    pub id: String,
    pub kind: IntentKind,
    pub channel: ChannelId,
    pub user: UserId,
    /// [`IntentState::Begun`], or [`IntentState::Draft`] if somebody still has to confirm it.
    pub state: IntentState,
    /// The flow's own JSON. At most [`MAX_DATA_LENGTH`] bytes.
    pub data: String,
}

/// An intent as it is stored.
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
    /// The time of the last write. The holder's lease starts there.
    pub updated_at: Timestamp,
}

/// Who holds an intent after [`Intents::begin`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Begun {
    /// The caller holds it. Only the caller may continue.
    New(Intent),
    /// It was there already, and somebody else holds or held it.
    Known(Intent),
}

/// The outcome of [`Intents::save`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Saved {
    /// It was written. The next save needs this version.
    Yes(Version),
    /// Somebody else has taken over the intent, or it was removed. Nothing was written, and the caller must
    /// do nothing more for it.
    Lost,
}

/// What [`Intents::save_as`] saves.
#[derive(Debug, Clone, Copy)]
pub struct Saving<'a> {
    pub id: &'a str,
    /// The latest version that the caller knows.
    pub version: Version,
    pub state: IntentState,
    pub data: &'a str,
}

/// The intents, and the tickets that came of them. SQLite and PostgreSQL behave the same: one suite tests both.
///
/// Every method is atomic. What is written survives the end of the process, even `kill -9`. Times are kept to
/// the microsecond. They come from the callers, but PostgreSQL takes its own clock's for when an intent is written,
/// unless the caller's is more than a day ago: replicas share the leases, and their clocks differ.
#[async_trait]
pub trait Intents: Send + Sync {
    /// Records an intent before Jira is asked. Of all callers that ever begin the same id, exactly one gets
    /// [`Begun::New`]. An existing intent isn't changed. A new one is in the audit log with `noted`, and begun only
    /// for the first handling of the author's request that changes anything.
    ///
    /// # Errors
    /// Also if a newer MARO wrote the existing intent and this one doesn't understand it, and
    /// [`DatabaseError::Replayed`].
    async fn begin(
        &self,
        intent: &NewIntent,
        noted: Option<Noted<'_>>,
        now: Timestamp,
    ) -> Result<Begun, IntentError>;

    /// Saves an intent's progress if `version` is still its latest, and renews the lease. A holder that needs
    /// long saves from time to time.
    async fn save(
        &self,
        id: &str,
        version: Version,
        state: IntentState,
        data: &str,
        now: Timestamp,
    ) -> Result<Saved, IntentError>;

    /// As [`Intents::save`], with entries in the audit log, and only for the first handling of the author's request
    /// that changes anything.
    ///
    /// # Errors
    /// Also [`DatabaseError::Replayed`].
    async fn save_as(
        &self,
        author: &Author,
        saving: Saving<'_>,
        entries: &[Entry<'_>],
        now: Timestamp,
    ) -> Result<Saved, IntentError>;

    /// Takes over intents that are begun or confirmed and were last written before `idle_before`, or over an hour
    /// after now, by a clock that was wrong: at most `limit`, longest waiting first. Each goes to exactly one of the
    /// replicas that ask. Its former holder's next save is [`Saved::Lost`].
    async fn claim_abandoned(
        &self,
        idle_before: Timestamp,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<Intent>, DatabaseError>;

    /// # Errors
    /// Also if a newer MARO wrote the intent and this one doesn't understand it.
    async fn get(&self, id: &str) -> Result<Option<Intent>, DatabaseError>;

    /// Records tickets that Jira has confirmed as created. May be repeated: each ticket is recorded once,
    /// with the first data given. Statuses aren't stored.
    async fn record_tickets(
        &self,
        project_key: &str,
        intent_id: &str,
        tickets: &[Issue],
        now: Timestamp,
    ) -> Result<(), DatabaseError>;

    /// The tickets of a project recorded at or after `since`, newest first, at most [`MAX_RECENT_TICKETS`].
    /// Their statuses are empty.
    async fn recent_tickets(&self, project_key: &str, since: Timestamp) -> Result<Vec<Issue>, DatabaseError>;

    /// Removes the intents that are drafts, finished or failed and were last written before `before`, and the
    /// tickets recorded before it. Returns the number of removed intents.
    async fn forget_before(&self, before: Timestamp) -> Result<u64, DatabaseError>;

    /// How many intents are begun or confirmed, by when they were first written: at or after the first bound, after
    /// that at or after the second, and so on, and before the last. Each bound is earlier than the one before.
    async fn count_open(&self, bounds: [Timestamp; 3]) -> Result<[u64; 4], DatabaseError>;
}

fn check_length(what: &'static str, text: &str, limit: usize) -> Result<(), IntentError> {
    if text.len() > limit { Err(IntentError::TooLong { what, limit }) } else { Ok(()) }
}

fn check(intent: &NewIntent) -> Result<(), IntentError> {
    check_length("id", &intent.id, MAX_ID_LENGTH)?;
    check_length("data", &intent.data, MAX_DATA_LENGTH)
}
