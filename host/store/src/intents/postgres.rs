//! The intents in PostgreSQL. Other replicas may write them at the same time.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;

use crate::{
    audit::{
        Entry, Noted,
        author_and_request::Stamp,
        postgres::replay_guard::{note_all, note_one, outcome, stamped},
    },
    database::{
        error::{self, DatabaseError},
        postgres::{PostgresDatabase, attempt::Effect, deadline::in_time},
        time::time_text,
    },
    intents::{
        Begun, Intent, IntentError, IntentState, Intents, MAX_DATA_LENGTH, MAX_RECENT_TICKETS, NewIntent,
        Saved, Saving, Version, check, check_length,
        stored::{parse_all, parse_begun, parse_one, parse_tickets},
    },
};
use maro_domain::{author::Author, issue::Issue};

/// A statement that returns an intent as JSON.
macro_rules! returning_intent {
    ($($before:expr),+; $after:literal) => {
        concat!(
            $($before,)+
            "json_build_array(intent.id, intent.kind, intent.channel_id, intent.user_id, intent.state,
                intent.data, intent.version, (extract(epoch FROM intent.created_at) * 1000000)::bigint,
                (extract(epoch FROM intent.updated_at) * 1000000)::bigint)",
            $after
        )
    };
}

/// When an intent is written: by the server's clock, since those of replicas differ by more than a lease at times.
/// What is more than a day ago is meant: so an intent is given up.
macro_rules! written_at {
    ($now:literal) => {
        concat!(
            "CASE WHEN ",
            $now,
            "::text::timestamptz < statement_timestamp() - interval '1 day' THEN ",
            $now,
            "::text::timestamptz ELSE statement_timestamp() END"
        )
    };
}

/// On a conflict, this changes nothing. It only makes the statement return the existing row, even one that
/// has just been inserted by another replica.
macro_rules! begin {
    ($after:literal) => {
        returning_intent!(
            "INSERT INTO ticket_intents AS intent
                (id, kind, channel_id, user_id, data, version, state, created_at, updated_at)
             SELECT $10, $11, $12, $13, $14, $15, $16, $17::text::timestamptz, ",
            written_at!("$17"),
            " WHERE ",
            in_time!("$20"),
            " ON CONFLICT (id) DO UPDATE SET id = excluded.id
             RETURNING ";
            $after
        )
    };
}

/// Notes the intent if it is new. `$18` and `$19` are the entry's action and subject; without them there is none.
const BEGIN: &str = concat!(
    "WITH begun AS (",
    begin!("::text AS intent, intent.version = $15 AS is_new"),
    "), noted AS (",
    note_one!("$18::text", "$19::text", "'begun'", "begun WHERE is_new AND $18::text IS NOT NULL"),
    ")",
    outcome!("intent FROM begun", "ARRAY(SELECT intent FROM begun)")
);

/// A retry, after the first answer was lost, finds the version that the first attempt wrote.
const SAVE: &str = concat!(
    "UPDATE ticket_intents SET version = $3, state = $4, data = $5, updated_at = ",
    written_at!("$6"),
    " WHERE id = $1 AND version IN ($2, $3) AND ",
    in_time!("$7")
);

/// As [`SAVE`]. A retry that finds the version that the first attempt wrote also finds its entries.
const SAVE_AS: &str = concat!(
    "WITH held AS MATERIALIZED (
        SELECT id, version FROM ticket_intents WHERE id = $10 AND version IN ($11, $12) FOR UPDATE),
    saved AS (
        UPDATE ticket_intents AS intent
        SET version = $12, state = $13, data = $14, updated_at = ",
    written_at!("$3"),
    " FROM held WHERE intent.id = held.id AND ",
    in_time!("$18"),
    " RETURNING held.version), noted AS (",
    note_all!(
        "entry.action",
        "entry.subject",
        "entry.outcome",
        "saved CROSS JOIN unnest($15::text[], $16::text[], $17::text[]) AS entry (action, subject, outcome)
            WHERE saved.version = $11"
    ),
    ")",
    outcome!("'saved' FROM saved", "ARRAY(SELECT 'saved' FROM saved)")
);

