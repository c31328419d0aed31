//! Why there is no connection, in a sentence for the operator. Never with the password.

use std::{error::Error, fmt, io, time::Duration};

use maro_process::http::connection_failure::Trouble;
use sqlx::{migrate::MigrateError, postgres::PgConnectOptions};

use crate::database::{migrations, postgres::servers::Server};

/// Why no server could be connected to.
#[derive(Debug)]
pub(crate) struct ConnectError {
    sentence: String,
    source: Option<sqlx::Error>,
    answer: Answer,
}

/// What the server did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answer {
    /// It's away, or wasn't asked.
    None,
    Refused,
    /// Others have all connections.
    Full,
    /// It let MARO in, and then didn't answer: others may have all sessions of a pooler.
    NoSession,
}

impl fmt::Display for ConnectError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.sentence)
    }
}

impl Error for ConnectError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_ref().map(|error| error as &(dyn Error + 'static))
    }
}

impl ConnectError {
    /// A mistake in a setting.
    pub(super) fn setting(sentence: impl Into<String>) -> Self {
        Self { sentence: sentence.into(), source: None, answer: Answer::None }
    }

    fn refused(sentence: String) -> Self {
        Self { sentence, source: None, answer: Answer::Refused }
    }

    /// None of the others can be used, either.
    pub(super) fn of_several(self) -> Self {
        Self {
            sentence: format!("{} No other server in DATABASE_URL can be used, either.", self.sentence),
            ..self
        }
    }

    /// Whether the server, or the pooler before it, wants no settings when a session begins.
    pub(super) fn refuses_settings(&self) -> bool {
        // A protocol violation (PgBouncer), an unsupported feature (RDS Proxy), an unknown setting.
        matches!(self.code().as_deref(), Some("08P01" | "0A000" | "42704")) && !self.is_full()
    }

    /// Whether others have all connections that there are.
    pub(super) fn is_full(&self) -> bool {
        self.answer == Answer::Full
    }

    /// Whether MARO may only have to wait for others.
    pub(super) fn is_busy(&self) -> bool {
        matches!(self.answer, Answer::Full | Answer::NoSession)
    }

    /// Of two servers, what the one said that answered.
    pub(super) fn more_telling(one: Option<Self>, other: Self) -> Option<Self> {
        match one {
            Some(one) if one.answer != Answer::None || other.answer == Answer::None => Some(one),
            _ => Some(other),
        }
    }

    fn code(&self) -> Option<String> {
        let error = self.source.as_ref()?.as_database_error()?;
        error.code().map(Into::into)
    }
}

/// Whether others have all connections, or all sessions of a pooler.
pub(super) fn is_full(error: &sqlx::Error) -> bool {
    let Some(said) = error.as_database_error() else { return false };
    let words = said.message().to_lowercase();
    said.code().as_deref() == Some("53300")
        // PgBouncer's, to a new client and to one that has waited; and Supavisor's.
        || ["no more connections allowed", "query_wait_timeout", "max client"].iter().any(|part| words.contains(part))
}

/// One server, and as whom MARO connects to it.
#[derive(Debug, Clone)]
pub(super) struct Place {
    server: Server,
    user: String,
    database: String,
    /// What to check, or to do, if the server rejects the user.
    login_hint: String,
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.server.fmt(formatter)
    }
}

impl Place {
    pub(super) fn new(server: &Server, options: &PgConnectOptions, login_hint: String) -> Self {
        let user = options.get_username().to_owned();
        let database = options.get_database().unwrap_or(&user).to_owned();
        Self { server: server.clone(), user, database, login_hint }
    }

    /// The server follows another one.
    pub(super) fn is_standby(&self) -> ConnectError {
        ConnectError::refused(format!(
            "{self} takes no writes, because it's a standby. Name the primary in DATABASE_URL, or all servers, separated \
             by commas."
        ))
    }

    /// The server, the database or the account is set to read-only.
    pub(super) fn is_read_only(&self) -> ConnectError {
        let Self { user, database, .. } = self;
        ConnectError::refused(format!(
            "{self} takes no writes, because default_transaction_read_only is on: for the server, the database \
             {database:?} or the user {user:?}. Turn it off, or name a server in DATABASE_URL that takes writes."
        ))
    }

    /// The server didn't answer.
    pub(super) fn is_silent(&self, limit: Duration) -> ConnectError {
        let seconds = limit.as_secs_f64();
        ConnectError::setting(format!("{self} didn't respond within {seconds:.0} seconds."))
    }

