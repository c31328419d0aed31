//! What is known of fields in a SQLite file.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use serde_json::json;

use crate::{
    database::{
        error::DatabaseError,
        sqlite::{
            SqliteDatabase,
            clock::now_ms,
            read::{Question, for_each_ask},
            statements::{StatementQueue, Statements},
        },
        time::time_text,
    },
    issue_fields::{FieldAuthors, IssueFields, SeenFields, fields, keys},
    notices::{sqlite::enqueue::is_waiting, timing::GATHERING_MS},
};
use maro_domain::issue::{Issue, IssueKey};

/// `ask.value` isn't used.
const UNSEEN: &str = for_each_ask!(
    "SELECT json_group_array(issue_key) FROM (
        SELECT DISTINCT listed.issue_key FROM channel_notices AS setting CROSS JOIN channel_tracked_issues AS listed
            ON listed.channel_id = setting.channel_id
        WHERE setting.mode = 'all' AND listed.issue_id IS NOT NULL
            AND NOT EXISTS (
                SELECT 1 FROM issue_fields AS known WHERE known.issue_id = listed.issue_id
                    AND (known.last_comment >= 0
                        OR known.updated_ms > CAST(unixepoch('now', 'subsec') * 1000 AS INTEGER)))
        LIMIT ?2)"
);

/// Half a minute, and twice as long each time. The argument is the keys.
const PUT_OFF: &str = concat!(
    "INSERT INTO issue_fields (issue_id, assignee, priority, sprint, last_comment, updated_ms)
    SELECT DISTINCT issue_id, '', '', '', -1, ",
    now_ms!(),
    " + 30000 FROM channel_tracked_issues
    WHERE issue_key IN (SELECT value FROM json_each(?1, '$[0]')) AND issue_id IS NOT NULL
    ON CONFLICT (issue_id, team_id, site_id) DO UPDATE SET last_comment = issue_fields.last_comment - 1,
        updated_ms = ",
    now_ms!(),
    " + (30000 << min(-issue_fields.last_comment, 7))
    WHERE issue_fields.last_comment < 0"
);

/// `ask.value` isn't used.
const OVERDUE: &str = for_each_ask!(
    "SELECT json_group_array(issue_key) FROM (
        SELECT DISTINCT listed.issue_key FROM channel_notices AS setting
        CROSS JOIN channel_tracked_issues AS listed ON listed.channel_id = setting.channel_id
        CROSS JOIN issue_fields AS known ON known.issue_id = listed.issue_id
        CROSS JOIN issue_freshness AS fresh
            ON fresh.issue_key = listed.issue_key AND fresh.team_id = '' AND fresh.site_id = ''
        WHERE setting.mode = 'all' AND fresh.updated_ms IS NOT NULL AND known.last_comment >= 0
            AND (known.updated_ms IS NULL OR known.updated_ms < fresh.updated_ms)
            AND fresh.asked_at < strftime('%Y-%m-%dT%H:%M:%f000Z', 'now', '-10 seconds')
            AND NOT EXISTS (SELECT 1 FROM paused_channels AS paused WHERE paused.channel_id = listed.channel_id)
        LIMIT ?2)"
);

/// `ask.value` is the keys.
const WATCHED: &str = for_each_ask!(
    "SELECT json_group_array(issue_key) FROM (
        SELECT DISTINCT listed.issue_key FROM channel_tracked_issues AS listed JOIN channel_notices AS setting
            ON setting.channel_id = listed.channel_id AND setting.mode = 'all'
        WHERE listed.issue_key IN (SELECT value FROM json_each(ask.value)))"
);

/// `ask.value` is the issue's id.
const SEEN: &str = for_each_ask!(
    "SELECT coalesce((SELECT json_array(assignee, priority, sprint, last_comment) FROM issue_fields
                      WHERE issue_id = ask.value AND team_id = '' AND site_id = '' AND last_comment >= 0), '')"
);

/// The arguments are the issue's id and key, the time, the fields and the last comment, how many are new, who changed
/// each, how long a change waits for others, and when the issue changed last. An older answer tells nothing.
const TELL: &str = "
    WITH known AS (
        SELECT * FROM issue_fields
        WHERE issue_id = ?1 ->> 0 AND team_id = '' AND site_id = '' AND last_comment >= 0
            AND (updated_ms > ?1 ->> 13) IS NOT TRUE)
    INSERT INTO notice_outbox (channel_id, issue_id, issue_key, kind, from_status, to_status, set_by, noted_at)
    SELECT listed.channel_id, ?1 ->> 0, listed.issue_key, part.kind, part.was, part.now, part.set_by, ?1 ->> 2
    FROM (
        SELECT 'assignee' AS kind, assignee AS was, ?1 ->> 3 AS now, ?1 ->> 8 AS set_by FROM known
        WHERE assignee <> ?1 ->> 3
        UNION ALL
        SELECT 'priority', priority, ?1 ->> 4, ?1 ->> 9 FROM known WHERE priority <> ?1 ->> 4
        UNION ALL
        SELECT 'sprint', sprint, ?1 ->> 5, ?1 ->> 10 FROM known WHERE sprint <> ?1 ->> 5
        UNION ALL
        SELECT 'comments', CAST(?1 ->> 7 AS TEXT), CAST(?1 ->> 6 AS TEXT), ?1 ->> 11 FROM known
        WHERE last_comment < ?1 ->> 6 AND ?1 ->> 7 > 0) AS part
    JOIN channel_tracked_issues AS listed ON listed.issue_id = ?1 ->> 0
    JOIN channel_notices AS setting ON setting.channel_id = listed.channel_id AND setting.mode = 'all'
    LEFT JOIN notice_threads AS thread ON thread.channel_id = listed.channel_id AND thread.issue_id = listed.issue_id
    WHERE coalesce(thread.is_muted, 0) = 0
        AND NOT EXISTS (SELECT 1 FROM paused_channels AS paused WHERE paused.channel_id = listed.channel_id)
        AND NOT EXISTS (
        SELECT 1 FROM own_changes AS own WHERE own.issue_key IN (listed.issue_key, 'fields of ' || listed.issue_key)
            AND own.until_ms > CAST(unixepoch('now', 'subsec') * 1000 AS INTEGER))";

