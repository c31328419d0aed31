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
    issue_fields::{FieldAuthors, IssueFields, LOOKED_AT, Look, Place, SeenFields, fields, keys, look},
    notices::{
        own_change::is_changing,
        sqlite::enqueue::{drop_earlier, is_one_change, is_waiting, same, take_up},
        timing::GATHERING_MS,
    },
};
use maro_domain::issue::{Issue, IssueKey};

/// The lists that hear all, from a place on, so many rows at a time, in the order of their index: `ask.value` is the place,
/// `?2` how many are wanted at most, and `?3` how many are looked at.
macro_rules! looked_at {
    ($($is_wanted:expr),+ $(,)?) => {
        for_each_ask!(
            "WITH page AS MATERIALIZED (
                SELECT listed.channel_id, listed.tracked_at, listed.id, listed.issue_key, listed.issue_id
                FROM channel_notices AS setting CROSS JOIN channel_tracked_issues AS listed
                    ON listed.channel_id = setting.channel_id
                WHERE setting.mode = 'all' AND setting.team_id = '' AND setting.site_id = ''
                    AND setting.channel_id >= ask.value ->> 0
                    AND (setting.channel_id > ask.value ->> 0
                        OR (listed.tracked_at, listed.id) > (ask.value ->> 1, ask.value ->> 2))
                ORDER BY setting.channel_id, listed.tracked_at, listed.id LIMIT ?3),
            wanted AS MATERIALIZED (
                SELECT * FROM page AS listed WHERE listed.issue_id IS NOT NULL AND ",
            $($is_wanted,)+
            " ORDER BY channel_id, tracked_at, id LIMIT ?2)
            SELECT json_array(
                json((SELECT json_group_array(issue_key) FROM wanted)),
                json(coalesce(
                    (SELECT json_array(channel_id, tracked_at, id) FROM wanted
                     ORDER BY channel_id, tracked_at, id LIMIT 1 OFFSET ?2 - 1),
                    (SELECT json_array(channel_id, tracked_at, id) FROM page
                     ORDER BY channel_id, tracked_at, id LIMIT 1 OFFSET ?3 - 1),
                    'null')))"
        )
    };
}

