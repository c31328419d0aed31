//! Opening the database that the settings name.

use std::sync::Arc;

use crate::{
    config::DatabaseConfig,
    tracker::{
        ChannelIssueTracker,
        postgres::PostgresTracker,
        sqlite::{self, SqliteTracker},
    },
};

/// Connects and brings the tables to the present schema. Several replicas may start at once: one does the
/// work, the others wait.
///
/// # Errors
/// One sentence for the operator, without the password; the source chain has what the database said.
pub async fn open(config: &DatabaseConfig) -> anyhow::Result<Arc<dyn ChannelIssueTracker>> {
    Ok(match config {
        DatabaseConfig::Sqlite { path } => Arc::new(SqliteTracker::open(path, sqlite::PATIENCE).await?),
        DatabaseConfig::Postgres { url } => Arc::new(PostgresTracker::open(url).await?),
    })
}
