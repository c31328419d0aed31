//! The plugins' values in a SQLite file.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::{Value, json};
use sqlx::{Row as _, SqliteConnection};

use crate::{
    audit::{
        Noted,
        author_and_request::{Claim, Stamp},
        sqlite::replay_guard::{self, Admission, Claims},
    },
    database::{
        error::{self, DatabaseError},
        sqlite::{
            self, SqliteDatabase,
            queue::Queue,
            read::{Question, for_each_ask},
        },
    },
    plugin_storage::{
        self, Change, Changed, Condition, PluginStorage, Quota, Space, end_of,
        fitting::{Before, Difference, decide},
    },
};

/// `ask.value` is the plugin, the channel, the key, and the time. The key is hexadecimal, because JSON can't hold
/// bytes.
const GET: &str = for_each_ask!(
    "coalesce(
        (SELECT json_quote(hex(value)) FROM plugin_storage
         WHERE plugin = ask.value ->> 0 AND channel_id = ask.value ->> 1 AND key = unhex(ask.value ->> 2)
             AND (expires_at IS NULL OR expires_at > ask.value ->> 3)),
        'null')"
);

/// `ask.value` is the plugin, the channel, the lower and upper bound (exclusive) of the keys, and the time.
const LIST: &str = for_each_ask!(
    "SELECT json_group_array(hex(key))
     FROM (SELECT key FROM plugin_storage
           WHERE plugin = ask.value ->> 0 AND channel_id = ask.value ->> 1
               AND key >= unhex(ask.value ->> 2)
               AND (ask.value ->> 3 IS NULL OR key < unhex(ask.value ->> 3))
               AND (expires_at IS NULL OR expires_at > ask.value ->> 4)
           ORDER BY key LIMIT ?2)"
);

const LOOK: &str = "
    SELECT length(kept.value), kept.value = ?4 AND coalesce(kept.expires_at > ?5, true),
        coalesce((SELECT keys FROM plugin_storage_usage WHERE plugin = ?1 AND channel_id = ?2), 0),
        coalesce((SELECT bytes FROM plugin_storage_usage WHERE plugin = ?1 AND channel_id = ?2), 0),
        coalesce((SELECT sum(bytes) FROM plugin_storage_usage WHERE plugin = ?1), 0),
        kept.key IS NOT NULL AND coalesce(kept.expires_at > ?5, true), kept.value, kept.expires_at
    FROM (SELECT 1) LEFT JOIN plugin_storage AS kept
        ON kept.plugin = ?1 AND kept.channel_id = ?2 AND kept.key = ?3";

const PUT: &str = "
    INSERT INTO plugin_storage (plugin, channel_id, key, value, expires_at) VALUES (?1, ?2, ?3, ?4, ?5)
    ON CONFLICT (plugin, channel_id, key, team_id, site_id)
    DO UPDATE SET value = excluded.value, expires_at = excluded.expires_at";

const TAKE: &str = "DELETE FROM plugin_storage WHERE plugin = ?1 AND channel_id = ?2 AND key = ?3";

const COUNT: &str = "
    INSERT INTO plugin_storage_usage (plugin, channel_id, keys, bytes) VALUES (?1, ?2, ?3, ?4)
    ON CONFLICT (plugin, channel_id, team_id, site_id)
    DO UPDATE SET keys = keys + excluded.keys, bytes = bytes + excluded.bytes";

/// Takes what has expired of a plugin out of the usage figures, and then away.
const FREE: [&str; 2] = [
    "UPDATE plugin_storage_usage AS usage SET
        keys = keys - (SELECT count(*) FROM plugin_storage AS kept WHERE kept.plugin = usage.plugin
            AND kept.channel_id = usage.channel_id AND kept.expires_at <= ?2),
        bytes = bytes - (SELECT coalesce(sum(length(key) + length(value)), 0) FROM plugin_storage AS kept
            WHERE kept.plugin = usage.plugin AND kept.channel_id = usage.channel_id AND kept.expires_at <= ?2)
     WHERE plugin = ?1",
    "DELETE FROM plugin_storage WHERE plugin = ?1 AND expires_at <= ?2",
];

pub(crate) struct SqlitePluginStorage {
    database: Arc<SqliteDatabase>,
    writer: Queue<OwnedChange, Option<Changed>>,
}