    /// The server took the connection, and then didn't answer.
    pub(super) fn has_no_session(&self, limit: Duration) -> ConnectError {
        let seconds = limit.as_secs_f64();
        let sentence = format!(
            "{self} let MARO in, but didn't respond within {seconds:.0} seconds. If it's a pooler, all of its sessions \
             are in use: raise its pool size, or look who keeps transactions open."
        );
        ConnectError { sentence, source: None, answer: Answer::NoSession }
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
            "On {self}, the database {database:?} has no schema of the search_path: create it, or correct search_path, which \
             ALTER ROLE or the options of DATABASE_URL may set."
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

    /// What the server said of an account that it didn't let in.
    fn rejection(&self, said: &str) -> &str {
        // The server's own words: https://www.postgresql.org/docs/current/auth-pg-hba-conf.html
        if said.contains("pg_hba.conf") && said.contains("no encryption") {
            "it may want TLS, which sslmode=require in DATABASE_URL demands, or its pg_hba.conf needs a line for this \
             machine"
        } else if said.contains("pg_hba.conf") {
            "its pg_hba.conf needs a line for this machine"
        } else if said.contains("client certificate") {
            "it wants a certificate of MARO's, which sslcert and sslkey in DATABASE_URL name"
        } else if said.contains("not permitted to log in") {
            "run ALTER ROLE with LOGIN for that user"
        } else if said.contains("does not exist") {
            "that user doesn't exist, so check its name in DATABASE_URL, or run CREATE ROLE with LOGIN"
        } else {
            &self.login_hint
        }
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
            (sqlx::Error::Database(said), Some("28P01" | "28000")) => {
                format!("{self} rejected the user {user:?}: {}.", self.rejection(said.message()))
            }
            (_, Some("3D000")) => format!("{self} has no database {database:?}: create it first."),
            (sqlx::Error::Database(said), Some("42501")) => self.lacks_right(said.message()),
            (_, Some("3F000")) => self.has_no_schema(),
            _ if is_full(&error) => format!(
                "{self} has no connections left for the user {user:?}: raise its limit, or lower \
                 MARO_DATABASE_CONNECTIONS of the programs and replicas that use it."
            ),
            (sqlx::Error::Database(said), _) if said.message().contains("statement pooling mode") => format!(
                "{self} is a pooler that lends its sessions for a single statement. MARO needs them for a transaction: set \
                 pool_mode = transaction."
            ),
            (_, Some("57P03")) => format!("{self} isn't ready yet."),
            _ => format!("MARO can't use {self}."),
        };
        let answer = match code {
            _ if is_full(&error) => Answer::Full,
            Some(_) => Answer::Refused,
            None => Answer::None,
        };
        ConnectError { sentence, source: Some(error), answer }
    }
}

/// A URL that sqlx doesn't take. Its words may quote the URL.
pub(super) fn unusable(_: sqlx::Error) -> ConnectError {
    ConnectError::setting("DATABASE_URL has a value that MARO can't use.")
}

/// The last cause, which says what is wrong with the certificate, and what to do.
fn tls_cause(error: &(dyn Error + 'static)) -> String {
    let cause = error.to_string();
    let cause = cause.trim_end_matches('.');
    if cause.contains("does not support TLS") {
        return "the server has no TLS, and sslmode demands it".to_owned();
    }
    match Trouble::of(error) {
        Some(Trouble::Untrusted) => format!(
            "its certificate is signed by an unknown authority ({cause}); name the authority's file in sslrootcert"
        ),
        Some(Trouble::OutOfDate) => {
            format!(
                "its certificate isn't valid now ({cause}); renew it, unless this machine's clock is wrong"
            )
        }
        Some(Trouble::OtherName) => format!(
            "its certificate is for another name ({cause}); write a name into DATABASE_URL that the certificate has"
        ),
        Some(Trouble::NoServers) => format!(
            "its certificate isn't one that a server may have ({cause}); have one issued for the server, with its name \
             in it"
        ),
        Some(Trouble::OwnCertificate) => {
            format!("it rejects the certificate in sslcert, or wants one ({cause})")
        }
        Some(Trouble::OldTls) => {
            format!("it speaks only outdated TLS ({cause}); MARO needs TLS 1.2 or later")
        }
        _ => format!("{cause}; check sslmode and sslrootcert in DATABASE_URL"),
    }
}
