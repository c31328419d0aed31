//! The intents in a SQLite file.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use serde_json::json;

use crate::{
    audit::{Entry, Noted, author_and_request::Stamp},
    database::{
        error::{self, DatabaseError},
        sqlite::{
            SqliteDatabase,
            read::{Question, for_each_ask},
            statements::StatementQueue,
        },
        time::time_text,
    },
    intents::{
        Begun, Intent, IntentError, IntentState, Intents, MAX_DATA_LENGTH, MAX_RECENT_TICKETS, NewIntent,
        Saved, Saving, Version, check, check_length,
        stored::{parse_all, parse_begun, parse_one, parse_tickets},
    },
};
use maro_domain::{author::Author, issue::Issue};

mod write;

/// `ask.value` is the id.
const GET: &str = for_each_ask!(
    "SELECT json_group_array(json_array(id, kind, channel_id, user_id, state, data, version, created_at,
         updated_at))
     FROM ticket_intents WHERE id = ask.value"
);

/// `ask.value` is the project's key and the time.
const RECENT: &str = for_each_ask!(
    "SELECT json_group_array(json_array(issue_id, issue_key, summary))
     FROM (SELECT * FROM created_tickets
           WHERE project_key = ask.value ->> 0 AND created_at >= ask.value ->> 1
           ORDER BY created_at DESC, issue_id DESC LIMIT ?2)"
);

/// `ask.value` is the three times.
const COUNT_OPEN: &str = for_each_ask!(
    "SELECT json_array(
         count(*) FILTER (WHERE created_at >= ask.value ->> 0),
         count(*) FILTER (WHERE created_at < ask.value ->> 0 AND created_at >= ask.value ->> 1),
         count(*) FILTER (WHERE created_at < ask.value ->> 1 AND created_at >= ask.value ->> 2),
         count(*) FILTER (WHERE created_at < ask.value ->> 2))
     FROM ticket_intents WHERE state IN ('begun', 'confirmed')"
);

pub(crate) struct SqliteIntents {
    database: Arc<SqliteDatabase>,
    writer: StatementQueue,
}

impl SqliteIntents {
    pub(crate) fn new(database: Arc<SqliteDatabase>) -> Self {
        Self { writer: StatementQueue::on(&database), database }
    }
}

#[async_trait]
impl Intents for SqliteIntents {
    async fn begin(
        &self,
        intent: &NewIntent,
        noted: Option<Noted<'_>>,
        now: Timestamp,
    ) -> Result<Begun, IntentError> {
        check(intent)?;
        let version = Version::new();
        let rows = self.writer.ask(write::begin(intent, noted, version, now)).await?;
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
    ) -> Result<Saved, IntentError> {
        check_length("data", data, MAX_DATA_LENGTH)?;
        let next = Version::new();
        let written = self.writer.ask(write::save(id, [version, next], state, data, now)).await?;
        Ok(if written.is_empty() { Saved::Lost } else { Saved::Yes(next) })
    }

    async fn save_as(
        &self,
        author: &Author,
        saving: Saving<'_>,
        entries: &[Entry<'_>],
        now: Timestamp,
    ) -> Result<Saved, IntentError> {
        let Saving { id, version, state, data } = saving;
        check_length("data", data, MAX_DATA_LENGTH)?;
        let next = Version::new();
        let save = write::save(id, [version, next], state, data, now);
        let written = self.writer.ask(save.noting(&Stamp::new(author, now), entries)).await?;
        Ok(if written.is_empty() { Saved::Lost } else { Saved::Yes(next) })
    }

    async fn claim_abandoned(
        &self,
        idle_before: Timestamp,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<Intent>, DatabaseError> {
        let claim = write::claim(Version::new(), idle_before, now, limit);
        Ok(parse_all(&self.writer.ask(claim).await?))
    }

    async fn get(&self, id: &str) -> Result<Option<Intent>, DatabaseError> {
        parse_one(&self.database.read(Question::of(GET, id)).await?)
    }

    async fn record_tickets(
        &self,
        project_key: &str,
        intent_id: &str,
        tickets: &[Issue],
        now: Timestamp,
    ) -> Result<(), DatabaseError> {
        self.writer.ask(write::record(project_key, intent_id, tickets, now)).await?;
        Ok(())
    }

    async fn recent_tickets(&self, project_key: &str, since: Timestamp) -> Result<Vec<Issue>, DatabaseError> {
        let ask = json!([project_key, time_text(since)]);
        parse_tickets(&self.database.read(Question::of(RECENT, ask).limit(MAX_RECENT_TICKETS)).await?)
    }

    async fn forget_before(&self, before: Timestamp) -> Result<u64, DatabaseError> {
        let before = [json!(time_text(before))];
        self.writer.remove_in_batches(&[write::FORGET_TICKETS], &before).await?;
        self.writer.remove_in_batches(&[write::FORGET_INTENTS], &before).await
    }

    async fn count_open(&self, bounds: [Timestamp; 3]) -> Result<[u64; 4], DatabaseError> {
        let ask = json!(bounds.map(time_text));
        error::parse(&self.database.read(Question::of(COUNT_OPEN, ask)).await?)
    }
}
