//! The queue of webhooks in a SQLite file, which one process uses.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use serde_json::{Value, json};

use crate::{
    database::{
        error::DatabaseError,
        sqlite::{
            SqliteDatabase,
            clock::now_ms,
            statements::{StatementQueue, Statements},
        },
        time::millis,
    },
    webhooks::{
        CAPACITY, CLAIM, Changed, KEPT, SetStatus, Webhook, WebhookQueue, max_digests, max_names,
        parse_changed, parse_taken,
    },
};
use maro_domain::issue::{IssueId, IssueKey};

// Of a webhook, 0 is its identifier, 1 the issue's name, 2 its id, 3 its key, 4 the digest of its status, and 5 who
// set it. ?1 ->> 0 are the webhooks, 1 is how many may wait, and 2 names this statement.

macro_rules! listed {
    () => {
        "FROM json_each(?1, '$[0]') AS hook
         WHERE EXISTS (
            SELECT 1 FROM (
                SELECT channel_id FROM channel_tracked_issues AS row WHERE row.issue_key = hook.value ->> 3
                UNION ALL
                SELECT channel_id FROM channel_tracked_issues AS row WHERE row.issue_id = hook.value ->> 2) AS list
            WHERE NOT EXISTS (
                SELECT 1 FROM paused_channels AS paused WHERE paused.channel_id = list.channel_id))"
    };
}

/// The issue's key. A webhook that doesn't say it says the id.
macro_rules! key {
    () => {
        "coalesce(hook.value ->> 3, (
            SELECT row.issue_key FROM channel_tracked_issues AS row WHERE row.issue_id = hook.value ->> 2 LIMIT 1))"
    };
}

/// A webhook that is about an issue on a list, and fits into the queue.
macro_rules! fitting {
    () => {
        concat!(
            listed!(),
            " AND ((SELECT count(*) FROM (SELECT 1 FROM webhook_queue LIMIT ?1 ->> 1)) < ?1 ->> 1
                OR EXISTS (SELECT 1 FROM webhook_queue AS waiting WHERE waiting.issue = hook.value ->> 1))"
        )
    };
}

const FIRST: &str = concat!(
    "INSERT INTO handled_webhooks (identifier, handling, handled_ms)
    SELECT DISTINCT hook.value ->> 0, ?1 ->> 2, ",
    now_ms!(),
    " ",
    fitting!(),
    " AND hook.value ->> 0 IS NOT NULL ON CONFLICT DO NOTHING"
);

/// One row after another, so the last webhook about an issue comes first.
const PUT: &str = concat!(
    "INSERT INTO webhook_queue AS waiting (issue, issue_id, issue_key, status_digest, set_by, noted_ms, due_ms)
    SELECT hook.value ->> 1, hook.value ->> 2, ",
    key!(),
    ", hook.value ->> 4, hook.value ->> 5, ",
    now_ms!(),
    ", ",
    now_ms!(),
    " ",
    fitting!(),
    " AND (hook.value ->> 0 IS NULL OR EXISTS (
            SELECT 1 FROM handled_webhooks
            WHERE identifier = hook.value ->> 0 AND team_id = '' AND site_id = '' AND handling = ?1 ->> 2))
    ORDER BY hook.key
    ON CONFLICT (issue, team_id, site_id) DO UPDATE
    SET issue_key = excluded.issue_key,
        status_digest = substr(coalesce(excluded.status_digest || ' ' || waiting.status_digest,
            excluded.status_digest, waiting.status_digest), 1, ",
    max_digests!(),
    "), set_by = substr(coalesce(excluded.set_by || char(10) || waiting.set_by, excluded.set_by, waiting.set_by),
            1, ",
    max_names!(),
    "),
        version = waiting.version + 1"
);

/// Those for which there was no room.
const REFUSED: &str = concat!(
    "SELECT CAST(hook.key AS TEXT) ",
    listed!(),
    " AND NOT EXISTS (SELECT 1 FROM webhook_queue AS waiting WHERE waiting.issue = hook.value ->> 1)
      AND NOT EXISTS (SELECT 1 FROM handled_webhooks
                      WHERE identifier = hook.value ->> 0 AND team_id = '' AND site_id = '')"
);

