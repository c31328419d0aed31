//! What is known of fields in PostgreSQL.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;

use crate::{
    database::{
        error::DatabaseError,
        postgres::{PostgresDatabase, attempt::Effect, clock::now_ms, deadline::in_time, lease::Lease},
        time::time_text,
    },
    issue_fields::{FieldAuthors, IssueFields, SeenFields, fields, keys},
    notices::timing::GATHERING_MS,
};
use maro_domain::issue::{Issue, IssueKey};

/// What is known or put off is looked up issue by issue, and each list is left when it has given enough: whatever else
/// joins them reads all that there is.
const UNSEEN: &str = concat!(
    "SELECT coalesce(json_agg(issue_key), '[]')::text FROM (
        SELECT unseen.issue_key FROM channel_notices AS setting CROSS JOIN LATERAL (
            SELECT listed.issue_key FROM channel_tracked_issues AS listed
            WHERE listed.channel_id = setting.channel_id AND listed.issue_id IS NOT NULL
                AND (SELECT true FROM issue_fields AS known
                     WHERE known.issue_id = listed.issue_id AND (known.last_comment >= 0 OR known.updated_ms > ",
    now_ms!(),
    ") LIMIT 1) IS NULL
            LIMIT $1) AS unseen
        WHERE setting.mode = 'all' LIMIT $1) AS unseen"
);

/// Half a minute, and twice as long each time.
const PUT_OFF: &str = concat!(
    "INSERT INTO issue_fields AS known (issue_id, assignee, priority, sprint, last_comment, updated_ms)
    SELECT issue_id, '', '', '', -1, ",
    now_ms!(),
    " + 30000 FROM (
        SELECT DISTINCT issue_id FROM channel_tracked_issues
        WHERE issue_key = ANY($1) AND issue_id IS NOT NULL) AS listed
    WHERE ",
    in_time!("$2"),
    " ORDER BY issue_id
    ON CONFLICT (issue_id, team_id, site_id) DO UPDATE SET last_comment = known.last_comment - 1, updated_ms = ",
    now_ms!(),
    " + (30000::bigint << least(-known.last_comment, 7)::int)
    WHERE known.last_comment < 0"
);

/// As [`UNSEEN`].
const OVERDUE: &str = "
    SELECT coalesce(json_agg(issue_key), '[]')::text FROM (
        SELECT overdue.issue_key FROM channel_notices AS setting CROSS JOIN LATERAL (
            SELECT listed.issue_key FROM channel_tracked_issues AS listed
            CROSS JOIN LATERAL (
                SELECT updated_ms, asked_at FROM issue_freshness AS fresh
                WHERE fresh.issue_key = listed.issue_key AND fresh.team_id = '' AND fresh.site_id = ''
                LIMIT 1) AS fresh
            CROSS JOIN LATERAL (
                SELECT updated_ms, last_comment FROM issue_fields AS known
                WHERE known.issue_id = listed.issue_id LIMIT 1) AS known
            WHERE listed.channel_id = setting.channel_id AND fresh.updated_ms IS NOT NULL
                AND known.last_comment >= 0
                AND (known.updated_ms IS NULL OR known.updated_ms < fresh.updated_ms)
                AND fresh.asked_at < statement_timestamp() - interval '10 seconds'
            LIMIT $1) AS overdue
        WHERE setting.mode = 'all'
            AND NOT EXISTS (SELECT FROM paused_channels AS paused WHERE paused.channel_id = setting.channel_id)
        LIMIT $1) AS overdue";

const WATCHED: &str = "
    SELECT coalesce(json_agg(issue_key), '[]')::text FROM (
        SELECT DISTINCT listed.issue_key FROM channel_tracked_issues AS listed JOIN channel_notices AS setting
            ON setting.channel_id = listed.channel_id AND setting.mode = 'all'
        WHERE listed.issue_key = ANY($1)) AS watched";

const SEEN: &str = "
    SELECT coalesce((SELECT json_build_array(assignee, priority, sprint, last_comment)::text FROM issue_fields
                     WHERE issue_id = $1 AND team_id = '' AND site_id = '' AND last_comment >= 0), '')";

/// Who sees a change at the same time waits here, and then finds it noted.
const LOCK: &str = "
    SELECT issue_id FROM issue_fields WHERE issue_id = $1 AND team_id = '' AND site_id = '' FOR UPDATE";

