//! The intents, with somebody who watches the calls.

use async_trait::async_trait;
use jiff::Timestamp;

use crate::{
    audit::{Entry, Noted},
    database::error::DatabaseError,
    intents::{Begun, Intent, IntentError, IntentState, Intents, NewIntent, Saved, Saving, Version},
    observer::{CallError, Observed},
};
use maro_domain::{author::Author, issue::Issue};

impl CallError for IntentError {
    fn of_database(&self) -> Option<&DatabaseError> {
        match self {
            Self::Database(error) => error.of_database(),
            Self::TooLong { .. } => None,
        }
    }
}

#[async_trait]
impl Intents for Observed<dyn Intents> {
    async fn begin(
        &self,
        intent: &NewIntent,
        noted: Option<Noted<'_>>,
        now: Timestamp,
    ) -> Result<Begun, IntentError> {
        self.watch("intent_begin", self.table.begin(intent, noted, now)).await
    }

    async fn save(
        &self,
        id: &str,
        version: Version,
        state: IntentState,
        data: &str,
        now: Timestamp,
    ) -> Result<Saved, IntentError> {
        self.watch("intent_save", self.table.save(id, version, state, data, now)).await
    }

    async fn save_as(
        &self,
        author: &Author,
        saving: Saving<'_>,
        entries: &[Entry<'_>],
        now: Timestamp,
    ) -> Result<Saved, IntentError> {
        self.watch("intent_save", self.table.save_as(author, saving, entries, now)).await
    }

    async fn claim_abandoned(
        &self,
        idle_before: Timestamp,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<Intent>, DatabaseError> {
        self.watch("intents_claim", self.table.claim_abandoned(idle_before, now, limit)).await
    }

    async fn get(&self, id: &str) -> Result<Option<Intent>, DatabaseError> {
        self.watch("intent_get", self.table.get(id)).await
    }

    async fn record_tickets(
        &self,
        project_key: &str,
        intent_id: &str,
        tickets: &[Issue],
        now: Timestamp,
    ) -> Result<(), DatabaseError> {
        self.watch("tickets_record", self.table.record_tickets(project_key, intent_id, tickets, now)).await
    }

    async fn recent_tickets(&self, project_key: &str, since: Timestamp) -> Result<Vec<Issue>, DatabaseError> {
        self.watch("tickets_recent", self.table.recent_tickets(project_key, since)).await
    }

    async fn forget_before(&self, before: Timestamp) -> Result<u64, DatabaseError> {
        self.watch("intents_forget", self.table.forget_before(before)).await
    }

    async fn count_open(&self, bounds: [Timestamp; 3]) -> Result<[u64; 4], DatabaseError> {
        self.watch("intents_count", self.table.count_open(bounds)).await
    }
}
