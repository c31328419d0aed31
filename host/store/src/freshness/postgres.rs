//! The freshness of issues in PostgreSQL, which several replicas share.

use std::{collections::HashSet, sync::Arc};

use async_trait::async_trait;
use jiff::Timestamp;
use sqlx::Row as _;

use crate::{
    database::{
        error::DatabaseError,
        postgres::{PostgresDatabase, attempt::Effect, clock::now_ms, deadline::in_time, lease::Lease},
        time::time_text,
    },
    freshness::{Ages, Freshness, Waiting, claim_ms, parse_keys, parse_positions, parse_waiting},
};
use maro_domain::issue::{Issue, IssueKey};

/// The issues whose turn has come by a condition. A claim that lasts longer than any was made before the server's
/// clock was set back.
macro_rules! waiting {
    ($condition:literal) => {
        concat!(
            "SELECT issue_key FROM issue_freshness WHERE ",
            $condition,
            " AND (held_until_ms <= ",
            now_ms!(),
            " OR held_until_ms > ",
            now_ms!(),
            " + 20000) AND team_id = '' AND site_id = '' ORDER BY due_at LIMIT $2 FOR UPDATE SKIP LOCKED"
        )
    };
}

const CLAIM: &str = concat!(
    "WITH ahead AS MATERIALIZED (",
    waiting!("due_at > statement_timestamp() + interval '5 minutes'"),
    "), old AS MATERIALIZED (",
    waiting!("due_at < $1::timestamptz"),
    "), next AS MATERIALIZED (
        SELECT issue_key FROM ahead UNION SELECT issue_key FROM old LIMIT $2)
    UPDATE issue_freshness AS known SET holder = $3, held_until_ms = ",
    now_ms!(),
    " + $4::bigint FROM next
    WHERE known.issue_key = next.issue_key AND known.team_id = '' AND known.site_id = ''
    RETURNING known.issue_key"
);

/// What is on no list any more. A command that puts it on one waits for the end of this, because the claim has locked
/// it.
const DROP: &str = "
    DELETE FROM issue_freshness AS known
    WHERE known.issue_key = ANY($1) AND known.team_id = '' AND known.site_id = ''
        AND NOT EXISTS (SELECT FROM channel_tracked_issues AS row WHERE row.issue_key = known.issue_key)
    RETURNING known.issue_key";

/// What is only on lists of channels that nobody can write to waits for another turn.
const SKIP: &str = "
    UPDATE issue_freshness AS known SET due_at = $2::timestamptz, holder = NULL, held_until_ms = 0
    WHERE known.issue_key = ANY($1) AND known.team_id = '' AND known.site_id = ''
        AND NOT EXISTS (
            SELECT FROM channel_tracked_issues AS row WHERE row.issue_key = known.issue_key
                AND NOT EXISTS (SELECT FROM paused_channels AS paused WHERE paused.channel_id = row.channel_id))
    RETURNING known.issue_key";

/// In the order of the keys, as everywhere, so that two can't wait for one another.
macro_rules! held {
    ($change:literal) => {
        concat!(
            "WITH held AS MATERIALIZED (
                SELECT issue_key FROM issue_freshness
                WHERE holder = $1 AND held_until_ms > 0 AND team_id = '' AND site_id = '' ORDER BY issue_key FOR UPDATE SKIP LOCKED)
            UPDATE issue_freshness AS known SET ",
            $change,
            " FROM held WHERE known.issue_key = held.issue_key AND known.team_id = '' AND known.site_id = '' AND "
        )
    };
}

const RENEW: &str = concat!(
    held!("held_until_ms = (extract(epoch FROM statement_timestamp()) * 1000)::bigint + $2::bigint"),
    in_time!("$3")
);

const RELEASE: &str = concat!(held!("holder = NULL, held_until_ms = 0"), in_time!("$2"));

const PUT_OFF: &str = concat!(
    "WITH late AS MATERIALIZED (
        SELECT issue_key FROM issue_freshness
        WHERE issue_key = ANY($1) AND team_id = '' AND site_id = '' ORDER BY issue_key FOR UPDATE)
    UPDATE issue_freshness AS known SET holder = NULL, held_until_ms = 0, due_at = greatest(
        CASE WHEN known.due_at <= statement_timestamp() + interval '5 minutes' THEN known.due_at END,
        least($2::text::timestamptz, statement_timestamp())) FROM late
    WHERE known.issue_key = late.issue_key AND known.team_id = '' AND known.site_id = '' AND ",
    in_time!("$3")
);

const FORGET: &str = concat!(
    "WITH forgotten AS MATERIALIZED (
        SELECT issue_key FROM issue_freshness
        WHERE team_id = '' AND site_id = '' AND issue_key IN (
            SELECT issue_key FROM channel_tracked_issues WHERE issue_key = $1
            UNION
            SELECT issue_key FROM channel_tracked_issues WHERE issue_id = $2)
        ORDER BY issue_key FOR UPDATE)
    UPDATE issue_freshness AS known SET due_at = '-infinity' FROM forgotten
    WHERE known.issue_key = forgotten.issue_key AND known.team_id = '' AND known.site_id = '' AND ",
    in_time!("$3")
);

