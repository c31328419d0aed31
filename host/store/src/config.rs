//! Which database to use.

use std::path::PathBuf;

use maro_process::secret::Secret;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DatabaseConfig {
    /// `DATABASE_URL=sqlite://PATH`, default `sqlite://maro.db`: one file, created if it doesn't exist.
    Sqlite { path: PathBuf },
    /// `DATABASE_URL=postgres://…`. The URL contains a password.
    Postgres { url: Secret },
}