/// Idle by the server's clock, too: that of a replica may be fast, and then it would take over what others work on.
/// Kinds from a newer MARO are left to it. Rows that another replica is taking right now are skipped.
const CLAIM: &str = returning_intent!(
    "WITH abandoned AS MATERIALIZED (
        SELECT id FROM ticket_intents
        WHERE state IN ('begun', 'confirmed') AND kind IN ('create', 'link', 'stories', 'plugin_create')
            AND (updated_at < $3::text::timestamptz OR updated_at > statement_timestamp() + interval '1 hour')
            AND NOT updated_at BETWEEN statement_timestamp() - ($2::text::timestamptz - $3::text::timestamptz)
                AND statement_timestamp() + interval '1 hour' AND ",
    in_time!("$5"),
    " ORDER BY updated_at, id LIMIT $4 FOR UPDATE SKIP LOCKED)
     UPDATE ticket_intents AS intent SET version = $1, updated_at = ",
    written_at!("$2"),
    " FROM abandoned WHERE intent.id = abandoned.id
     RETURNING ";
    "::text"
);

const GET: &str = returning_intent!(
    "SELECT coalesce(json_agg(";
    "), '[]')::text FROM ticket_intents AS intent WHERE intent.id = $1"
);

const RECORD: &str = concat!(
    "INSERT INTO created_tickets (project_key, intent_id, created_at, issue_id, issue_key, summary)
    SELECT $1, $2, $3::timestamptz, issue_id, issue_key, summary
    FROM unnest($4::text[], $5::text[], $6::text[]) AS item (issue_id, issue_key, summary) WHERE ",
    in_time!("$7"),
    " ORDER BY issue_id
    ON CONFLICT DO NOTHING"
);

const RECENT: &str = "
    SELECT coalesce(json_agg(json_build_array(issue_id, issue_key, summary)), '[]')::text
    FROM (SELECT * FROM created_tickets WHERE project_key = $1 AND created_at >= $2::timestamptz
          ORDER BY created_at DESC, issue_id DESC LIMIT $3) AS recent";

const FORGET_TICKETS: &str = concat!(
    "DELETE FROM created_tickets WHERE ctid = ANY(ARRAY(
        SELECT ctid FROM created_tickets WHERE created_at < $1::timestamptz LIMIT $2)) AND ",
    in_time!("$3")
);

const FORGET: &str = concat!(
    "DELETE FROM ticket_intents WHERE id IN (
        SELECT id FROM ticket_intents
        WHERE state IN ('draft', 'finished', 'failed') AND updated_at < $1::timestamptz LIMIT $2)
        AND state IN ('draft', 'finished', 'failed') AND ",
    in_time!("$3")
);

const COUNT_OPEN: &str = "
    SELECT json_build_array(
        count(*) FILTER (WHERE created_at >= $1::timestamptz),
        count(*) FILTER (WHERE created_at < $1::timestamptz AND created_at >= $2::timestamptz),
        count(*) FILTER (WHERE created_at < $2::timestamptz AND created_at >= $3::timestamptz),
        count(*) FILTER (WHERE created_at < $3::timestamptz))::text
    FROM ticket_intents WHERE state IN ('begun', 'confirmed')";

pub(crate) struct PostgresIntents {
    database: Arc<PostgresDatabase>,
}

impl PostgresIntents {
    pub(crate) fn new(database: Arc<PostgresDatabase>) -> Self {
        Self { database }
    }
}

