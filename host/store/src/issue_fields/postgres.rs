//! What is known of fields in PostgreSQL.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;

use crate::{
    database::{
        error::DatabaseError,
        postgres::{
            PostgresDatabase,
            attempt::Effect,
            clock::now_ms,
            deadline::in_time,
            lease::{Lease, Statement},
        },
        time::time_text,
    },
    issue_fields::{FieldAuthors, IssueFields, LOOKED_AT, Look, Place, SeenFields, fields, keys, look},
    notices::{own_change::is_changing, timing::GATHERING_MS},
};
use maro_domain::issue::{Issue, IssueKey};

/// The lists that hear all, from a place on, so many rows at a time, in the order of their index: `$1` is how many are
/// wanted at most, `$2` to `$4` the place, and `$5` how many are looked at. What is known is looked up issue by issue, and
/// each list is left when it has given enough: whatever else joins them reads all that there is.
macro_rules! looked_at {
    ($($is_wanted:expr),+ $(,)?) => {
        concat!(
            "WITH page AS MATERIALIZED (
                SELECT setting.channel_id, listed.tracked_at, listed.id, listed.issue_key, listed.issue_id
                FROM (
                    SELECT channel_id FROM channel_notices
                    WHERE mode = 'all' AND team_id = '' AND site_id = '' AND channel_id >= $2 ORDER BY channel_id)
                    AS setting
                CROSS JOIN LATERAL (
                    SELECT tracked_at, id, issue_key, issue_id FROM channel_tracked_issues AS listed
                    WHERE listed.channel_id = setting.channel_id AND (listed.tracked_at, listed.id) > (
                        CASE setting.channel_id WHEN $2 THEN $3::text::timestamptz ELSE '-infinity' END,
                        CASE setting.channel_id WHEN $2 THEN $4::bigint ELSE 0 END)
                    ORDER BY tracked_at, id LIMIT $5) AS listed
                ORDER BY setting.channel_id, listed.tracked_at, listed.id LIMIT $5),
            wanted AS MATERIALIZED (
                SELECT * FROM page AS listed WHERE listed.issue_id IS NOT NULL AND ",
            $($is_wanted,)+
            " ORDER BY channel_id, tracked_at, id LIMIT $1)
            SELECT json_build_array(
                (SELECT coalesce(json_agg(issue_key), '[]') FROM wanted),
                coalesce(
                    (SELECT json_build_array(channel_id, tracked_at::text, id) FROM wanted
                     ORDER BY channel_id, tracked_at, id LIMIT 1 OFFSET $1 - 1),
                    (SELECT json_build_array(channel_id, tracked_at::text, id) FROM page
                     ORDER BY channel_id, tracked_at, id LIMIT 1 OFFSET $5 - 1)))::text"
        )
    };
}

