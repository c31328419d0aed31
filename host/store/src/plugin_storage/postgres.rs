//! The plugins' values in PostgreSQL. Other replicas may write to them at the same time.

use std::sync::Arc;

use async_trait::async_trait;
use maro_domain::request_token::RequestToken;
use sqlx::{Row as _, postgres::PgRow};

use crate::{
    audit::{
        Entry, Noted,
        author_and_request::{Claim, Stamp},
        postgres::replay_guard::{note_one, stamped},
    },
    database::{
        error::DatabaseError,
        postgres::{PostgresDatabase, attempt::Effect, lease::Lease},
    },
    plugin_storage::{
        self, Change, Changed, Condition, PluginStorage, Quota, Space, end_of,
        fitting::{Before, Difference, decide},
    },
};

const GET: &str = "
    SELECT value FROM plugin_storage
    WHERE plugin = $1 AND channel_id = $2 AND key = $3 AND (expires_at IS NULL OR expires_at > $4)";

const LIST: &str = "
    SELECT key FROM plugin_storage
    WHERE plugin = $1 AND channel_id = $2 AND key >= $3 AND ($4::bytea IS NULL OR key < $4)
        AND (expires_at IS NULL OR expires_at > $6)
    ORDER BY key LIMIT $5";

/// Makes the changes of one plugin run one at a time, until the end of the transaction. It is a separate
/// statement, so that the next one sees what earlier changes committed.
const TURN: &str = "SELECT pg_advisory_xact_lock(hashtextextended('plugin_storage ' || $1, 0))";

const LOOK: &str = "
    SELECT octet_length(kept.value)::bigint, kept.value = $4 AND coalesce(kept.expires_at > $7, true),
        coalesce((SELECT keys FROM plugin_storage_usage WHERE plugin = $1 AND channel_id = $2), 0),
        coalesce((SELECT bytes FROM plugin_storage_usage WHERE plugin = $1 AND channel_id = $2), 0),
        coalesce((SELECT sum(bytes) FROM plugin_storage_usage WHERE plugin = $1), 0)::bigint,
        EXISTS (SELECT FROM audit_log WHERE request = $5 AND handling <> $6),
        kept.key IS NOT NULL AND coalesce(kept.expires_at > $7, true),
        CASE WHEN $8 THEN kept.value END, kept.expires_at
    FROM (SELECT 1) AS one LEFT JOIN plugin_storage AS kept
        ON kept.plugin = $1 AND kept.channel_id = $2 AND kept.key = $3";

/// The value, the entry of the log and the usage figures together.
macro_rules! and_count {
    ($statement:literal) => {
        concat!(
            "WITH made AS (",
            $statement,
            " RETURNING true), noted AS (",
            note_one!("$15::text", "$16::text", "'done'", "made"),
            ")
             INSERT INTO plugin_storage_usage AS usage (plugin, channel_id, keys, bytes)
             VALUES ($10, $11, $13, $14)
             ON CONFLICT (plugin, channel_id, team_id, site_id)
             DO UPDATE SET keys = usage.keys + excluded.keys, bytes = usage.bytes + excluded.bytes"
        )
    };
}

const PUT: &str = and_count!(
    "INSERT INTO plugin_storage (plugin, channel_id, key, value, expires_at) VALUES ($10, $11, $12, $17, $18)
     ON CONFLICT (plugin, channel_id, key, team_id, site_id)
     DO UPDATE SET value = excluded.value, expires_at = excluded.expires_at"
);

const TAKE: &str =
    and_count!("DELETE FROM plugin_storage WHERE plugin = $10 AND channel_id = $11 AND key = $12");

