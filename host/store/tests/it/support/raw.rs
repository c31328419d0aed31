//! Statements on a database that go around MARO.

use std::path::PathBuf;

use maro_store::config::DatabaseConfig;
use sqlx::{
    AssertSqlSafe, Connection, Executor, PgConnection, Row, SqliteConnection, postgres::PgConnectOptions,
};

/// A connection.
pub(crate) enum Raw {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

impl Raw {
    pub(crate) async fn connect(config: &DatabaseConfig) -> Self {
        match config {
            DatabaseConfig::Sqlite { path } => Self::Sqlite(sqlite(path.clone()).await),
            DatabaseConfig::Postgres(config) => {
                let options: PgConnectOptions = config.url.read().unwrap().expose().parse().unwrap();
                // PgBouncer refuses this one.
                let options = options.extra_float_digits(None);
                Self::Postgres(PgConnection::connect_with(&options).await.unwrap())
            }
        }
    }
}

async fn sqlite(path: PathBuf) -> SqliteConnection {
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(path).create_if_missing(true);
    SqliteConnection::connect_with(&options).await.unwrap()
}

/// Runs statements that return nothing, on a connection of their own.
pub(crate) async fn execute(config: &DatabaseConfig, statement: &str) {
    try_execute(config, statement).await.unwrap();
}

/// As [`execute`], with what the database says if it refuses.
pub(crate) async fn try_execute(config: &DatabaseConfig, statement: &str) -> Result<(), String> {
    let statement = AssertSqlSafe(statement.to_owned());
    let executed = match Raw::connect(config).await {
        Raw::Sqlite(mut connection) => connection.execute(statement).await.map(drop),
        Raw::Postgres(mut connection) => connection.execute(statement).await.map(drop),
    };
    executed.map_err(|error| error.to_string())
}

/// The first column of every row, as text.
pub(crate) async fn query(config: &DatabaseConfig, statement: &str) -> Vec<String> {
    let statement = AssertSqlSafe(statement.to_owned());
    match Raw::connect(config).await {
        Raw::Sqlite(mut connection) => {
            connection.fetch_all(statement).await.unwrap().iter().map(|row| row.get(0)).collect()
        }
        Raw::Postgres(mut connection) => {
            connection.fetch_all(statement).await.unwrap().iter().map(|row| row.get(0)).collect()
        }
    }
}
