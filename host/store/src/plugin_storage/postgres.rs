//! The plugins' values in PostgreSQL. Other replicas may write to them at the same time.

use std::sync::Arc;

use async_trait::async_trait;
use sqlx::{Row as _, postgres::PgRow};

use crate::{
    database::{
        error::DatabaseError,
        postgres::{PostgresDatabase, attempt::Effect, pool::Lease},
    },
    plugin_storage::{
        Before, Change, Changed, Condition, Difference, PluginStorage, Quota, Space, decide, end_of,
    },
};

const GET: &str = "SELECT value FROM plugin_storage WHERE plugin = $1 AND channel_id = $2 AND key = $3";

const LIST: &str = "
    SELECT key FROM plugin_storage
    WHERE plugin = $1 AND channel_id = $2 AND key >= $3 AND ($4::bytea IS NULL OR key < $4)
    ORDER BY key LIMIT $5";

/// Makes the changes of one plugin run one at a time, until the end of the transaction. It is a separate
/// statement, so that the next one sees what earlier changes committed.
const TURN: &str = "SELECT pg_advisory_xact_lock(hashtextextended('plugin_storage ' || $1, 0))";

const LOOK: &str = "
    SELECT octet_length(kept.value)::bigint, kept.value = $4,
        coalesce((SELECT keys FROM plugin_storage_usage WHERE plugin = $1 AND channel_id = $2), 0),
        coalesce((SELECT bytes FROM plugin_storage_usage WHERE plugin = $1 AND channel_id = $2), 0),
        coalesce((SELECT sum(bytes) FROM plugin_storage_usage WHERE plugin = $1), 0)::bigint
    FROM (SELECT 1) AS one LEFT JOIN plugin_storage AS kept
        ON kept.plugin = $1 AND kept.channel_id = $2 AND kept.key = $3";

/// The value and the usage figures together.
macro_rules! and_count {
    ($statement:literal) => {
        concat!(
            "WITH made AS (",
            $statement,
            ")
             INSERT INTO plugin_storage_usage AS usage (plugin, channel_id, keys, bytes) VALUES ($1, $2, $4, $5)
             ON CONFLICT (plugin, channel_id, team_id, site_id)
             DO UPDATE SET keys = usage.keys + excluded.keys, bytes = usage.bytes + excluded.bytes"
        )
    };
}

const PUT: &str = and_count!(
    "INSERT INTO plugin_storage (plugin, channel_id, key, value) VALUES ($1, $2, $3, $6)
     ON CONFLICT (plugin, channel_id, key, team_id, site_id) DO UPDATE SET value = excluded.value"
);

const TAKE: &str =
    and_count!("DELETE FROM plugin_storage WHERE plugin = $1 AND channel_id = $2 AND key = $3");

/// The values in PostgreSQL.
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
            lease.fetch_all(query).await?.first().map(text).transpose()
        });
        read.await
    }

    async fn change(
        &self,
        space: Space<'_>,
        change: Change<'_>,
        quota: Quota,
    ) -> Result<Changed, DatabaseError> {
        // Setting a value again changes nothing. Repeating anything else would report the wrong outcome.
        let sets = change.condition == Condition::Any && change.new.is_some();
        let effect = if sets { Effect::Repeatable } else { Effect::Once };
        let changed = self.database.attempt(effect, |mut lease, _| async move {
            lease.begin().await?;
            let changed = apply(&mut lease, space, change, quota).await?;
            lease.commit().await?;
            Ok(changed)
        });
        changed.await
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
            let query = query.bind(end.as_deref()).bind(i64::from(limit));
            lease.fetch_all(query).await?.iter().map(text).collect()
        });
        listed.await
    }
}

async fn apply(
    lease: &mut Lease,
    space: Space<'_>,
    change: Change<'_>,
    quota: Quota,
) -> Result<Changed, sqlx::Error> {
    lease.execute(sqlx::query(TURN).bind(space.plugin)).await?;
    let before = look(lease, space, change).await?;
    match decide(change, &before, quota) {
        Ok(difference) => {
            make(lease, space, change, &difference).await?;
            Ok(Changed::Yes { had_value: before.value_bytes.is_some() })
        }
        Err(outcome) => Ok(outcome),
    }
}

async fn look(lease: &mut Lease, space: Space<'_>, change: Change<'_>) -> Result<Before, sqlx::Error> {
    let expected = change.condition.expected().map(str::as_bytes);
    let query = sqlx::query(LOOK).bind(space.plugin).bind(space.channel_id());
    let row = lease.fetch_one(query.bind(change.key.as_bytes()).bind(expected)).await?;
    let figure = |index| row.try_get::<i64, _>(index).map(i64::unsigned_abs);
    Ok(Before {
        value_bytes: row.try_get::<Option<i64>, _>(0)?.map(i64::unsigned_abs),
        is_expected: row.try_get::<Option<bool>, _>(1)? == Some(true),
        keys: figure(2)?,
        bytes: figure(3)?,
        plugin_bytes: figure(4)?,
    })
}

async fn make(
    lease: &mut Lease,
    space: Space<'_>,
    change: Change<'_>,
    difference: &Difference,
) -> Result<(), sqlx::Error> {
    let query = sqlx::query(if change.new.is_some() { PUT } else { TAKE })
        .bind(space.plugin)
        .bind(space.channel_id())
        .bind(change.key.as_bytes())
        .bind(difference.keys)
        .bind(difference.bytes);
    let query = match change.new {
        Some(value) => query.bind(value.as_bytes()),
        None => query,
    };
    lease.execute(query).await?;
    Ok(())
}

/// The bytes in a row as text.
fn text(row: &PgRow) -> Result<String, sqlx::Error> {
    String::from_utf8(row.try_get(0)?).map_err(|error| sqlx::Error::Decode(error.into()))
}
