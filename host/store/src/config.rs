//! Which database to use.

use std::{num::NonZeroUsize, path::PathBuf};

use maro_process::{bounded_file::read_value, secret::Secret};

/// How many connections one replica makes to PostgreSQL, which allows 100 in total by default.
pub const DEFAULT_CONNECTIONS: NonZeroUsize = NonZeroUsize::new(10).expect("10 isn't 0");

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DatabaseConfig {
    /// `DATABASE_URL=sqlite://PATH`, default `sqlite://maro.db`: one file, created if it doesn't exist.
    Sqlite { path: PathBuf },
    /// `DATABASE_URL=postgres://…`
    Postgres(PostgresConfig),
}

impl DatabaseConfig {
    /// PostgreSQL at a URL, with the defaults for all else.
    pub fn postgres(url: Secret) -> Self {
        Self::Postgres(PostgresConfig {
            url: UrlSource::Given(url),
            connections: DEFAULT_CONNECTIONS,
            is_pooled: false,
        })
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostgresConfig {
    pub url: UrlSource,
    /// `MARO_DATABASE_CONNECTIONS`: the most connections of this replica.
    pub connections: NonZeroUsize,
    /// `MARO_DATABASE_POOLER=transaction`. Otherwise it is found out.
    pub is_pooled: bool,
}

/// Where the URL of PostgreSQL is. It contains a password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UrlSource {
    Given(Secret),
    /// `DATABASE_URL_FILE`. The file is read again for each new connection, as its password may change.
    File(PathBuf),
}

impl UrlSource {
    /// # Errors
    /// One sentence for the operator.
    pub fn read(&self) -> Result<Secret, String> {
        match self {
            Self::Given(url) => Ok(url.clone()),
            Self::File(path) => {
                let problem = |problem: String| {
                    format!("DATABASE_URL_FILE names the file {}, which {problem}.", path.display())
                };
                let url = read_value(path).map_err(|error| problem(format!("can't be read: {error}")))?;
                if url.is_empty() { Err(problem("is empty".to_owned())) } else { Ok(Secret::new(url)) }
            }
        }
    }
}