/// The arguments are the holder, the limit, the length of the claim, and since when a time must have come. A time
/// that is further ahead than any pause or claim lasts was written before the system's clock was set back.
const TAKE: &str = concat!(
    "UPDATE webhook_queue SET holder = ?1 ->> 0, held_until_ms = ",
    now_ms!(),
    " + ?1 ->> 2 WHERE rowid IN (
        SELECT rowid FROM webhook_queue WHERE (due_ms <= ",
    now_ms!(),
    " - ?1 ->> 3 OR due_ms > ",
    now_ms!(),
    " + 120000) AND (held_until_ms <= ",
    now_ms!(),
    " OR held_until_ms > ",
    now_ms!(),
    " + 20000) ORDER BY noted_ms, rowid LIMIT ?1 ->> 1)
    RETURNING json_array(issue, issue_id, issue_key, status_digest, set_by, version)"
);

const RENEW: &str =
    concat!("UPDATE webhook_queue SET held_until_ms = ", now_ms!(), " + ?1 ->> 1 WHERE holder = ?1 ->> 0");

/// The arguments are the holder, a pause, and what was read: names and versions.
const END: &str = "
    DELETE FROM webhook_queue WHERE holder = ?1 ->> 0 AND EXISTS (
        SELECT 1 FROM json_each(?1, '$[2]') AS read
        WHERE read.value ->> 0 = issue AND read.value ->> 1 = version)";

/// The arguments are the holder, a pause, and what is given back: names and versions.
const PUT_OFF: &str = concat!(
    "UPDATE webhook_queue SET holder = NULL, held_until_ms = 0, due_ms = ",
    now_ms!(),
    " + ?1 ->> 1 WHERE holder = ?1 ->> 0 AND issue IN (
        SELECT unread.value ->> 0 FROM json_each(?1, '$[2]') AS unread)"
);

const PRUNE: &str = concat!(
    "DELETE FROM handled_webhooks WHERE identifier IN (
        SELECT identifier FROM handled_webhooks WHERE handled_ms < ",
    now_ms!(),
    " - ?1 ->> 0 ORDER BY handled_ms LIMIT ?1 ->> 1) RETURNING ''"
);

pub(crate) struct SqliteWebhookQueue {
    writer: StatementQueue,
}

impl SqliteWebhookQueue {
    pub(crate) fn new(database: &Arc<SqliteDatabase>) -> Self {
        Self { writer: StatementQueue::on(database) }
    }

    async fn run(&self, sql: &'static [&'static str], arguments: Vec<Value>) -> Result<(), DatabaseError> {
        self.writer.ask(Statements::new(sql, arguments)).await.map(drop)
    }
}

#[async_trait]
impl WebhookQueue for SqliteWebhookQueue {
    async fn put(&self, webhooks: &[Webhook]) -> Result<Vec<bool>, DatabaseError> {
        let hooks = webhooks.iter().map(|webhook| {
            let status = webhook.status.as_ref();
            json!([
                webhook.identifier,
                webhook.name(),
                webhook.id.as_ref().map(IssueId::as_str),
                webhook.key.as_ref().map(IssueKey::as_str),
                status.map(|status| &status.digest),
                status.map(SetStatus::line),
            ])
        });
        let handling = format!("{:032x}", rand::random::<u128>());
        let arguments = vec![Value::Array(hooks.collect()), json!(CAPACITY), json!(handling)];
        let refused = self.writer.ask(Statements::new(&[FIRST, PUT, REFUSED], arguments)).await?;
        Ok(parse_taken(&refused, webhooks.len()))
    }

    // There is one process, which keeps its own pace.
    async fn claim(
        &self,
        holder: i64,
        limit: u32,
        _: Duration,
        overdue: Duration,
    ) -> Result<Vec<Changed>, DatabaseError> {
        let arguments = vec![json!(holder), json!(limit), json!(millis(CLAIM)), json!(millis(overdue))];
        parse_changed(&self.writer.ask(Statements::new(&[TAKE], arguments)).await?)
    }

    async fn renew(&self, holder: i64) -> Result<(), DatabaseError> {
        self.run(&[RENEW], vec![json!(holder), json!(millis(CLAIM))]).await
    }

    async fn end(&self, holder: i64, read: &[Changed], pause: Duration) -> Result<(), DatabaseError> {
        self.run(&[END, PUT_OFF], vec![json!(holder), json!(millis(pause)), named(read)]).await
    }

    async fn put_off(&self, holder: i64, unread: &[Changed], pause: Duration) -> Result<(), DatabaseError> {
        self.run(&[PUT_OFF], vec![json!(holder), json!(millis(pause)), named(unread)]).await
    }

    async fn prune(&self) -> Result<(), DatabaseError> {
        self.writer.remove_in_batches(&[PRUNE], &[json!(millis(KEPT))]).await.map(drop)
    }
}

/// The names and versions of issues.
fn named(issues: &[Changed]) -> Value {
    issues.iter().map(|changed| json!([changed.name, changed.version])).collect()
}
