//! The migrations that bring a database to the current schema, embedded in the binary.
//!
//! The files are in `migrations/{sqlite,postgres}/`. `migrations/README.md` has the rules. The build script lists
//! them, because `sqlx::migrate!` would have half of sqlx compiled a second time for the compiler's use.

use std::sync::LazyLock;

use futures_util::future::BoxFuture;
use sqlx::{
    ColumnIndex, Decode, PgConnection, Row, SqlSafeStr as _, SqliteConnection, Type,
    migrate::{MigrateError, Migration, MigrationType, Migrator},
};

/// The first word in the name of a step that takes something away. The number of a step follows: a MARO that knows that
/// step no longer uses what goes away, and an older one mustn't start.
const CONTRACT: &str = "contract";

/// The steps that a database has. Checksums as text, since `bytea_output` of a server may write bytes in another way
/// than sqlx reads.
pub(in crate::database) const APPLIED_SQLITE: &str =
    "SELECT version, description, lower(hex(checksum)) FROM _sqlx_migrations ORDER BY version";
pub(in crate::database) const APPLIED_POSTGRES: &str =
    "SELECT version, description, encode(checksum, 'hex') FROM _sqlx_migrations ORDER BY version";

/// A step that a database has.
pub(in crate::database) struct Applied {
    version: i64,
    name: String,
    /// In hexadecimal digits.
    checksum: String,
}

/// The migrations for SQLite, in order.
pub static SQLITE: LazyLock<Migrator> = LazyLock::new(|| migrator(SQLITE_STEPS));

/// The migrations for PostgreSQL, in order, with the same numbers and names.
pub static POSTGRES: LazyLock<Migrator> = LazyLock::new(|| {
    let mut migrator = migrator(POSTGRES_STEPS);
    migrator.set_locking(false);
    migrator
});

include!(concat!(env!("OUT_DIR"), "/migrations.rs"));

/// The steps as `sqlx::migrate!` would make them: databases hold their names and checksums.
fn migrator(steps: &'static [(i64, &'static str, &'static str)]) -> Migrator {
    let migration = |&(number, name, sql): &'static (i64, &'static str, &'static str)| {
        let needs_no_transaction = sql.starts_with("-- no-transaction");
        let kind = MigrationType::Simple;
        Migration::new(number, name.into(), kind, sql.into_sql_str(), needs_no_transaction)
    };
    let mut migrator = Migrator::with_migrations(steps.iter().map(migration).collect());
    // [`check_newer`] decides about those of a newer MARO.
    migrator.set_ignore_missing(true);
    migrator
}

/// Applies the missing migrations. Those of a newer MARO are fine as long as they take nothing away that this
/// one needs. Uses `run_direct`, because the compiler can't see that the future of `run`
/// is `Send` for a borrowed connection.
pub(in crate::database) fn apply_sqlite(
    connection: &mut SqliteConnection,
) -> BoxFuture<'_, Result<(), MigrateError>> {
    Box::pin(async move {
        SQLITE.run_direct(None, &mut *connection, false).await?;
        let applied = sqlx::raw_sql(APPLIED_SQLITE).fetch_all(connection).await?;
        check_newer(&read_applied(&applied)?, &SQLITE)
    })
}

/// As [`apply_sqlite`], within a transaction of the caller, who holds a lock.
pub(in crate::database) fn apply_postgres(
    connection: &mut PgConnection,
) -> BoxFuture<'_, Result<(), MigrateError>> {
    Box::pin(async move {
        POSTGRES.run_direct(None, &mut *connection, false).await?;
        let applied = sqlx::raw_sql(APPLIED_POSTGRES).fetch_all(connection).await?;
        check_newer(&read_applied(&applied)?, &POSTGRES)
    })
}

/// The tables that these steps make, by name.
pub(in crate::database) fn tables(steps: &Migrator) -> Vec<&str> {
    let mut tables: Vec<_> = steps
        .iter()
        .flat_map(|step| step.sql.as_str().split("CREATE TABLE ").skip(1))
        .filter_map(|statement| statement.split(|letter: char| !is_of_name(letter)).next())
        .filter(|table| !table.is_empty())
        .collect();
    tables.sort_unstable();
    tables.dedup();
    tables
}

fn is_of_name(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || letter == '_'
}