/// Takes what has expired of a plugin out of the usage figures, and then away.
const FREE: &str = "
    WITH gone AS (
        DELETE FROM plugin_storage WHERE plugin = $1 AND expires_at <= $2
        RETURNING channel_id, octet_length(key) + octet_length(value) AS bytes
    ), of_each AS (
        SELECT channel_id, count(*) AS keys, sum(bytes) AS bytes FROM gone GROUP BY channel_id
    )
    UPDATE plugin_storage_usage AS usage
    SET keys = usage.keys - of_each.keys, bytes = usage.bytes - of_each.bytes::bigint
    FROM of_each WHERE usage.plugin = $1 AND usage.channel_id = of_each.channel_id";

pub(crate) struct PostgresPluginStorage {
    database: Arc<PostgresDatabase>,
}

impl PostgresPluginStorage {
    pub(crate) fn new(database: Arc<PostgresDatabase>) -> Self {
        Self { database }
    }
}

#[async_trait]
impl PluginStorage for PostgresPluginStorage {
    async fn get(&self, space: Space<'_>, key: &str) -> Result<Option<String>, DatabaseError> {
        let read = self.database.attempt(Effect::None, |mut lease, _| async move {
            let query = sqlx::query(GET).bind(space.plugin).bind(space.channel_id()).bind(key.as_bytes());
            let query = query.bind(space.now());
            lease.fetch_all(query).await?.first().map(text).transpose()
        });
        read.await
    }

    async fn change(
        &self,
        space: Space<'_>,
        change: Change<'_>,
        quota: Quota,
        noted: Noted<'_>,
    ) -> Result<Changed, DatabaseError> {
        let stamp = &Stamp::new(noted.author, noted.at);
        // Setting a value again changes nothing. Repeating anything else would report the wrong outcome.
        let sets = change.condition == Condition::Any && change.new.is_some();
        let effect = if sets { Effect::Repeatable } else { Effect::Once };
        let changed = self.database.attempt_for(stamp.claim(), effect, |mut lease, _| async move {
            lease.begin().await?;
            let wish = Wish { change, amount: None };
            let changed = apply(&mut lease, space, wish, quota, (stamp, noted.entry)).await?;
            lease.commit().await?;
            Ok(changed)
        });
        let has_entry = |changed: &Changed| changed.has_changed(change);
        stamp.claim().settle(changed.await?, has_entry)
    }

    async fn add(
        &self,
        space: Space<'_>,
        key: &str,
        amount: i64,
        quota: Quota,
        noted: Noted<'_>,
    ) -> Result<Changed, DatabaseError> {
        let stamp = &Stamp::new(noted.author, noted.at);
        let change = Change { key, condition: Condition::Any, new: Some(""), expires_at: None };
        let changed = self.database.attempt_for(stamp.claim(), Effect::Once, |mut lease, _| async move {
            lease.begin().await?;
            let wish = Wish { change, amount: Some(amount) };
            let changed = apply(&mut lease, space, wish, quota, (stamp, noted.entry)).await?;
            lease.commit().await?;
            Ok(changed)
        });
        stamp.claim().settle(changed.await?, |changed| changed.has_changed(change))
    }

    async fn list_keys(
        &self,
        space: Space<'_>,
        prefix: &str,
        limit: u32,
    ) -> Result<Vec<String>, DatabaseError> {
        let end = &end_of(prefix);
        let listed = self.database.attempt(Effect::None, |mut lease, _| async move {
            let query = sqlx::query(LIST).bind(space.plugin).bind(space.channel_id()).bind(prefix.as_bytes());
            let query = query.bind(end.as_deref()).bind(i64::from(limit)).bind(space.now());
            lease.fetch_all(query).await?.iter().map(text).collect()
        });
        listed.await
    }
}

/// A change, or an amount that is added to the value in its place.
#[derive(Clone, Copy)]
struct Wish<'a> {
    change: Change<'a>,
    amount: Option<i64>,
}

/// What stands before an amount is added.
struct Standing {
    value: Option<String>,
    expires_at: Option<i64>,
}

