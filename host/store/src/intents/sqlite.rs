//! The journal in a SQLite file.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use serde_json::json;

use crate::{
    database::{
        DatabaseError,
        sqlite::{SqliteDatabase, queue::Queue, read::Question},
        time::time_text,
    },
    intents::{
        Begun, Intent, IntentJournal, IntentState, JournalError, MAX_DATA_LENGTH, MAX_RECENT_TICKETS,
        NewIntent, Saved, Version, check, check_length,
        sqlite::write::Entry,
        stored::{parse_all, parse_begun, parse_one, parse_tickets},
    },
};
use maro_domain::issue::Issue;

mod write;

/// `ask.value` is the id.
const GET: &str = "
    SELECT (SELECT json_group_array(json_array(id, kind, channel_id, user_id, state, data, version,
                created_at, updated_at))
            FROM ticket_intents WHERE id = ask.value)
    FROM json_each(?1) AS ask";

/// `ask.value` is the project's key and the time.
const RECENT: &str = "
    SELECT (SELECT json_group_array(json_array(issue_id, issue_key, summary))
            FROM (SELECT * FROM created_tickets
                  WHERE project_key = ask.value ->> 0 AND created_at >= ask.value ->> 1
                  ORDER BY created_at DESC, issue_id DESC LIMIT ?2))
    FROM json_each(?1) AS ask";

/// The journal in a SQLite file.
pub struct SqliteJournal {
    database: Arc<SqliteDatabase>,
    writer: Queue<Entry, Vec<String>>,
}

impl SqliteJournal {
    pub fn new(database: Arc<SqliteDatabase>) -> Self {
        Self { writer: database.start_writer(), database }
    }
}

#[async_trait]
impl IntentJournal for SqliteJournal {
    async fn begin(&self, intent: &NewIntent, now: Timestamp) -> Result<Begun, JournalError> {
        check(intent)?;
        let version = Version::new();
        let rows = self.writer.ask(write::begin(intent, version, now)).await?;
        let row = rows.first().ok_or_else(|| DatabaseError::unavailable(sqlx::Error::RowNotFound))?;
        Ok(parse_begun(row, version)?)
    }

    async fn save(
        &self,
        id: &str,
        version: Version,
        state: IntentState,
        data: &str,
        now: Timestamp,
    ) -> Result<Saved, JournalError> {
        check_length("data", data, MAX_DATA_LENGTH)?;
        let next = Version::new();
        let written = self.writer.ask(write::save(id, [version, next], state, data, now)).await?;
        Ok(if written.is_empty() { Saved::Lost } else { Saved::Yes(next) })
    }

    async fn claim_abandoned(
        &self,
        idle_before: Timestamp,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<Intent>, JournalError> {
        let claim = write::claim(Version::new(), idle_before, now, limit);
        Ok(parse_all(&self.writer.ask(claim).await?))
    }

    async fn get(&self, id: &str) -> Result<Option<Intent>, JournalError> {
        let question = Question { form: GET, ask: id.into(), limit: 0, offset: 0 };
        Ok(parse_one(&self.database.read(question).await?)?)
    }

    async fn record_tickets(
        &self,
        project_key: &str,
        intent_id: &str,
        tickets: &[Issue],
        now: Timestamp,
    ) -> Result<(), JournalError> {
        self.writer.ask(write::record(project_key, intent_id, tickets, now)).await?;
        Ok(())
    }

    async fn recent_tickets(&self, project_key: &str, since: Timestamp) -> Result<Vec<Issue>, JournalError> {
        let ask = json!([project_key, time_text(since)]);
        let question = Question { form: RECENT, ask, limit: MAX_RECENT_TICKETS, offset: 0 };
        Ok(parse_tickets(&self.database.read(question).await?)?)
    }

    async fn forget_before(&self, before: Timestamp) -> Result<u64, JournalError> {
        Ok(self.writer.ask(write::forget(before)).await?.len() as u64)
    }
}