const UNSEEN: &str = looked_at!(
    "NOT EXISTS (
        SELECT 1 FROM issue_fields AS known WHERE known.issue_id = listed.issue_id
            AND (known.last_comment >= 0 OR known.updated_ms > ",
    now_ms!(),
    "))"
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

/// Whether Jira's clock was set back, or its data: what is known is of a time that lies ahead, or Jira was asked long after
/// it and said an earlier one. What came late is of minutes ago at most.
macro_rules! went_back {
    () => {
        concat!(
            "(known.updated_ms + 300000 < unixepoch(fresh.asked_at, 'subsec') * 1000
                OR known.updated_ms > ",
            now_ms!(),
            " + 300000)"
        )
    };
}

const OVERDUE: &str = looked_at!(
    "EXISTS (
        SELECT 1 FROM issue_fields AS known CROSS JOIN issue_freshness AS fresh
            ON fresh.issue_key = listed.issue_key AND fresh.team_id = '' AND fresh.site_id = ''
        WHERE known.issue_id = listed.issue_id AND known.last_comment >= 0 AND fresh.updated_ms IS NOT NULL
            AND (known.updated_ms IS NULL OR known.updated_ms < fresh.updated_ms
                OR (known.updated_ms > fresh.updated_ms AND ",
    went_back!(),
    ")) AND fresh.asked_at < strftime('%Y-%m-%dT%H:%M:%f000Z', 'now', '-10 seconds'))
    AND NOT EXISTS (SELECT 1 FROM paused_channels AS paused WHERE paused.channel_id = listed.channel_id)"
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

/// Whether an answer is older than what is `known`.
macro_rules! is_older {
    () => {
        concat!(
            "((known.updated_ms > ?1 ->> 13) IS TRUE AND NOT EXISTS (
                SELECT 1 FROM issue_freshness AS fresh
                WHERE fresh.issue_key = ?1 ->> 1 AND fresh.team_id = '' AND fresh.site_id = ''
                    AND fresh.updated_ms <= ?1 ->> 13 AND ",
            went_back!(),
            "))"
        )
    };
}

/// Whether a field says what it said, which only has got another name: nobody has changed it.
macro_rules! is_renamed {
    ($field:literal, $set_by:literal) => {
        concat!(
            "coalesce(",
            $set_by,
            " IS NULL AND ids ->> '$.",
            $field,
            "[0]' = ?1 ->> '$[14].",
            $field,
            "[0]' AND ids ->> '$.",
            $field,
            "[1]' = ",
            $field,
            ", false)"
        )
    };
}

/// The arguments are the issue's id and key, the time, the fields and the last comment, how many are new, who changed
/// each, how long a change waits for others, when the issue changed last, and the ids. An older answer tells nothing.
const TELL: &str = concat!(
    "WITH known AS (
        SELECT * FROM issue_fields AS known
        WHERE issue_id = ?1 ->> 0 AND team_id = '' AND site_id = '' AND last_comment >= 0 AND NOT ",
    is_older!(),
    ")
    INSERT INTO notice_outbox (channel_id, issue_id, issue_key, kind, from_status, to_status, set_by, noted_at)
    SELECT listed.channel_id, ?1 ->> 0, listed.issue_key, part.kind, part.was, part.now, part.set_by, ?1 ->> 2
    FROM (
        SELECT 'assignee' AS kind, assignee AS was, ?1 ->> 3 AS now, ?1 ->> 8 AS set_by FROM known
        WHERE assignee <> ?1 ->> 3 AND NOT ",
    is_renamed!("assignee", "?1 ->> 8"),
    " UNION ALL
        SELECT 'priority', priority, ?1 ->> 4, ?1 ->> 9 FROM known WHERE priority <> ?1 ->> 4 AND NOT ",
    is_renamed!("priority", "?1 ->> 9"),
    " UNION ALL
        SELECT 'sprint', sprint, ?1 ->> 5, ?1 ->> 10 FROM known WHERE sprint <> ?1 ->> 5 AND NOT ",
    is_renamed!("sprint", "?1 ->> 10"),
    "
        UNION ALL
        SELECT 'comments', CAST(?1 ->> 7 AS TEXT), CAST(?1 ->> 6 AS TEXT), ?1 ->> 11 FROM known
        WHERE last_comment < ?1 ->> 6 AND ?1 ->> 7 > 0) AS part
    JOIN channel_tracked_issues AS listed ON listed.issue_id = ?1 ->> 0
    JOIN channel_notices AS setting ON setting.channel_id = listed.channel_id AND setting.mode = 'all'
    LEFT JOIN notice_threads AS thread ON thread.channel_id = listed.channel_id AND thread.issue_id = listed.issue_id
    WHERE coalesce(thread.is_muted, 0) = 0
        AND NOT EXISTS (SELECT 1 FROM paused_channels AS paused WHERE paused.channel_id = listed.channel_id)
        AND NOT ",
    is_changing!("listed.issue_key", now_ms!()),
    " AND NOT ",
    is_changing!("'fields of ' || listed.issue_key", now_ms!())
);

/// While Slack takes no messages, what waits of the issue is one change of each kind.
const TAKE_UP: &str = take_up!(
    "channel_tracked_issues AS listed JOIN channel_notices AS setting
        ON setting.channel_id = listed.channel_id AND listed.issue_id = ?1 ->> 0"
);
const DROP_EARLIER: &str = drop_earlier!(
    "channel_tracked_issues AS listed JOIN channel_notices AS setting
        ON setting.channel_id = listed.channel_id AND listed.issue_id = ?1 ->> 0"
);

const QUEUE: &str = concat!(
    "UPDATE channel_notices
    SET due_ms = coalesce(due_ms, CAST(unixepoch('now', 'subsec') * 1000 AS INTEGER) + ?1 ->> 12)
    WHERE mode = 'all' AND EXISTS (
        SELECT 1 FROM notice_outbox AS notice
        WHERE notice.channel_id = channel_notices.channel_id AND notice.issue_id = ?1 ->> 0 AND ",
    is_waiting!("notice"),
    ")"
);

/// Where Jira's data was set back, so were its comments.
const NOTE: &str = concat!(
    "INSERT INTO issue_fields AS known (issue_id, assignee, priority, sprint, last_comment, updated_ms, ids)
    VALUES (?1 ->> 0, ?1 ->> 3, ?1 ->> 4, ?1 ->> 5, ?1 ->> 6, ?1 ->> 13, ?1 ->> 14)
    ON CONFLICT (issue_id, team_id, site_id) DO UPDATE SET assignee = excluded.assignee,
        priority = excluded.priority, sprint = excluded.sprint, ids = excluded.ids,
        last_comment = iif(excluded.updated_ms < known.updated_ms, excluded.last_comment,
            max(known.last_comment, excluded.last_comment)),
        updated_ms = iif(known.last_comment < 0, excluded.updated_ms,
            coalesce(excluded.updated_ms, known.updated_ms))
    WHERE known.last_comment < 0 OR NOT ",
    is_older!(),
    " RETURNING issue_id"
);

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
    async fn unseen(&self, from: &Place, limit: u32) -> Result<Look, DatabaseError> {
        look(&self.database.read(looking(UNSEEN, from, limit)).await?)
    }

    async fn put_off(&self, asked: &[IssueKey]) -> Result<(), DatabaseError> {
        let asked: Vec<&str> = asked.iter().map(IssueKey::as_str).collect();
        self.writer.ask(Statements::new(&[PUT_OFF], vec![json!(asked)])).await.map(drop)
    }

    async fn overdue(&self, from: &Place, limit: u32) -> Result<Look, DatabaseError> {
        look(&self.database.read(looking(OVERDUE, from, limit)).await?)
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
        let SeenFields { assignee, priority, sprint, last_comment, .. } = seen;
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
            seen.stored_ids(),
        ];
        self.writer
            .ask(Statements::new(&[TELL, QUEUE, TAKE_UP, DROP_EARLIER, NOTE], arguments))
            .await
            .map(drop)
    }
}

fn looking(form: &'static str, Place(place): &Place, limit: u32) -> Question {
    let (channel, tracked_at, id) = place.clone().unwrap_or_default();
    Question::of(form, json!([channel, tracked_at, id])).limit(limit).offset(LOOKED_AT)
}