const QUEUE: &str = concat!(
    "UPDATE channel_notices
    SET due_ms = coalesce(due_ms, CAST(unixepoch('now', 'subsec') * 1000 AS INTEGER) + ?1 ->> 12)
    WHERE mode = 'all' AND EXISTS (
        SELECT 1 FROM notice_outbox AS notice
        WHERE notice.channel_id = channel_notices.channel_id AND notice.issue_id = ?1 ->> 0 AND ",
    is_waiting!("notice"),
    ")"
);

const NOTE: &str = "
    INSERT INTO issue_fields (issue_id, assignee, priority, sprint, last_comment, updated_ms)
    VALUES (?1 ->> 0, ?1 ->> 3, ?1 ->> 4, ?1 ->> 5, ?1 ->> 6, ?1 ->> 13)
    ON CONFLICT (issue_id, team_id, site_id) DO UPDATE SET assignee = excluded.assignee,
        priority = excluded.priority, sprint = excluded.sprint,
        last_comment = max(issue_fields.last_comment, excluded.last_comment),
        updated_ms = iif(issue_fields.last_comment < 0, excluded.updated_ms,
            coalesce(excluded.updated_ms, issue_fields.updated_ms))
    WHERE issue_fields.last_comment < 0 OR (issue_fields.updated_ms > excluded.updated_ms) IS NOT TRUE
    RETURNING issue_id";

/// What is known of fields in a SQLite file.
pub(crate) struct SqliteIssueFields {
    database: Arc<SqliteDatabase>,
    writer: StatementQueue,
}

impl SqliteIssueFields {
    pub(crate) fn new(database: Arc<SqliteDatabase>) -> Self {
        Self { writer: StatementQueue::on(&database), database }
    }
}

#[async_trait]
impl IssueFields for SqliteIssueFields {
    async fn unseen(&self, limit: u32) -> Result<Vec<IssueKey>, DatabaseError> {
        keys(&self.database.read(Question::of(UNSEEN, serde_json::Value::Null).limit(limit)).await?)
    }

    async fn put_off(&self, asked: &[IssueKey]) -> Result<(), DatabaseError> {
        let asked: Vec<&str> = asked.iter().map(IssueKey::as_str).collect();
        self.writer.ask(Statements::new(&[PUT_OFF], vec![json!(asked)])).await.map(drop)
    }

    async fn overdue(&self, limit: u32) -> Result<Vec<IssueKey>, DatabaseError> {
        keys(&self.database.read(Question::of(OVERDUE, serde_json::Value::Null).limit(limit)).await?)
    }

    async fn watched(&self, asked: &[IssueKey]) -> Result<Vec<IssueKey>, DatabaseError> {
        let asked: Vec<&str> = asked.iter().map(IssueKey::as_str).collect();
        keys(&self.database.read(Question::of(WATCHED, json!(asked))).await?)
    }

    async fn seen(&self, issue: &Issue) -> Result<Option<SeenFields>, DatabaseError> {
        fields(&self.database.read(Question::of(SEEN, issue.id.as_str())).await?)
    }

    async fn note(
        &self,
        issue: &Issue,
        seen: &SeenFields,
        authors: &FieldAuthors,
        now: Timestamp,
    ) -> Result<(), DatabaseError> {
        let SeenFields { assignee, priority, sprint, last_comment } = seen;
        let arguments = vec![
            json!(issue.id.as_str()),
            json!(issue.key.as_str()),
            json!(time_text(now)),
            json!(assignee),
            json!(priority),
            json!(sprint),
            json!(last_comment),
            json!(authors.new_comments),
            json!(authors.assignee),
            json!(authors.priority),
            json!(authors.sprint),
            json!(authors.comments),
            json!(GATHERING_MS),
            json!(issue.updated_at.map(Timestamp::as_millisecond)),
        ];
        self.writer.ask(Statements::new(&[TELL, QUEUE, NOTE], arguments)).await.map(drop)
    }
}