const UNSEEN: &str = looked_at!(
    "(SELECT true FROM issue_fields AS known
      WHERE known.issue_id = listed.issue_id AND (known.last_comment >= 0 OR known.updated_ms > ",
    now_ms!(),
    ") LIMIT 1) IS NULL"
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

/// Whether Jira's clock was set back, or its data: what is known is of a time that lies ahead, or Jira was asked long after
/// it and said an earlier one. What came late is of minutes ago at most.
macro_rules! went_back {
    () => {
        concat!(
            "(known.updated_ms + 300000 < extract(epoch FROM fresh.asked_at) * 1000
                OR known.updated_ms > ",
            now_ms!(),
            " + 300000)"
        )
    };
}

const OVERDUE: &str = looked_at!(
    "(SELECT true FROM issue_fields AS known CROSS JOIN LATERAL (
          SELECT updated_ms, asked_at FROM issue_freshness AS fresh
          WHERE fresh.issue_key = listed.issue_key AND fresh.team_id = '' AND fresh.site_id = '' LIMIT 1) AS fresh
      WHERE known.issue_id = listed.issue_id AND known.last_comment >= 0 AND fresh.updated_ms IS NOT NULL
          AND (known.updated_ms IS NULL OR known.updated_ms < fresh.updated_ms
              OR (known.updated_ms > fresh.updated_ms AND ",
    went_back!(),
    ")) AND fresh.asked_at < statement_timestamp() - interval '10 seconds' LIMIT 1) IS NOT NULL
    AND NOT EXISTS (SELECT FROM paused_channels AS paused WHERE paused.channel_id = listed.channel_id)"
);

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

/// Whether an answer, whose issue changed last at a time, is older than what is `known`.
macro_rules! is_older {
    ($updated_ms:literal, $key:literal) => {
        concat!(
            "((known.updated_ms > ",
            $updated_ms,
            ") IS TRUE AND NOT EXISTS (
                SELECT FROM issue_freshness AS fresh
                WHERE fresh.issue_key = ",
            $key,
            " AND fresh.team_id = '' AND fresh.site_id = ''
                    AND fresh.updated_ms <= ",
            $updated_ms,
            " AND ",
            went_back!(),
            "))"
        )
    };
}

/// Whether a field says what it said, which only has got another name: nobody has changed it.
macro_rules! is_renamed {
    ($field:literal, $set_by:literal) => {
        concat!(
            "(",
            $set_by,
            "::text IS NULL AND (ids::json #>> '{",
            $field,
            ",0}') = ($15::text::json #>> '{",
            $field,
            ",0}') AND (ids::json #>> '{",
            $field,
            ",1}') = ",
            $field,
            ") IS TRUE"
        )
    };
}

/// An older answer tells nothing. While Slack takes no messages, what waits of an issue is one change of each kind, as
/// with its status: the last begins where the first did, and comments are counted.
const TELL: &str = concat!(
    "WITH known AS (
        SELECT * FROM issue_fields AS known
        WHERE issue_id = $1 AND team_id = '' AND site_id = '' AND last_comment >= 0 AND NOT ",
    is_older!("$13::bigint", "$14"),
    "),
    part AS (
        SELECT 'assignee' AS kind, assignee AS was, $3::text AS now, $8::text AS set_by FROM known
        WHERE assignee <> $3 AND NOT (",
    is_renamed!("assignee", "$8"),
    ") UNION ALL
        SELECT 'priority', priority, $4::text, $9::text FROM known WHERE priority <> $4 AND NOT (",
    is_renamed!("priority", "$9"),
    ") UNION ALL
        SELECT 'sprint', sprint, $5::text, $10::text FROM known WHERE sprint <> $5 AND NOT (",
    is_renamed!("sprint", "$10"),
    ")
        UNION ALL
        SELECT 'comments', $7::bigint::text, $6::bigint::text, $11::text FROM known
        WHERE last_comment < $6 AND $7 > 0),
    wanted AS (
        SELECT listed.channel_id, listed.issue_key, part.*,
            setting.paused_for IS NOT NULL AND setting.held_until_ms <= ",
    now_ms!(),
    " AS is_paused
        FROM part
        JOIN channel_tracked_issues AS listed ON listed.issue_id = $1
        JOIN channel_notices AS setting ON setting.channel_id = listed.channel_id AND setting.mode = 'all'
        LEFT JOIN notice_threads AS thread
            ON thread.channel_id = listed.channel_id AND thread.issue_id = listed.issue_id
        WHERE thread.is_muted IS NOT TRUE
            AND NOT EXISTS (SELECT FROM paused_channels AS paused WHERE paused.channel_id = listed.channel_id)
            AND NOT ",
    is_changing!("listed.issue_key", now_ms!()),
    " AND NOT ",
    is_changing!("'fields of ' || listed.issue_key", now_ms!()),
    "),
    merged AS (
        DELETE FROM notice_outbox AS waiting USING wanted
        WHERE wanted.is_paused AND waiting.channel_id = wanted.channel_id AND waiting.issue_id = $1
            AND waiting.kind = wanted.kind AND waiting.state = 'waiting'
        RETURNING waiting.id, waiting.channel_id, waiting.kind, waiting.from_status, waiting.set_by),
    told AS (
        INSERT INTO notice_outbox (channel_id, issue_id, issue_key, kind, from_status, to_status, set_by, noted_at)
        SELECT channel_id, $1, issue_key, kind,
            CASE kind WHEN 'comments' THEN (was::bigint + (
                    SELECT coalesce(sum(first.from_status::bigint), 0) FROM merged AS first
                    WHERE first.channel_id = wanted.channel_id AND first.kind = wanted.kind))::text
                ELSE coalesce((SELECT first.from_status FROM merged AS first
                               WHERE first.channel_id = wanted.channel_id AND first.kind = wanted.kind
                               ORDER BY first.id LIMIT 1), was) END,
            now, CASE WHEN kind <> 'comments' OR NOT EXISTS (
                    SELECT FROM merged AS first
                    WHERE first.channel_id = wanted.channel_id AND first.kind = wanted.kind
                        AND first.set_by IS DISTINCT FROM wanted.set_by) THEN set_by END,
            $2::text::timestamptz
        FROM wanted
        RETURNING channel_id)
    UPDATE channel_notices SET due_ms = coalesce(due_ms, ",
    now_ms!(),
    " + $12)
    WHERE channel_id IN (SELECT channel_id FROM told)"
);

/// Where Jira's data was set back, so were its comments.
const NOTE: &str = concat!(
    "INSERT INTO issue_fields AS known (issue_id, assignee, priority, sprint, last_comment, updated_ms, ids)
    VALUES ($1, $2, $3, $4, $5, $6, $8)
    ON CONFLICT (issue_id, team_id, site_id) DO UPDATE SET assignee = excluded.assignee,
        priority = excluded.priority, sprint = excluded.sprint, ids = excluded.ids,
        last_comment = CASE WHEN excluded.updated_ms < known.updated_ms THEN excluded.last_comment
            ELSE greatest(known.last_comment, excluded.last_comment) END,
        updated_ms = CASE WHEN known.last_comment < 0 THEN excluded.updated_ms
            ELSE coalesce(excluded.updated_ms, known.updated_ms) END
    WHERE known.last_comment < 0 OR NOT ",
    is_older!("excluded.updated_ms", "$7")
);

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
    async fn unseen(&self, from: &Place, limit: u32) -> Result<Look, DatabaseError> {
        look(&self.database.read(|| looking(UNSEEN, from, limit)).await?)
    }

    async fn put_off(&self, asked: &[IssueKey]) -> Result<(), DatabaseError> {
        let asked: Vec<String> = asked.iter().map(ToString::to_string).collect();
        let statement = || sqlx::query(PUT_OFF).bind(asked.clone());
        self.database.execute(Effect::Repeatable, statement).await.map(drop)
    }

    async fn overdue(&self, from: &Place, limit: u32) -> Result<Look, DatabaseError> {
        look(&self.database.read(|| looking(OVERDUE, from, limit)).await?)
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

fn looking<'q>(statement: &'static str, Place(place): &'q Place, limit: u32) -> Statement<'q> {
    let place = place.as_ref().map(|(channel, tracked_at, id)| (channel.as_str(), tracked_at.as_str(), *id));
    let (channel, tracked_at, id) = place.unwrap_or(("", "-infinity", 0));
    let statement = sqlx::query(statement).bind(i64::from(limit)).bind(channel).bind(tracked_at);
    statement.bind(id).bind(i64::from(LOOKED_AT))
}

async fn note(
    lease: &mut Lease,
    issue: &Issue,
    seen: &SeenFields,
    authors: &FieldAuthors,
    now: &str,
) -> Result<(), sqlx::Error> {
    let id = issue.id.as_str();
    let SeenFields { assignee, priority, sprint, last_comment, .. } = seen;
    let ids = seen.stored_ids().to_string();
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
        .bind(updated_ms)
        .bind(issue.key.as_str())
        .bind(&ids);
    lease.execute(told).await?;
    let noted = sqlx::query(NOTE).bind(id).bind(assignee).bind(priority).bind(sprint).bind(last_comment);
    lease.execute(noted.bind(updated_ms).bind(issue.key.as_str()).bind(&ids)).await?;
    lease.commit().await
}
