//! The freshness of issues in a SQLite file, which one process uses.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

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
    freshness::{Ages, Freshness, Waiting, claim_ms, parse_keys, parse_positions, parse_waiting},
};
use maro_domain::issue::{Issue, IssueKey};

/// The rows whose turn has come by a condition. A claim that lasts longer than any was made before the system's clock
/// was set back.
macro_rules! waiting {
    ($condition:literal) => {
        concat!(
            "SELECT rowid AS id FROM issue_freshness WHERE ",
            $condition,
            " AND (held_until_ms <= ",
            now_ms!(),
            " OR held_until_ms > ",
            now_ms!(),
            " + 20000) AND team_id = '' AND site_id = '' ORDER BY due_at LIMIT ?1 ->> 1"
        )
    };
}

/// In the statements of a claim: `?1 ->> 0` is the time, 1 the limit, 2 the holder, 3 the length of the claim, and 4
/// the time after which none can lie.
macro_rules! next {
    () => {
        concat!(
            "rowid IN (SELECT id FROM (SELECT id FROM (",
            waiting!("due_at > ?1 ->> 4"),
            ") UNION ALL SELECT id FROM (",
            waiting!("due_at < ?1 ->> 0"),
            ")) LIMIT ?1 ->> 1)"
        )
    };
}

/// What is on no list any more.
const DROP: &str = concat!(
    "DELETE FROM issue_freshness WHERE ",
    next!(),
    "   AND NOT EXISTS (SELECT 1 FROM channel_tracked_issues AS row
                        WHERE row.issue_key = issue_freshness.issue_key)"
);

/// What is only on lists of channels that nobody can write to waits for another turn.
const SKIP: &str = concat!(
    "UPDATE issue_freshness SET due_at = ?1 ->> 0 WHERE ",
    next!(),
    "   AND NOT EXISTS (
            SELECT 1 FROM channel_tracked_issues AS row WHERE row.issue_key = issue_freshness.issue_key
                AND NOT EXISTS (SELECT 1 FROM paused_channels AS paused WHERE paused.channel_id = row.channel_id))"
);

const CLAIM: &str = concat!(
    "UPDATE issue_freshness SET holder = ?1 ->> 2, held_until_ms = ",
    now_ms!(),
    " + ?1 ->> 3 WHERE ",
    next!(),
    " RETURNING issue_key"
);

/// The arguments are the holder and the length of the claim.
const RENEW: &str = concat!(
    "UPDATE issue_freshness SET held_until_ms = ",
    now_ms!(),
    " + ?1 ->> 1 WHERE held_until_ms > 0 AND holder = ?1 ->> 0"
);

const RELEASE: &str = "
    UPDATE issue_freshness SET holder = NULL, held_until_ms = 0 WHERE held_until_ms > 0 AND holder = ?1 ->> 0";

/// The arguments are the keys and the time. A time that lies ahead by minutes says nothing.
const PUT_OFF: &str = "
    UPDATE issue_freshness SET holder = NULL, held_until_ms = 0,
        due_at = iif(unixepoch(due_at, 'subsec') > unixepoch('now', 'subsec') + 300, ?1 ->> 1, max(due_at, ?1 ->> 1))
    WHERE team_id = '' AND site_id = '' AND issue_key IN (SELECT value FROM json_each(?1, '$[0]'))";

const FORGET: &str = "
    UPDATE issue_freshness SET due_at = ''
    WHERE team_id = '' AND site_id = '' AND issue_key IN (
        SELECT issue_key FROM channel_tracked_issues WHERE issue_key = ?1 ->> 0
        UNION
        SELECT issue_key FROM channel_tracked_issues WHERE issue_id = ?1 ->> 1)";