pub(in crate::database) fn read_applied<R: Row>(rows: &[R]) -> Result<Vec<Applied>, sqlx::Error>
where
    usize: ColumnIndex<R>,
    for<'r> i64: Decode<'r, R::Database> + Type<R::Database>,
    for<'r> String: Decode<'r, R::Database> + Type<R::Database>,
{
    let applied =
        |row: &R| Ok(Applied { version: row.try_get(0)?, name: row.try_get(1)?, checksum: row.try_get(2)? });
    rows.iter().map(applied).collect()
}

/// How many steps a database is missing.
///
/// # Errors
/// As the application of the steps would fail.
pub(in crate::database) fn count_missing(
    applied: &[Applied],
    steps: &Migrator,
) -> Result<usize, MigrateError> {
    check_newer(applied, steps)?;
    let mut missing = 0;
    for step in steps.iter() {
        match applied.iter().find(|applied| applied.version == step.version) {
            None => missing += 1,
            Some(applied) if applied.checksum == hex::encode(&step.checksum) => {}
            Some(_) => return Err(MigrateError::VersionMismatch(step.version)),
        }
    }
    Ok(missing)
}

/// Whether this MARO can work with a database that has these steps.
///
/// # Errors
/// [`MigrateError::VersionTooNew`] if one of them took away what this MARO needs, and
/// [`MigrateError::VersionMissing`] if one isn't MARO's.
fn check_newer(applied: &[Applied], steps: &Migrator) -> Result<(), MigrateError> {
    let newest = newest(steps);
    let is_known = |applied: &Applied| steps.iter().any(|step| step.version == applied.version);
    for Applied { version, name, .. } in applied.iter().filter(|applied| !is_known(applied)) {
        if *version < newest {
            return Err(MigrateError::VersionMissing(*version));
        }
        if needed_step(name).is_some_and(|needed| needed > newest) {
            return Err(MigrateError::VersionTooNew(*version, newest));
        }
        tracing::info!(version, name, "a newer MARO has added this migration, which this one can work with");
    }
    Ok(())
}

/// The step that a MARO must know to work after the step with this name: `None` if any may.
fn needed_step(name: &str) -> Option<i64> {
    let mut words = name.split(' ');
    let takes_away = words.next() == Some(CONTRACT);
    // What can't be read may need anything.
    takes_away.then(|| words.next().and_then(|number| number.parse().ok()).unwrap_or(i64::MAX))
}

fn newest(steps: &Migrator) -> i64 {
    steps.iter().map(|step| step.version).max().unwrap_or_default()
}