impl SqlitePluginStorage {
    pub(crate) fn new(database: Arc<SqliteDatabase>) -> Self {
        Self { writer: database.start_writer(), database }
    }
}

#[async_trait]
impl PluginStorage for SqlitePluginStorage {
    async fn get(&self, space: Space<'_>, key: &str) -> Result<Option<String>, DatabaseError> {
        let ask = json!([space.plugin, space.channel_id(), hex::encode(key), space.now()]);
        let json = self.database.read(Question::of(GET, ask)).await?;
        let value: Option<HexText> = error::parse(&json)?;
        Ok(value.map(|value| value.0))
    }

    async fn change(
        &self,
        space: Space<'_>,
        change: Change<'_>,
        quota: Quota,
        noted: Noted<'_>,
    ) -> Result<Changed, DatabaseError> {
        let owned = OwnedChange::new(space, change, quota, noted);
        let claim = owned.claim.clone();
        claim.settle(self.writer.ask(owned).await?, |changed| changed.has_changed(change))
    }

    async fn add(
        &self,
        space: Space<'_>,
        key: &str,
        amount: i64,
        quota: Quota,
        noted: Noted<'_>,
    ) -> Result<Changed, DatabaseError> {
        let change = Change { key, condition: Condition::Any, new: Some(""), expires_at: None };
        let owned = OwnedChange { amount: Some(amount), ..OwnedChange::new(space, change, quota, noted) };
        let claim = owned.claim.clone();
        claim.settle(self.writer.ask(owned).await?, |changed| changed.has_changed(change))
    }

    async fn list_keys(
        &self,
        space: Space<'_>,
        prefix: &str,
        limit: u32,
    ) -> Result<Vec<String>, DatabaseError> {
        let end = end_of(prefix).map(hex::encode);
        let ask = json!([space.plugin, space.channel_id(), hex::encode(prefix), end, space.now()]);
        let json = self.database.read(Question::of(LIST, ask).limit(limit)).await?;
        let keys: Vec<HexText> = error::parse(&json)?;
        Ok(keys.into_iter().map(|key| key.0).collect())
    }
}

/// A text that is sent as its UTF-8 in hexadecimal.
#[derive(serde::Deserialize)]
#[serde(try_from = "String")]
struct HexText(String);

impl TryFrom<String> for HexText {
    type Error = &'static str;

    fn try_from(digits: String) -> Result<Self, Self::Error> {
        let bytes = hex::decode(digits).map_err(|_| "not hexadecimal")?;
        String::from_utf8(bytes).map(Self).map_err(|_| "not UTF-8")
    }
}

/// What stands before an amount is added.
struct Standing {
    value: Option<String>,
    expires_at: Option<i64>,
}

/// A change in the writer's queue.
#[derive(Debug)]
struct OwnedChange {
    plugin: String,
    channel_id: String,
    key: String,
    /// As in [`Condition`]. The outer `None` is [`Condition::Any`].
    expected: Option<Option<String>>,
    new: Option<String>,
    expires_at: Option<i64>,
    /// What is added to the value instead.
    amount: Option<i64>,
    now: i64,
    quota: Quota,
    claim: Claim,
    entry: Value,
}

impl OwnedChange {
    fn new(space: Space<'_>, change: Change<'_>, quota: Quota, noted: Noted<'_>) -> Self {
        let stamp = Stamp::new(noted.author, noted.at);
        Self {
            entry: stamp.entry(noted.entry, true),
            claim: stamp.claim().clone(),
            plugin: space.plugin.to_owned(),
            channel_id: space.channel_id().into_owned(),
            expires_at: change.expires_at,
            amount: None,
            now: space.now(),
            key: change.key.to_owned(),
            expected: match change.condition {
                Condition::Any => None,
                Condition::Is(expected) => Some(expected.map(str::to_owned)),
            },
            new: change.new.map(str::to_owned),
            quota,
        }
    }

