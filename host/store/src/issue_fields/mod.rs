//! What is known of the fields of issues that some channel hears all about, and what channels are told when it changes.
//!
//! Owns the table `issue_fields`. A change is written to the outbox in the transaction that changes what is known, so of
//! several replicas that see it, one has it told.
//!
//! A row whose `last_comment` is below 0 says that nothing could be read of the issue: so many times in a row, and
//! `updated_ms` is when it may be asked for again.

use std::collections::BTreeSet;

use async_trait::async_trait;
use jiff::Timestamp;

use crate::database::error::DatabaseError;
use maro_domain::issue::{Issue, IssueKey};

pub(crate) mod observed;
pub(crate) mod postgres;
pub(crate) mod sqlite;

/// Fields of an issue, as Jira shows them. What is empty isn't set.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SeenFields {
    pub assignee: String,
    pub priority: String,
    pub sprint: String,
    /// The id of the last comment; 0 if there is none.
    pub last_comment: i64,
    /// What is read back has none.
    pub ids: FieldIds,
}

/// The ids of what fields say, as far as they're known: it may only have got another name, which nobody is told of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FieldIds {
    pub assignee: Option<String>,
    pub priority: Option<String>,
    pub sprint: Option<String>,
}

impl SeenFields {
    /// Each with the name that it has: an older release keeps the ids when it writes other names.
    fn stored_ids(&self) -> serde_json::Value {
        let Self { assignee, priority, sprint, ids, .. } = self;
        serde_json::json!({
            "assignee": [ids.assignee, assignee],
            "priority": [ids.priority, priority],
            "sprint": [ids.sprint, sprint],
        })
    }
}

/// Who changed what, as far as it's known, and how many comments are new.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FieldAuthors {
    pub assignee: Option<String>,
    pub priority: Option<String>,
    pub sprint: Option<String>,
    pub comments: Option<String>,
    pub new_comments: u32,
}

/// Where a look through the lists that hear all has got to: the channel, and when the last issue was tracked there, as it's
/// stored, with the row's number. `None`: the beginning.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Place(Option<(String, String, i64)>);

impl Place {
    pub fn is_beginning(&self) -> bool {
        self.0.is_none()
    }
}

/// What a look at some of these lists found, and where the next one goes on, which is the beginning after the end.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Look {
    pub keys: Vec<IssueKey>,
    pub next: Place,
}

/// How many rows are looked at at once: where there are many, the database isn't asked to read them all.
const LOOKED_AT: u32 = 5_000;

/// What is known of fields. SQLite and PostgreSQL behave the same: one suite tests both.
#[async_trait]
pub trait IssueFields: Send + Sync {
    /// Issues on lists of channels that hear all, of which nothing is known yet, and that aren't put off. A few thousand
    /// rows are looked at.
    async fn unseen(&self, from: &Place, limit: u32) -> Result<Look, DatabaseError>;

    /// Jira was asked for these issues. Those of which nothing is known for all that are left alone for a while, which
    /// doubles each time.
    async fn put_off(&self, keys: &[IssueKey]) -> Result<(), DatabaseError>;

    /// Issues on lists of channels that hear all that changed after their fields were read, by Jira's own clock, or of which
    /// that isn't known. What was read in the last seconds isn't among them: somebody may be at it. So what a replica
    /// didn't get to before it stopped is read by another. A few thousand rows are looked at.
    async fn overdue(&self, from: &Place, limit: u32) -> Result<Look, DatabaseError>;

    /// Those of these issues that are on lists of channels that hear all.
    async fn watched(&self, keys: &[IssueKey]) -> Result<Vec<IssueKey>, DatabaseError>;

    /// What is known of an issue.
    async fn seen(&self, issue: &Issue) -> Result<Option<SeenFields>, DatabaseError>;

    /// Notes what Jira shows, and has channels told what changed. What nothing was known of changes nothing, and what
    /// MARO is changing itself isn't told. An answer whose issue changed last before what is known changes nothing, either,
    /// unless Jira's clock was set back meanwhile.
    async fn note(
        &self,
        issue: &Issue,
        seen: &SeenFields,
        authors: &FieldAuthors,
        now: Timestamp,
    ) -> Result<(), DatabaseError>;
}

/// Reads keys that a database returns as a JSON array, each once.
fn keys(json: &str) -> Result<Vec<IssueKey>, DatabaseError> {
    let keys: BTreeSet<String> = crate::database::error::parse(json)?;
    Ok(keys.into_iter().filter_map(|key| IssueKey::from_string(key).ok()).collect())
}

/// Reads keys, each once, and the place after them.
fn look(json: &str) -> Result<Look, DatabaseError> {
    let (keys, next): (BTreeSet<String>, _) = crate::database::error::parse(json)?;
    let keys = keys.into_iter().filter_map(|key| IssueKey::from_string(key).ok()).collect();
    Ok(Look { keys, next: Place(next) })
}

/// Reads fields. Empty: there are none.
fn fields(json: &str) -> Result<Option<SeenFields>, DatabaseError> {
    if json.is_empty() {
        return Ok(None);
    }
    let (assignee, priority, sprint, last_comment) = crate::database::error::parse(json)?;
    Ok(Some(SeenFields { assignee, priority, sprint, last_comment, ids: FieldIds::default() }))
}