/// An older answer tells nothing.
const TELL: &str = "
    WITH known AS (
        SELECT * FROM issue_fields
        WHERE issue_id = $1 AND team_id = '' AND site_id = '' AND last_comment >= 0
            AND (updated_ms > $13::bigint) IS NOT TRUE),
    part AS (
        SELECT 'assignee' AS kind, assignee AS was, $3::text AS now, $8::text AS set_by FROM known
        WHERE assignee <> $3
        UNION ALL
        SELECT 'priority', priority, $4::text, $9::text FROM known WHERE priority <> $4
        UNION ALL
        SELECT 'sprint', sprint, $5::text, $10::text FROM known WHERE sprint <> $5
        UNION ALL
        SELECT 'comments', $7::bigint::text, $6::bigint::text, $11::text FROM known
        WHERE last_comment < $6 AND $7 > 0),
    told AS (
        INSERT INTO notice_outbox (channel_id, issue_id, issue_key, kind, from_status, to_status, set_by, noted_at)
        SELECT listed.channel_id, $1, listed.issue_key, part.kind, part.was, part.now, part.set_by,
            $2::text::timestamptz
        FROM part
        JOIN channel_tracked_issues AS listed ON listed.issue_id = $1
        JOIN channel_notices AS setting ON setting.channel_id = listed.channel_id AND setting.mode = 'all'
        LEFT JOIN notice_threads AS thread
            ON thread.channel_id = listed.channel_id AND thread.issue_id = listed.issue_id
        WHERE thread.is_muted IS NOT TRUE
            AND NOT EXISTS (SELECT FROM paused_channels AS paused WHERE paused.channel_id = listed.channel_id)
            AND NOT EXISTS (
            SELECT FROM own_changes AS own WHERE own.issue_key IN (listed.issue_key, 'fields of ' || listed.issue_key)
                AND own.until_ms > (extract(epoch FROM statement_timestamp()) * 1000)::bigint)
        RETURNING channel_id)
    UPDATE channel_notices
    SET due_ms = coalesce(due_ms, (extract(epoch FROM statement_timestamp()) * 1000)::bigint + $12)
    WHERE channel_id IN (SELECT channel_id FROM told)";

const NOTE: &str = "
    INSERT INTO issue_fields AS known (issue_id, assignee, priority, sprint, last_comment, updated_ms)
    VALUES ($1, $2, $3, $4, $5, $6)
    ON CONFLICT (issue_id, team_id, site_id) DO UPDATE SET assignee = excluded.assignee,
        priority = excluded.priority, sprint = excluded.sprint,
        last_comment = greatest(known.last_comment, excluded.last_comment),
        updated_ms = CASE WHEN known.last_comment < 0 THEN excluded.updated_ms
            ELSE coalesce(excluded.updated_ms, known.updated_ms) END
    WHERE known.last_comment < 0 OR (known.updated_ms > excluded.updated_ms) IS NOT TRUE";

/// What is known of fields in PostgreSQL.
pub(crate) struct PostgresIssueFields {
    database: Arc<PostgresDatabase>,
}

impl PostgresIssueFields {
    pub(crate) fn new(database: Arc<PostgresDatabase>) -> Self {
        Self { database }
    }
}

#[async_trait]
impl IssueFields for PostgresIssueFields {
    async fn unseen(&self, limit: u32) -> Result<Vec<IssueKey>, DatabaseError> {
        keys(&self.database.read(|| sqlx::query(UNSEEN).bind(i64::from(limit))).await?)
    }

    async fn put_off(&self, asked: &[IssueKey]) -> Result<(), DatabaseError> {
        let asked: Vec<String> = asked.iter().map(ToString::to_string).collect();
        let statement = || sqlx::query(PUT_OFF).bind(asked.clone());
        self.database.execute(Effect::Repeatable, statement).await.map(drop)
    }

    async fn overdue(&self, limit: u32) -> Result<Vec<IssueKey>, DatabaseError> {
        keys(&self.database.read(|| sqlx::query(OVERDUE).bind(i64::from(limit))).await?)
    }

    async fn watched(&self, asked: &[IssueKey]) -> Result<Vec<IssueKey>, DatabaseError> {
        let asked: Vec<String> = asked.iter().map(ToString::to_string).collect();
        keys(&self.database.read(|| sqlx::query(WATCHED).bind(asked.clone())).await?)
    }

    async fn seen(&self, issue: &Issue) -> Result<Option<SeenFields>, DatabaseError> {
        fields(&self.database.read(|| sqlx::query(SEEN).bind(issue.id.as_str())).await?)
    }

    async fn note(
        &self,
        issue: &Issue,
        seen: &SeenFields,
        authors: &FieldAuthors,
        now: Timestamp,
    ) -> Result<(), DatabaseError> {
        let now = &time_text(now);
        let noted = self.database.attempt(Effect::Repeatable, |mut lease, _| async move {
            note(&mut lease, issue, seen, authors, now).await
        });
        noted.await
    }
}

async fn note(
    lease: &mut Lease,
    issue: &Issue,
    seen: &SeenFields,
    authors: &FieldAuthors,
    now: &str,
) -> Result<(), sqlx::Error> {
    let id = issue.id.as_str();
    let SeenFields { assignee, priority, sprint, last_comment } = seen;
    let updated_ms = issue.updated_at.map(Timestamp::as_millisecond);
    lease.begin().await?;
    lease.fetch_all(sqlx::query(LOCK).bind(id)).await?;
    let told = sqlx::query(TELL)
        .bind(id)
        .bind(now)
        .bind(assignee)
        .bind(priority)
        .bind(sprint)
        .bind(last_comment)
        .bind(i64::from(authors.new_comments))
        .bind(authors.assignee.as_deref())
        .bind(authors.priority.as_deref())
        .bind(authors.sprint.as_deref())
        .bind(authors.comments.as_deref())
        .bind(GATHERING_MS)
        .bind(updated_ms);
    lease.execute(told).await?;
    let noted = sqlx::query(NOTE).bind(id).bind(assignee).bind(priority).bind(sprint).bind(last_comment);
    lease.execute(noted.bind(updated_ms)).await?;
    lease.commit().await
}