const OUTDATED: &str = "
    SELECT coalesce(json_agg(place - 1), '[]')::text
    FROM unnest($1::text[], $2::text[], $3::bigint[]) WITH ORDINALITY
        AS item (issue_key, issue_id, updated_ms, place)
    WHERE EXISTS (
        SELECT FROM (
            SELECT row.issue_key, row.channel_id FROM channel_tracked_issues AS row
            WHERE row.issue_key = item.issue_key
            UNION
            SELECT row.issue_key, row.channel_id FROM channel_tracked_issues AS row
            WHERE row.issue_id = item.issue_id) AS listed
        LEFT JOIN issue_freshness AS known
            ON known.issue_key = listed.issue_key AND known.team_id = '' AND known.site_id = ''
        WHERE (listed.issue_key <> item.issue_key OR (known.updated_ms >= item.updated_ms) IS NOT TRUE)
            AND NOT EXISTS (
                SELECT FROM paused_channels AS paused WHERE paused.channel_id = listed.channel_id))";

/// The place of the one in a hundred is counted in the same index.
const WAITING: &str = "
    SELECT json_build_array(
        (SELECT (extract(epoch FROM due_at) * 1000000)::bigint FROM issue_freshness
         WHERE due_at > '-infinity'::timestamptz ORDER BY due_at LIMIT 1),
        (SELECT (extract(epoch FROM due_at) * 1000000)::bigint FROM issue_freshness
         WHERE due_at > '-infinity'::timestamptz ORDER BY due_at
         LIMIT 1 OFFSET (SELECT count(*) / 100 FROM issue_freshness
                         WHERE due_at > '-infinity'::timestamptz)))::text";

pub(crate) struct PostgresFreshness {
    database: Arc<PostgresDatabase>,
}

impl PostgresFreshness {
    pub(crate) fn new(database: Arc<PostgresDatabase>) -> Self {
        Self { database }
    }
}

impl PostgresFreshness {
    /// Claims at most `wanted` issues, of which some are left out. Returns how many there were, and the others.
    async fn claim_some(
        &self,
        before: &str,
        wanted: i64,
        holder: i64,
    ) -> Result<(usize, Vec<String>), DatabaseError> {
        // What an attempt whose answer was lost has claimed comes back when the claim is over.
        let claimed = self.database.attempt(Effect::Repeatable, |mut lease: Lease, _| async move {
            lease.begin().await?;
            let query = sqlx::query(CLAIM).bind(before).bind(wanted).bind(holder).bind(claim_ms());
            let rows = lease.fetch_all(query).await?;
            let mut keys: Vec<String> = rows.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?;
            let taken = keys.len();
            if !keys.is_empty() {
                let mut others = lease.fetch_all(sqlx::query(DROP).bind(keys.clone())).await?;
                others.extend(lease.fetch_all(sqlx::query(SKIP).bind(keys.clone()).bind(before)).await?);
                let others: HashSet<String> =
                    others.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?;
                keys.retain(|key| !others.contains(key));
            }
            lease.commit().await?;
            Ok((taken, keys))
        });
        claimed.await
    }
}

#[async_trait]
impl Freshness for PostgresFreshness {
    /// Which times lie ahead, the server's clock says.
    async fn claim(&self, ages: Ages, limit: u32, holder: i64) -> Result<Vec<IssueKey>, DatabaseError> {
        let before = time_text(ages.before);
        let mut keys = Vec::new();
        // What is left out takes no place, however much of it there is.
        loop {
            let wanted = i64::from(limit) - i64::try_from(keys.len()).unwrap_or(i64::MAX);
            let (taken, found) = self.claim_some(&before, wanted, holder).await?;
            keys.extend(found);
            if i64::try_from(taken).unwrap_or(i64::MAX) < wanted || keys.len() >= limit as usize {
                return Ok(parse_keys(keys));
            }
        }
    }

    async fn renew(&self, holder: i64) -> Result<(), DatabaseError> {
        let statement = || sqlx::query(RENEW).bind(holder).bind(claim_ms());
        self.database.execute(Effect::Repeatable, statement).await.map(drop)
    }

    async fn release(&self, holder: i64) -> Result<(), DatabaseError> {
        self.database.execute(Effect::Repeatable, || sqlx::query(RELEASE).bind(holder)).await.map(drop)
    }

    async fn put_off(&self, keys: &[IssueKey], until: Timestamp) -> Result<(), DatabaseError> {
        let keys: Vec<String> = keys.iter().map(IssueKey::to_string).collect();
        let statement = || sqlx::query(PUT_OFF).bind(keys.clone()).bind(time_text(until));
        self.database.execute(Effect::Repeatable, statement).await.map(drop)
    }

    async fn forget(&self, issue: &Issue) -> Result<(), DatabaseError> {
        let statement = || sqlx::query(FORGET).bind(issue.key.as_str()).bind(issue.id.as_str());
        self.database.execute(Effect::Repeatable, statement).await.map(drop)
    }

    async fn is_outdated(&self, issues: &[Issue]) -> Result<Vec<bool>, DatabaseError> {
        let column = |text: for<'a> fn(&'a Issue) -> &'a str| issues.iter().map(text).collect::<Vec<_>>();
        let updated: Vec<Option<i64>> =
            issues.iter().map(|issue| issue.updated_at.map(Timestamp::as_millisecond)).collect();
        let query = || {
            sqlx::query(OUTDATED)
                .bind(column(|issue| issue.key.as_str()))
                .bind(column(|issue| issue.id.as_str()))
                .bind(updated.clone())
        };
        parse_positions(&self.database.read(query).await?, issues.len())
    }

    async fn waiting(&self) -> Result<Option<Waiting>, DatabaseError> {
        parse_waiting(&self.database.read(|| sqlx::query(WAITING)).await?)
    }
}