/// What to tell the operator if a database can't be brought to the current schema.
pub(in crate::database) fn sentence(error: &MigrateError, steps: &Migrator) -> String {
    let newest = newest(steps);
    match error {
        MigrateError::VersionTooNew(version, _) => format!(
            "The database was made by a newer MARO: its migration {version} removed something that this MARO \
             needs, which knows the migrations up to {newest}. Start the newer MARO."
        ),
        MigrateError::VersionMissing(version) => format!(
            "The database has a migration {version}, which isn't MARO's. Start the MARO that made the database."
        ),
        MigrateError::VersionMismatch(version) => format!(
            "Migration {version} isn't the one that was applied to this database: its file was edited \
             afterwards. Start the MARO that made the database, and put changes into a new migration."
        ),
        MigrateError::ExecuteMigration(_, version) => {
            format!("Migration {version} failed. The database is as it was before.")
        }
        _ => "MARO couldn't create or check its tables.".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Number and checksum of every step that has landed, as databases hold them. They never change.
    const LANDED_SQLITE: [(i64, &str); 7] = [
        (
            1,
            "a812b2f7dbb9791eee780ef274f783705cb64700f1568a194d1267c01e268428\
             bd6f0d276e5924b1df2bef24dd4649e6",
        ),
        (
            2,
            "ec7d90e352db5aa14a36c1e40e81bd20e9aa8f0362eebcb6c5f981d724e64d52\
             1d324e9a8e89e22d945f31c274cbb9dc",
        ),
        (
            3,
            "188fc0dfd1323c447840097c39d32b9150cc28f05ff1c0a433c7b78926558fe7\
             0ea59db5adc385d70e60ebbd6c087e3f",
        ),
        (
            4,
            "9e4ad1d31caaa99f0f42ff0224421162fc1c2e6a90847fdd7faf8ee9b8c70270\
             e0c60ae2f935c879081abea4f048b6c7",
        ),
        (
            5,
            "812b3468f5c3939ae5fc686133c49ecb421c88b8cab674f941dcdf040d167c72\
             3536d83d42778583231cf8edf45b05cf",
        ),
        (
            6,
            "e0562fd55d0e05bfb95aacc60d79416529d77d867276102c9b39ba3aaf458882\
             aaa0859ec7850925b82072102e07d451",
        ),
        (
            7,
            "6996deb0bbc0b94e37e7d677b6e06dd9dedcc3a0890feb9988d302b939d15f1a\
             3a52e86f12bcc28428f3f5c30909d490",
        ),
    ];

    /// As [`LANDED_SQLITE`].
    const LANDED_POSTGRES: [(i64, &str); 7] = [
        (
            1,
            "99d6f6af018350a997f6b30e8c1d898a5f29467f6defb89d8101de826fad5d43\
             bf88614cc6c01d1562ea96f0d838d1d8",
        ),
        (
            2,
            "e4833f5be29f0107546edea21a04b9ea63b8fbe7b49f3eda491f4d7eac82a340\
             703c3dc490df5afd33cee21838385770",
        ),
        (
            3,
            "7b818381d943f43afdecbc22157f91f505e2750b30ef1db5977b2ea2deeec9d5\
             c127001b24b6cca4f8dfb7f88c62a06b",
        ),
        (
            4,
            "775d41e1f08677fadc44f640d95e7f1d181f390c79db443f1baaebcbe12d8aa3\
             f444942506373b8b2a27b8ad1658308d",
        ),
        (
            5,
            "812b3468f5c3939ae5fc686133c49ecb421c88b8cab674f941dcdf040d167c72\
             3536d83d42778583231cf8edf45b05cf",
        ),
        (
            6,
            "9862fd6e4dfd9bb51df15674f96b1c2b71ef90df1499839568b8591d9f36e370\
             8d27b5ef3a8224564403aac9407be164",
        ),
        (
            7,
            "c26f8701dbb4caf46f4273a927b9b60d415ef6e3a7b1d82234ac42664d0f0122\
             775f2e3fce6d82ba4d51b32ebae33796",
        ),
    ];

    #[test]
    fn a_step_that_has_landed_keeps_its_checksum() {
        for (steps, landed) in [(&SQLITE, LANDED_SQLITE), (&POSTGRES, LANDED_POSTGRES)] {
            let steps: Vec<_> =
                steps.iter().map(|step| (step.version, hex::encode(&step.checksum))).collect();
            let landed = landed.map(|(number, checksum)| (number, checksum.to_owned()));
            assert!(steps.starts_with(&landed), "{steps:#?}");
        }
    }

    #[test]
    fn a_step_of_a_newer_bot_is_refused_only_if_it_takes_away_what_this_one_needs() {
        let newest = newest(&SQLITE);
        let applied =
            |version, name: &str| [Applied { version, name: name.to_owned(), checksum: String::new() }];
        let after = |name: &str| check_newer(&applied(newest + 2, name), &SQLITE);
        assert!(after("a new table").is_ok());
        assert!(after("contracts of employment").is_ok());
        assert!(after(&format!("contract {newest:04} the old keys")).is_ok());
        for name in
            [&*format!("contract {:04} the old keys", newest + 1), "contract the old keys", "contract"]
        {
            let error = after(name).unwrap_err();
            assert!(matches!(error, MigrateError::VersionTooNew(..)), "{name}: {error:?}");
        }
        let error = check_newer(&applied(0, "of another program"), &SQLITE).unwrap_err();
        assert!(matches!(error, MigrateError::VersionMissing(0)), "{error:?}");
    }

    #[test]
    fn a_step_that_takes_something_away_names_an_earlier_step() {
        for step in SQLITE.iter().chain(POSTGRES.iter()) {
            let needed = needed_step(&step.description).unwrap_or_default();
            assert!(needed < step.version, "{}", step.description);
        }
    }

    #[test]
    fn steps_are_called_after_their_files() {
        let names: Vec<_> = SQLITE.iter().map(|step| &*step.description).take(2).collect();
        assert_eq!(names, ["channel tracked issues", "ticket intents"]);
    }
}