#[async_trait]
impl Intents for PostgresIntents {
    async fn begin(
        &self,
        intent: &NewIntent,
        noted: Option<Noted<'_>>,
        now: Timestamp,
    ) -> Result<Begun, IntentError> {
        check(intent)?;
        let version = Version::new();
        let stamp = &match noted {
            Some(Noted { author, at, .. }) => Stamp::new(author, at),
            None => Stamp::nobody(now),
        };
        let now = &*time_text(now);
        let statement = || {
            stamped(BEGIN, stamp)
                .bind(&intent.id)
                .bind(intent.kind.as_str())
                .bind(intent.channel.as_str())
                .bind(intent.user.as_str())
                .bind(&intent.data)
                .bind(version.0)
                .bind(intent.state.as_str())
                .bind(now)
                .bind(noted.map(|noted| noted.entry.action))
                .bind(noted.map(|noted| noted.entry.subject))
        };
        // A retry recognises its row by the version.
        let rows = self.database.change(stamp.claim(), Effect::Repeatable, statement).await?;
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
        let (next, now) = (Version::new(), time_text(now));
        let statement = || {
            let query = sqlx::query(SAVE).bind(id).bind(version.0).bind(next.0);
            query.bind(state.as_str()).bind(data).bind(now.clone())
        };
        let written = self.database.execute(Effect::Repeatable, statement).await?;
        Ok(if written == 0 { Saved::Lost } else { Saved::Yes(next) })
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
        let (next, stamp) = (Version::new(), &Stamp::new(author, now));
        let column = |text: fn(&Entry<'_>) -> String| -> Vec<String> { entries.iter().map(text).collect() };
        let statement = || {
            stamped(SAVE_AS, stamp)
                .bind(id)
                .bind(version.0)
                .bind(next.0)
                .bind(state.as_str())
                .bind(data)
                .bind(column(|entry| entry.action.to_owned()))
                .bind(column(|entry| entry.subject.to_owned()))
                .bind(column(|entry| entry.outcome.to_owned()))
        };
        let written = self.database.change(stamp.claim(), Effect::Repeatable, statement).await?;
        Ok(if written.is_empty() { Saved::Lost } else { Saved::Yes(next) })
    }

    async fn claim_abandoned(
        &self,
        idle_before: Timestamp,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<Intent>, DatabaseError> {
        let (version, now, idle_before) = (Version::new(), &*time_text(now), &*time_text(idle_before));
        // If the answer is lost, the taken intents count as abandoned again later.
        let statement = || {
            let query = sqlx::query(CLAIM).bind(version.0).bind(now).bind(idle_before);
            query.bind(i64::from(limit))
        };
        Ok(parse_all(&self.database.fetch_all(Effect::Once, statement).await?))
    }

    async fn get(&self, id: &str) -> Result<Option<Intent>, DatabaseError> {
        parse_one(&self.database.read(|| sqlx::query(GET).bind(id)).await?)
    }

    async fn record_tickets(
        &self,
        project_key: &str,
        intent_id: &str,
        tickets: &[Issue],
        now: Timestamp,
    ) -> Result<(), DatabaseError> {
        let now = time_text(now);
        let column = |text: fn(&Issue) -> &str| -> Vec<&str> { tickets.iter().map(text).collect() };
        let statement = || {
            sqlx::query(RECORD)
                .bind(project_key)
                .bind(intent_id)
                .bind(now.clone())
                .bind(column(|ticket| ticket.id.as_str()))
                .bind(column(|ticket| ticket.key.as_str()))
                .bind(column(|ticket| &ticket.summary))
        };
        self.database.execute(Effect::Repeatable, statement).await.map(|_| ())
    }

    async fn recent_tickets(&self, project_key: &str, since: Timestamp) -> Result<Vec<Issue>, DatabaseError> {
        let (since, limit) = (time_text(since), i64::from(MAX_RECENT_TICKETS));
        let query = || sqlx::query(RECENT).bind(project_key).bind(since.clone()).bind(limit);
        parse_tickets(&self.database.read(query).await?)
    }

    async fn forget_before(&self, before: Timestamp) -> Result<u64, DatabaseError> {
        let before = time_text(before);
        self.database.remove_in_batches(|| sqlx::query(FORGET_TICKETS).bind(before.clone())).await?;
        self.database.remove_in_batches(|| sqlx::query(FORGET).bind(before.clone())).await
    }

    async fn count_open(&self, bounds: [Timestamp; 3]) -> Result<[u64; 4], DatabaseError> {
        let [first, second, third] = bounds.map(time_text);
        let query = || sqlx::query(COUNT_OPEN).bind(first.clone()).bind(second.clone()).bind(third.clone());
        error::parse(&self.database.read(query).await?)
    }
}