/// `ask.value` is the issues: key, id and time of the last change.
const OUTDATED: &str = for_each_ask!(
    "SELECT json_group_array(item.key) FROM json_each(ask.value) AS item
     WHERE EXISTS (
        SELECT 1 FROM (
            SELECT row.issue_key, row.channel_id FROM channel_tracked_issues AS row
            WHERE row.issue_key = item.value ->> 0
            UNION
            SELECT row.issue_key, row.channel_id FROM channel_tracked_issues AS row
            WHERE row.issue_id = item.value ->> 1) AS listed
        LEFT JOIN issue_freshness AS known
            ON known.issue_key = listed.issue_key AND known.team_id = '' AND known.site_id = ''
        WHERE (listed.issue_key <> item.value ->> 0 OR (known.updated_ms >= item.value ->> 2) IS NOT TRUE)
            AND NOT EXISTS (
                SELECT 1 FROM paused_channels AS paused WHERE paused.channel_id = listed.channel_id))"
);

/// The place of the one in a hundred is counted in the same index. `ask.value` isn't used.
const WAITING: &str = for_each_ask!(
    "SELECT json_array(
        (SELECT due_at FROM issue_freshness WHERE due_at > '' ORDER BY due_at LIMIT 1),
        (SELECT due_at FROM issue_freshness WHERE due_at > '' ORDER BY due_at
         LIMIT 1 OFFSET (SELECT count(*) / 100 FROM issue_freshness WHERE due_at > '')))"
);

/// How far ahead of now a time may lie: clocks are put right by less now and then.
const AHEAD: SignedDuration = SignedDuration::from_mins(5);

pub(crate) struct SqliteFreshness {
    database: Arc<SqliteDatabase>,
    writer: StatementQueue,
}

impl SqliteFreshness {
    pub(crate) fn new(database: Arc<SqliteDatabase>) -> Self {
        Self { writer: StatementQueue::on(&database), database }
    }
}

#[async_trait]
impl Freshness for SqliteFreshness {
    async fn claim(&self, ages: Ages, limit: u32, holder: i64) -> Result<Vec<IssueKey>, DatabaseError> {
        let latest = ages.now.checked_add(AHEAD).unwrap_or(Timestamp::MAX);
        let times = (json!(time_text(ages.before)), json!(time_text(latest)));
        let arguments = vec![times.0, json!(limit), json!(holder), json!(claim_ms()), times.1];
        Ok(parse_keys(self.writer.ask(Statements::new(&[DROP, SKIP, CLAIM], arguments)).await?))
    }

    async fn renew(&self, holder: i64) -> Result<(), DatabaseError> {
        let arguments = vec![json!(holder), json!(claim_ms())];
        self.writer.ask(Statements::new(&[RENEW], arguments)).await.map(drop)
    }

    async fn release(&self, holder: i64) -> Result<(), DatabaseError> {
        self.writer.ask(Statements::new(&[RELEASE], vec![json!(holder)])).await.map(drop)
    }

    async fn put_off(&self, keys: &[IssueKey], until: Timestamp) -> Result<(), DatabaseError> {
        let keys: Vec<&str> = keys.iter().map(IssueKey::as_str).collect();
        let arguments = vec![json!(keys), json!(time_text(until))];
        self.writer.ask(Statements::new(&[PUT_OFF], arguments)).await.map(drop)
    }

    async fn forget(&self, issue: &Issue) -> Result<(), DatabaseError> {
        let arguments = vec![json!(issue.key.as_str()), json!(issue.id.as_str())];
        self.writer.ask(Statements::new(&[FORGET], arguments)).await.map(drop)
    }

    async fn is_outdated(&self, issues: &[Issue]) -> Result<Vec<bool>, DatabaseError> {
        let ask = issues.iter().map(|issue| {
            let updated_ms = issue.updated_at.map(Timestamp::as_millisecond);
            json!([issue.key.as_str(), issue.id.as_str(), updated_ms])
        });
        let json = self.database.read(Question::of(OUTDATED, ask.collect::<Vec<_>>())).await?;
        parse_positions(&json, issues.len())
    }

    async fn waiting(&self) -> Result<Option<Waiting>, DatabaseError> {
        parse_waiting(&self.database.read(Question::of(WAITING, Value::Null)).await?)
    }
}