    fn as_change(&self) -> Change<'_> {
        let condition = match &self.expected {
            None => Condition::Any,
            Some(expected) => Condition::Is(expected.as_deref()),
        };
        Change { key: &self.key, condition, new: self.new.as_deref(), expires_at: self.expires_at }
    }

    /// Also the value and when it expires, for a sum.
    async fn look(&self, connection: &mut SqliteConnection) -> Result<(Before, Standing), sqlx::Error> {
        let expected = self.as_change().condition.expected().map(str::as_bytes);
        let row = sqlx::query(LOOK)
            .bind(&self.plugin)
            .bind(&self.channel_id)
            .bind(self.key.as_bytes())
            .bind(expected)
            .bind(self.now)
            .fetch_one(connection)
            .await?;
        let figure = |index| row.try_get::<i64, _>(index).map(i64::unsigned_abs);
        let is_live: bool = row.try_get(5)?;
        let value = row.try_get::<Option<Vec<u8>>, _>(6)?.filter(|_| is_live && self.amount.is_some());
        let standing = Standing {
            value: value.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()),
            expires_at: row.try_get::<Option<i64>, _>(7)?.filter(|_| is_live),
        };
        let before = Before {
            is_live,
            value_bytes: row.try_get::<Option<i64>, _>(0)?.map(i64::unsigned_abs),
            is_expected: row.try_get::<Option<bool>, _>(1)? == Some(true),
            keys: figure(2)?,
            bytes: figure(3)?,
            plugin_bytes: figure(4)?,
        };
        Ok((before, standing))
    }

    /// Decides on the change and makes it.
    async fn carry_out(&self, connection: &mut SqliteConnection) -> Result<Changed, sqlx::Error> {
        let (before, standing) = self.look(connection).await?;
        let (new, expires_at, sum) = match self.amount {
            None => (self.new.clone(), self.expires_at, None),
            Some(amount) => match plugin_storage::sum(standing.value.as_deref(), amount) {
                Some(sum) => (Some(sum.to_string()), standing.expires_at, Some(sum)),
                None => return Ok(Changed::NoNumber),
            },
        };
        let change = Change { new: new.as_deref(), expires_at, ..self.as_change() };
        let mut decided = decide(change, &before, self.quota);
        if matches!(decided, Err(Changed::Full)) && self.free(connection).await? {
            decided = decide(change, &self.look(connection).await?.0, self.quota);
        }
        match decided {
            Ok(difference) => self.make(change, &difference, connection).await?,
            Err(outcome) => return Ok(outcome),
        }
        Ok(sum.map_or(Changed::Yes { had_value: before.is_live }, Changed::Sum))
    }

    /// Removes what has expired. Returns whether there was anything.
    async fn free(&self, connection: &mut SqliteConnection) -> Result<bool, sqlx::Error> {
        let mut removed = 0;
        for statement in FREE {
            let query = sqlx::query(statement).bind(&self.plugin).bind(self.now);
            removed = query.execute(&mut *connection).await?.rows_affected();
        }
        Ok(removed > 0)
    }

    async fn make(
        &self,
        change: Change<'_>,
        difference: &Difference,
        connection: &mut SqliteConnection,
    ) -> Result<(), sqlx::Error> {
        let statement = if change.new.is_some() { PUT } else { TAKE };
        let query =
            sqlx::query(statement).bind(&self.plugin).bind(&self.channel_id).bind(self.key.as_bytes());
        let query = match change.new {
            Some(value) => query.bind(value.as_bytes()).bind(change.expires_at),
            None => query,
        };
        query.execute(&mut *connection).await?;
        let count = sqlx::query(COUNT).bind(&self.plugin).bind(&self.channel_id);
        count.bind(difference.keys).bind(difference.bytes).execute(connection).await?;
        Ok(())
    }
}

impl sqlite::write::Change for OwnedChange {
    /// `None` if another handling of the request has changed something before.
    type Outcome = Option<Changed>;

    async fn apply(
        changes: &[&Self],
        connection: &mut SqliteConnection,
    ) -> Result<Vec<Self::Outcome>, sqlx::Error> {
        let mut claims = Claims::look(connection, changes.iter().map(|change| &change.claim)).await?;
        let mut outcomes = Vec::with_capacity(changes.len());
        let mut entries = Vec::new();
        for change in changes {
            let admission = claims.admit(&change.claim);
            if admission == Admission::Replay {
                outcomes.push(None);
                continue;
            }
            let change_made = change.carry_out(connection).await?;
            if change_made.has_changed(change.as_change()) {
                let entry = change.entry.clone();
                let is_again = admission == Admission::Again;
                entries.push(if is_again { replay_guard::without_request(entry) } else { entry });
            }
            outcomes.push(Some(change_made));
        }
        replay_guard::note(connection, &entries).await?;
        Ok(outcomes)
    }
}
