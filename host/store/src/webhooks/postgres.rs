//! The queue of webhooks in PostgreSQL, which several replicas fill and drain.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;

use crate::{
    database::{
        error::DatabaseError,
        postgres::{PostgresDatabase, attempt::Effect, clock::now_ms, deadline::in_time},
        time::millis,
    },
    webhooks::{
        CAPACITY, CLAIM, Changed, KEPT, SetStatus, Webhook, WebhookQueue, max_digests, max_names,
        parse_changed, parse_taken,
    },
};
use maro_domain::issue::{IssueId, IssueKey};

/// Issues are put in the order of their names, so that two replicas can't wait for one another. Returns the positions
/// of the webhooks for which there is no room; `$7` is how much there is.
const PUT: &str = concat!(
    "WITH webhook AS (
        SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[]) WITH ORDINALITY
            AS webhook (identifier, issue, issue_id, issue_key, status_digest, set_by, place)),
    listed AS MATERIALIZED (
        SELECT * FROM webhook
        WHERE EXISTS (
            SELECT FROM (
                SELECT channel_id FROM channel_tracked_issues AS row WHERE row.issue_key = webhook.issue_key
                UNION ALL
                SELECT channel_id FROM channel_tracked_issues AS row WHERE row.issue_id = webhook.issue_id) AS list
            WHERE NOT EXISTS (
                SELECT FROM paused_channels AS paused WHERE paused.channel_id = list.channel_id)) AND ",
    in_time!("$8"),
    "),
    room AS MATERIALIZED (
        SELECT count(*) < $7 AS is_there FROM (SELECT FROM webhook_queue LIMIT $7) AS waiting),
    fitting AS MATERIALIZED (
        SELECT * FROM listed
        WHERE (SELECT is_there FROM room)
            OR EXISTS (SELECT FROM webhook_queue AS waiting WHERE waiting.issue = listed.issue)),
    first AS (
        INSERT INTO handled_webhooks (identifier, handled_ms)
        SELECT DISTINCT identifier, ",
    now_ms!(),
    " FROM fitting WHERE identifier IS NOT NULL ORDER BY identifier
        ON CONFLICT DO NOTHING
        RETURNING identifier),
    put AS (
        INSERT INTO webhook_queue AS waiting
            (issue, issue_id, issue_key, status_digest, set_by, noted_ms, due_ms)
        SELECT issue, max(issue_id), coalesce(
            (array_agg(issue_key ORDER BY place DESC) FILTER (WHERE issue_key IS NOT NULL))[1],
            (SELECT row.issue_key FROM channel_tracked_issues AS row WHERE row.issue_id = max(fitting.issue_id) LIMIT 1)),
            left(string_agg(status_digest, ' ' ORDER BY place DESC), ",
    max_digests!(),
    "), left(string_agg(set_by, E'\\n' ORDER BY place DESC) FILTER (WHERE status_digest IS NOT NULL), ",
    max_names!(),
    "), ",
    now_ms!(),
    ", ",
    now_ms!(),
    " FROM fitting WHERE identifier IS NULL OR identifier IN (SELECT identifier FROM first)
        GROUP BY issue ORDER BY issue
        ON CONFLICT (issue, team_id, site_id) DO UPDATE
        SET issue_key = excluded.issue_key,
            status_digest = nullif(left(concat_ws(' ', excluded.status_digest, waiting.status_digest), ",
    max_digests!(),
    "), ''), set_by = nullif(left(concat_ws(E'\\n', excluded.set_by, waiting.set_by), ",
    max_names!(),
    "), ''),
            version = waiting.version + 1)
    SELECT (place - 1)::text FROM listed WHERE place NOT IN (SELECT place FROM fitting)"
);

/// `$4` is the shortest time between two claims of less than `$2`, by whichever replicas, and `$5` since when a time
/// must have come. A time that is further ahead than any pause or claim lasts was written before the server's clock
/// was set back.
const TAKE: &str = concat!(
    "WITH due AS MATERIALIZED (
        SELECT issue, noted_ms FROM webhook_queue
        WHERE (due_ms <= ",
    now_ms!(),
    " - $5::bigint OR due_ms > ",
    now_ms!(),
    " + 120000) AND (held_until_ms <= ",
    now_ms!(),
    " OR held_until_ms > ",
    now_ms!(),
    " + 20000) AND team_id = '' AND site_id = '' ORDER BY noted_ms LIMIT $2),
    next AS MATERIALIZED (
        SELECT issue FROM webhook_queue AS waiting
        WHERE issue IN (SELECT issue FROM due) AND team_id = '' AND site_id = '' AND (held_until_ms <= ",
    now_ms!(),
    " OR held_until_ms > ",
    now_ms!(),
    " + 20000) AND ((SELECT count(*) FROM due) >= $2 OR NOT EXISTS (
            SELECT FROM jira_polls WHERE team_id = '' AND site_id = '' AND read_ms BETWEEN ",
    now_ms!(),
    " - $4::bigint + 1 AND ",
    now_ms!(),
    ")) AND ",
    in_time!("$6"),
    " ORDER BY noted_ms FOR UPDATE SKIP LOCKED),
    turn AS (
        UPDATE jira_polls SET read_ms = ",
    now_ms!(),
    " WHERE team_id = '' AND site_id = '' AND $4::bigint > 0 AND EXISTS (SELECT FROM next))
    UPDATE webhook_queue AS waiting SET holder = $1, held_until_ms = ",
    now_ms!(),
    " + $3::bigint FROM next
    WHERE waiting.issue = next.issue AND waiting.team_id = '' AND waiting.site_id = ''
    RETURNING json_build_array(waiting.issue, issue_id, issue_key, status_digest, set_by, version)::text"
);

/// In the order of the issues, as everywhere.
const RENEW: &str = concat!(
    "WITH held AS MATERIALIZED (
        SELECT issue FROM webhook_queue WHERE holder = $1 ORDER BY issue FOR UPDATE)
    UPDATE webhook_queue AS waiting SET held_until_ms = ",
    now_ms!(),
    " + $2::bigint FROM held WHERE waiting.issue = held.issue AND waiting.holder = $1 AND ",
    in_time!("$3")
);

const END: &str = concat!(
    "WITH held AS MATERIALIZED (
        SELECT waiting.issue FROM webhook_queue AS waiting
        JOIN unnest($2::text[], $3::bigint[]) AS read (issue, version)
            ON read.issue = waiting.issue AND read.version = waiting.version
        WHERE waiting.holder = $1 ORDER BY waiting.issue FOR UPDATE OF waiting)
    DELETE FROM webhook_queue AS waiting USING held
    WHERE waiting.issue = held.issue AND waiting.holder = $1 AND ",
    in_time!("$4")
);

const PUT_OFF: &str = concat!(
    "WITH held AS MATERIALIZED (
        SELECT issue FROM webhook_queue WHERE holder = $1 AND issue = ANY($3::text[]) ORDER BY issue FOR UPDATE)
    UPDATE webhook_queue AS waiting SET holder = NULL, held_until_ms = 0, due_ms = ",
    now_ms!(),
    " + $2::bigint FROM held WHERE waiting.issue = held.issue AND waiting.holder = $1 AND ",
    in_time!("$4")
);

const PRUNE: &str = concat!(
    "DELETE FROM handled_webhooks WHERE ctid = ANY(ARRAY(
        SELECT ctid FROM handled_webhooks WHERE handled_ms < ",
    now_ms!(),
    " - $1::bigint ORDER BY handled_ms LIMIT $2)) AND ",
    in_time!("$3")
);

pub(crate) struct PostgresWebhookQueue {
    database: Arc<PostgresDatabase>,
}

impl PostgresWebhookQueue {
    pub(crate) fn new(database: Arc<PostgresDatabase>) -> Self {
        Self { database }
    }
}

#[async_trait]
impl WebhookQueue for PostgresWebhookQueue {
    async fn put(&self, webhooks: &[Webhook]) -> Result<Vec<bool>, DatabaseError> {
        let column = |text: for<'a> fn(&'a Webhook) -> Option<&'a str>| {
            webhooks.iter().map(text).collect::<Vec<Option<&str>>>()
        };
        let statement = || {
            sqlx::query(PUT)
                .bind(column(|webhook| webhook.identifier.as_deref()))
                .bind(column(|webhook| Some(webhook.name())))
                .bind(column(|webhook| webhook.id.as_ref().map(IssueId::as_str)))
                .bind(column(|webhook| webhook.key.as_ref().map(IssueKey::as_str)))
                .bind(column(|webhook| webhook.status.as_ref().map(|status| status.digest.as_str())))
                .bind(
                    webhooks
                        .iter()
                        .map(|webhook| webhook.status.as_ref().map(SetStatus::line))
                        .collect::<Vec<_>>(),
                )
                .bind(CAPACITY)
        };
        Ok(parse_taken(&self.database.fetch_all(Effect::Repeatable, statement).await?, webhooks.len()))
    }

    async fn claim(
        &self,
        holder: i64,
        limit: u32,
        pace: Duration,
        overdue: Duration,
    ) -> Result<Vec<Changed>, DatabaseError> {
        let statement = || {
            let take = sqlx::query(TAKE).bind(holder).bind(i64::from(limit)).bind(millis(CLAIM));
            take.bind(millis(pace)).bind(millis(overdue))
        };
        // What an attempt whose answer was lost has claimed comes back when the claim is over.
        parse_changed(&self.database.fetch_all(Effect::Repeatable, statement).await?)
    }

    async fn renew(&self, holder: i64) -> Result<(), DatabaseError> {
        let statement = || sqlx::query(RENEW).bind(holder).bind(millis(CLAIM));
        self.database.execute(Effect::Repeatable, statement).await.map(drop)
    }

    async fn end(&self, holder: i64, read: &[Changed], pause: Duration) -> Result<(), DatabaseError> {
        let names: Vec<&str> = read.iter().map(|changed| changed.name.as_str()).collect();
        let versions: Vec<i64> = read.iter().map(|changed| changed.version).collect();
        let statement = || sqlx::query(END).bind(holder).bind(names.clone()).bind(versions.clone());
        let ended = self.database.execute(Effect::Repeatable, statement).await?;
        if ended < read.len() as u64 { self.put_off(holder, read, pause).await } else { Ok(()) }
    }

    async fn put_off(&self, holder: i64, unread: &[Changed], pause: Duration) -> Result<(), DatabaseError> {
        let names: Vec<&str> = unread.iter().map(|changed| changed.name.as_str()).collect();
        let statement = || sqlx::query(PUT_OFF).bind(holder).bind(millis(pause)).bind(names.clone());
        self.database.execute(Effect::Repeatable, statement).await.map(drop)
    }

    async fn prune(&self) -> Result<(), DatabaseError> {
        let statement = || sqlx::query(PRUNE).bind(millis(KEPT));
        self.database.remove_in_batches(statement).await.map(drop)
    }
}
