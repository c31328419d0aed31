//! Why there is no connection, in a sentence for the operator. Never with the password.

use std::{env, fmt, io, path::Path, time::Duration};

use maro_process::bounded_file::{MAX_CERTIFICATES_BYTES, read_text_bounded};
use sqlx::{migrate::MigrateError, postgres::PgConnectOptions};

use crate::database::{
    migrations,
    postgres::address::{Address, Server},
};

/// Why no server could be connected to.
#[derive(Debug)]
pub(crate) struct ConnectError {
    sentence: String,
    source: Option<sqlx::Error>,
}

impl fmt::Display for ConnectError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.sentence)
    }
}

impl std::error::Error for ConnectError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_ref().map(|error| error as &(dyn std::error::Error + 'static))
    }
}

impl ConnectError {
    /// A mistake in a setting.
    pub(super) fn setting(sentence: impl Into<String>) -> Self {
        Self { sentence: sentence.into(), source: None }
    }

    /// Whether the server, or the pooler before it, wants no settings when a session begins.
    pub(super) fn refuses_settings(&self) -> bool {
        // A protocol violation (PgBouncer), an unsupported feature (RDS Proxy), an unknown setting.
        matches!(self.code().as_deref(), Some("08P01" | "0A000" | "42704"))
    }

    /// Of two servers, what the one said that answered.
    pub(super) fn more_telling(one: Option<Self>, other: Self) -> Option<Self> {
        match one {
            Some(one) if one.code().is_some() || other.code().is_none() => Some(one),
            _ => Some(other),
        }
    }

    fn code(&self) -> Option<String> {
        let error = self.source.as_ref()?.as_database_error()?;
        error.code().map(Into::into)
    }
}

/// One server, and as whom MARO connects to it.
#[derive(Debug, Clone)]
pub(super) struct Place {
    server: Server,
    user: String,
    database: String,
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.server.fmt(formatter)
    }
}

impl Place {
    pub(super) fn new(server: &Server, options: &PgConnectOptions) -> Self {
        let user = options.get_username();
        let database = options.get_database().unwrap_or(user);
        Self { server: server.clone(), user: user.to_owned(), database: database.to_owned() }
    }

    /// The server only reads.
    pub(super) fn is_read_only(&self) -> ConnectError {
        ConnectError::setting(format!(
            "{self} takes no writes: it is a standby, or set to read-only. Name the primary in DATABASE_URL, or \
             all servers, separated by commas."
        ))
    }

    /// The account may not create tables in the schema where they would be.
    pub(super) fn may_not_create(&self, schema: &str) -> String {
        let Self { user, database, .. } = self;
        format!(
            "On {self}, the user {user:?} can't create tables in the database {database:?}: run GRANT CREATE ON \
             SCHEMA {schema} TO that user."
        )
    }

    /// The account may not read or change tables that are there, as after `maro migrate` with another account.
    pub(super) fn may_not_use(&self, tables: &str, schema: &str) -> String {
        let Self { user, database, .. } = self;
        format!(
            "On {self}, the user {user:?} can't read and change these tables of the database {database:?}: {tables}. Run \
             GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO that user."
        )
    }

    /// The account may change the tables, and not draw the numbers of new rows.
    pub(super) fn may_not_count(&self, schema: &str) -> String {
        let Self { user, database, .. } = self;
        format!(
            "On {self}, the user {user:?} can't use the sequences of the database {database:?}: run GRANT USAGE ON ALL \
             SEQUENCES IN SCHEMA {schema} TO that user."
        )
    }

    /// There is nowhere to create tables.
    pub(super) fn has_no_schema(&self) -> String {
        let Self { database, .. } = self;
        format!(
            "On {self}, the database {database:?} has no schema of the search_path: create it, or correct search_path in \
             the options of DATABASE_URL."
        )
    }

    /// Not every text can be stored.
    pub(super) fn is_encoded(&self, encoding: &str) -> String {
        let Self { database, .. } = self;
        format!(
            "On {self}, the database {database:?} has the encoding {encoding}, which lacks most of the world's letters and \
             all emoji: create it with ENCODING 'UTF8'."
        )
    }

    /// The account lacks a right, which the server names in words.
    fn lacks_right(&self, said: &str) -> String {
        let Self { user, database, .. } = self;
        if said.contains(" database ") {
            return format!(
                "{self} doesn't let the user {user:?} into the database {database:?}: run GRANT CONNECT ON DATABASE \
                 {database} TO that user."
            );
        }
        if said.contains(" schema ") {
            return self.may_not_create("public");
        }
        format!("On {self}, the user {user:?} lacks a right in the database {database:?}.")
    }

