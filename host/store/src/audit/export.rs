//! The audit log as lines of JSON, for other systems. The bot may be running on the database.

use std::io;

use anyhow::Context as _;
use jiff::Timestamp;
use serde::Serialize;
use sqlx::{AssertSqlSafe, Executor as _, PgConnection, Row as _, SqliteConnection};

use crate::{
    audit::{postgres, sqlite},
    config::DatabaseConfig,
    database::time::time_text,
};

/// How many entries are read at once.
const BATCH: i64 = 5_000;

/// The first and the last id. No rows at all give none.
const ENDS: &str = "SELECT min(id), max(id) FROM audit_log";

/// One line. Its fields are named as the columns.
#[derive(Serialize)]
struct Line {
    at: String,
    team_id: String,
    channel_id: String,
    user_id: String,
    action: String,
    subject: String,
    plugin: Option<String>,
    digest: Option<String>,
    outcome: String,
    incident: Option<String>,
}

enum Log {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

/// Gives each entry since a time to `write`, oldest first, as one line of JSON without its end. Returns how many
/// there were.
///
/// # Errors
/// One sentence for the operator, or what `write` returns.
pub async fn export(
    config: &DatabaseConfig,
    since: Timestamp,
    mut write: impl FnMut(&str) -> io::Result<()>,
) -> anyhow::Result<u64> {
    let mut log = Log::open(config).await?;
    let since = time_text(since);
    let Some((first, last)) = log.ends().await.context(UNREADABLE)? else { return Ok(0) };
    let mut written = 0;
    let mut from = first;
    while from <= last {
        for line in log.lines(from, &since).await.context(UNREADABLE)? {
            write(&serde_json::to_string(&line)?)?;
            written += 1;
        }
        from += BATCH;
    }
    Ok(written)
}

const UNREADABLE: &str =
    "The audit log can't be read. If this database is an older MARO's, run `maro migrate` first.";

impl Log {
    async fn open(config: &DatabaseConfig) -> anyhow::Result<Self> {
        Ok(match config {
            DatabaseConfig::Sqlite { path } => Self::Sqlite(sqlite::open_to_read(path).await?),
            DatabaseConfig::Postgres(config) => Self::Postgres(postgres::open_to_read(config).await?),
        })
    }

    async fn ends(&mut self) -> Result<Option<(i64, i64)>, sqlx::Error> {
        let (first, last): (Option<i64>, Option<i64>) = match self {
            Self::Sqlite(connection) => {
                let row = connection.fetch_one(sqlx::raw_sql(ENDS)).await?;
                (row.try_get(0)?, row.try_get(1)?)
            }
            Self::Postgres(connection) => {
                let row = connection.fetch_one(sqlx::raw_sql(ENDS)).await?;
                (row.try_get(0)?, row.try_get(1)?)
            }
        };
        Ok(first.zip(last))
    }

    /// The entries of the next ids. The simple protocol, which poolers pass on.
    async fn lines(&mut self, from: i64, since: &str) -> Result<Vec<Line>, sqlx::Error> {
        let at = match self {
            Self::Sqlite(_) => "at",
            Self::Postgres(_) => "to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')",
        };
        // A time in its stored form, and numbers: nothing that needs escaping.
        let query = AssertSqlSafe(format!(
            "SELECT {at}, team_id, channel_id, user_id, action, subject, plugin, digest, outcome, incident
             FROM audit_log WHERE id >= {from} AND id < {from} + {BATCH} AND at >= '{since}' ORDER BY id"
        ));
        macro_rules! read {
            ($connection:ident) => {{
                let mut lines = Vec::new();
                for row in $connection.fetch_all(sqlx::raw_sql(query)).await? {
                    lines.push(Line {
                        at: row.try_get(0)?,
                        team_id: row.try_get(1)?,
                        channel_id: row.try_get(2)?,
                        user_id: row.try_get(3)?,
                        action: row.try_get(4)?,
                        subject: row.try_get(5)?,
                        plugin: row.try_get(6)?,
                        digest: row.try_get(7)?,
                        outcome: row.try_get(8)?,
                        incident: row.try_get(9)?,
                    });
                }
                Ok(lines)
            }};
        }
        match self {
            Self::Sqlite(connection) => read!(connection),
            Self::Postgres(connection) => read!(connection),
        }
    }
}