/// `None` if another handling of the request has changed something.
async fn apply(
    lease: &mut Lease,
    space: Space<'_>,
    wish: Wish<'_>,
    quota: Quota,
    noted: (&Stamp, Entry<'_>),
) -> Result<Option<Changed>, sqlx::Error> {
    lease.execute(sqlx::query(TURN).bind(space.plugin)).await?;
    let claim = noted.0.claim();
    let Some((before, standing)) = look(lease, space, wish, claim).await? else { return Ok(None) };
    let sum = wish.amount.map(|amount| plugin_storage::sum(standing.value.as_deref(), amount));
    let (new, expires_at) = match sum {
        None => (wish.change.new.map(str::to_owned), wish.change.expires_at),
        Some(Some(sum)) => (Some(sum.to_string()), standing.expires_at),
        Some(None) => return Ok(Some(Changed::NoNumber)),
    };
    let change = Change { new: new.as_deref(), expires_at, ..wish.change };
    let mut decided = decide(change, &before, quota);
    if matches!(decided, Err(Changed::Full)) {
        lease.execute(sqlx::query(FREE).bind(space.plugin).bind(space.now())).await?;
        let Some((freed, _)) = look(lease, space, wish, claim).await? else { return Ok(None) };
        decided = decide(change, &freed, quota);
    }
    match decided {
        Ok(difference) => make(lease, space, change, &difference, noted).await?,
        Err(outcome) => return Ok(Some(outcome)),
    }
    Ok(Some(sum.flatten().map_or(Changed::Yes { had_value: before.is_live }, Changed::Sum)))
}

async fn look(
    lease: &mut Lease,
    space: Space<'_>,
    wish: Wish<'_>,
    claim: &Claim,
) -> Result<Option<(Before, Standing)>, sqlx::Error> {
    let change = wish.change;
    let expected = change.condition.expected().map(str::as_bytes);
    let query = sqlx::query(LOOK)
        .bind(space.plugin)
        .bind(space.channel_id())
        .bind(change.key.as_bytes())
        .bind(expected)
        .bind(claim.request().map(|request| request.request().to_vec()))
        .bind(claim.request().map(RequestToken::handling))
        .bind(space.now())
        .bind(wish.amount.is_some());
    let row = lease.fetch_one(query).await?;
    let figure = |index| row.try_get::<i64, _>(index).map(i64::unsigned_abs);
    let is_live: bool = row.try_get(6)?;
    let value = row.try_get::<Option<Vec<u8>>, _>(7)?.filter(|_| is_live);
    let standing = Standing {
        value: value.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()),
        expires_at: row.try_get::<Option<i64>, _>(8)?.filter(|_| is_live),
    };
    let before = Before {
        is_live,
        value_bytes: row.try_get::<Option<i64>, _>(0)?.map(i64::unsigned_abs),
        is_expected: row.try_get::<Option<bool>, _>(1)? == Some(true),
        keys: figure(2)?,
        bytes: figure(3)?,
        plugin_bytes: figure(4)?,
    };
    let is_replay: bool = row.try_get(5)?;
    Ok((!is_replay).then_some((before, standing)))
}

async fn make(
    lease: &mut Lease,
    space: Space<'_>,
    change: Change<'_>,
    difference: &Difference,
    (stamp, entry): (&Stamp, Entry<'_>),
) -> Result<(), sqlx::Error> {
    let query = stamped(if change.new.is_some() { PUT } else { TAKE }, stamp)
        .bind(space.plugin)
        .bind(space.channel_id())
        .bind(change.key.as_bytes())
        .bind(difference.keys)
        .bind(difference.bytes)
        .bind(entry.action)
        .bind(entry.subject);
    let query = match change.new {
        Some(value) => query.bind(value.as_bytes()).bind(change.expires_at),
        None => query,
    };
    lease.execute(query).await?;
    Ok(())
}

/// The bytes in a row as text.
fn text(row: &PgRow) -> Result<String, sqlx::Error> {
    String::from_utf8(row.try_get(0)?).map_err(|error| sqlx::Error::Decode(error.into()))
}