    /// What to tell the operator if the tables can't be brought to the current schema.
    pub(super) fn describe_migration(&self, error: MigrateError) -> anyhow::Error {
        match error {
            MigrateError::Execute(error) => self.describe(error).into(),
            error => {
                let sentence = migrations::sentence(&error, &migrations::POSTGRES);
                anyhow::Error::new(error).context(sentence)
            }
        }
    }

    /// What to tell the operator about an error.
    pub(super) fn describe(&self, error: sqlx::Error) -> ConnectError {
        let Self { user, database, .. } = self;
        let code = error.as_database_error().and_then(|error| error.code());
        // https://www.postgresql.org/docs/current/errcodes-appendix.html
        let sentence = match (&error, code.as_deref()) {
            // What the other side says while TLS begins arrives as if reading failed.
            (sqlx::Error::Io(cause), _) if cause.kind() == io::ErrorKind::InvalidData => {
                format!("MARO can't reach {self} over TLS: {}.", tls_cause(cause))
            }
            (sqlx::Error::Io(cause), _) => format!("MARO can't reach {self}: {cause}."),
            (sqlx::Error::Tls(cause), _) => {
                format!("MARO can't reach {self} over TLS: {}.", tls_cause(&**cause))
            }
            (_, Some("28P01" | "28000")) => {
                format!("{self} rejected the user {user:?}: check the name and password in DATABASE_URL.")
            }
            (_, Some("3D000")) => format!("{self} has no database {database:?}: create it first."),
            (sqlx::Error::Database(said), Some("42501")) => self.lacks_right(said.message()),
            (_, Some("3F000")) => self.has_no_schema(),
            (_, Some("53300")) => format!("{self} has no connections left."),
            (_, Some("57P03")) => format!("{self} isn't ready yet."),
            _ => format!("MARO can't use {self}."),
        };
        ConnectError { sentence, source: Some(error) }
    }
}

/// A URL that sqlx doesn't take. Its words may quote the URL.
pub(super) fn unusable(_: sqlx::Error) -> ConnectError {
    ConnectError::setting("DATABASE_URL has a value that MARO can't use.")
}

/// A server that didn't answer.
pub(super) fn silent(server: &Server, limit: Duration) -> ConnectError {
    let seconds = limit.as_secs_f64();
    ConnectError::setting(format!("{server} didn't respond within {seconds:.0} seconds."))
}

/// The last cause, which says what is wrong with the certificate, and what to do.
fn tls_cause(error: &dyn std::error::Error) -> String {
    let cause = error.to_string();
    let cause = cause.trim_end_matches('.');
    if cause.contains("does not support TLS") {
        return "the server has no TLS, and sslmode demands it".to_owned();
    }
    if cause.contains("UnknownIssuer") {
        return format!(
            "its certificate is signed by an unknown authority ({cause}); name the authority's file in sslrootcert"
        );
    }
    format!("{cause}; check sslmode and sslrootcert in DATABASE_URL")
}

/// Files that TLS needs, and that sqlx would report without their names.
pub(super) fn check_files(address: &Address) -> Result<(), ConnectError> {
    if address.parameter("sslcert").is_some() != address.parameter("sslkey").is_some() {
        return Err(ConnectError::setting(
            "DATABASE_URL has sslcert or sslkey: a certificate and its key need each other, so set both.",
        ));
    }
    for parameter in ["sslrootcert", "sslcert", "sslkey"] {
        if let Some(path) = address.parameter(parameter)
            && !path.starts_with("-----BEGIN")
        {
            check_file(&format!("{parameter} in DATABASE_URL"), Path::new(path))?;
        }
    }
    let verifies = matches!(address.parameter("sslmode"), Some("verify-ca" | "verify-full"));
    if verifies && let Some(path) = env::var_os("SSL_CERT_FILE") {
        check_file("SSL_CERT_FILE", Path::new(&path))?;
    }
    Ok(())
}

fn check_file(setting: &str, path: &Path) -> Result<(), ConnectError> {
    let shown = path.display();
    let text = read_text_bounded(path, MAX_CERTIFICATES_BYTES).map_err(|error| {
        ConnectError::setting(format!("{setting} names the file {shown}, which can't be read: {error}."))
    })?;
    if text.contains("-----BEGIN") {
        Ok(())
    } else {
        Err(ConnectError::setting(format!(
            "{setting} names the file {shown}, which isn't in the PEM format."
        )))
    }
}
