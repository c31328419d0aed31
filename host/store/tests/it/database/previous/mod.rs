//! The release before this one on today's tables: while replicas are replaced, and after a roll-back, its
//! statements run on what this release's migrations have made.

mod on_postgres;
mod on_sqlite;

use serde_json::Value;
use sqlx::{PgConnection, SqliteConnection};

use crate::support::{
    given::{Given, issue, on_both_databases},
    raw::Raw,
};

on_both_databases! {
    the_previous_release_works_on_todays_tables,
}

/// A value for a statement.
#[derive(Debug, Clone)]
enum Bind {
    Json(Value),
    Text(&'static str),
    Number(i64),
    Bytes(&'static [u8]),
    Texts(&'static [&'static str]),
    Numbers(Vec<i64>),
    Flags(&'static [bool]),
    NoBytes,
}

/// A statement with its values, and how many rows it returns or else changes.
#[derive(Clone)]
struct Step(&'static str, Vec<Bind>, u64);

macro_rules! bind_all {
    ($query:expr, $binds:expr) => {
        $binds.iter().fold($query, |query, bind| match bind {
            Bind::Json(value) => query.bind(value.to_string()),
            Bind::Text(text) => query.bind(*text),
            Bind::Number(number) => query.bind(*number),
            Bind::Bytes(bytes) => query.bind(*bytes),
            Bind::NoBytes => query.bind(None::<Vec<u8>>),
            other => bind_list!(query, other),
        })
    };
}

async fn run_on_sqlite(connection: &mut SqliteConnection, Step(statement, binds, _): &Step) -> u64 {
    macro_rules! bind_list {
        ($query:ident, $list:ident) => {
            panic!("SQLite has no lists: {:?}", $list)
        };
    }
    let query = || bind_all!(sqlx::query(*statement), binds);
    if statement.contains("RETURNING") || statement.trim_start().starts_with("SELECT") {
        return query().fetch_all(connection).await.unwrap().len() as u64;
    }
    query().execute(connection).await.unwrap().rows_affected()
}

async fn run_on_postgres(connection: &mut PgConnection, Step(statement, binds, _): &Step) -> u64 {
    macro_rules! bind_list {
        ($query:ident, $list:ident) => {
            match $list {
                Bind::Texts(texts) => $query.bind(*texts),
                Bind::Numbers(numbers) => $query.bind(numbers.clone()),
                Bind::Flags(flags) => $query.bind(*flags),
                _ => unreachable!("no list"),
            }
        };
    }
    let query = || bind_all!(sqlx::query(*statement), binds);
    // A statement with rows counts them, too.
    query().execute(connection).await.unwrap().rows_affected()
}

async fn the_previous_release_works_on_todays_tables(given: &Given) {
    // What this release has written is there for the previous one.
    given.track("C1", &[issue(1, "A-1")], 0).await;
    let (mut connection, steps) = match Raw::connect(&given.config).await {
        sqlite @ Raw::Sqlite(_) => (sqlite, on_sqlite::steps()),
        postgres @ Raw::Postgres(_) => (postgres, on_postgres::steps()),
    };
    for step in &steps {
        let count = match &mut connection {
            Raw::Sqlite(connection) => run_on_sqlite(connection, step).await,
            Raw::Postgres(connection) => run_on_postgres(connection, step).await,
        };
        assert_eq!(count, step.2, "{} with {:?}", step.0, step.1);
    }
    // And the other way round.
    assert_eq!(given.keys("C1").await, ["A-1", "B-2"]);
    assert_eq!(given.query("SELECT state FROM ticket_intents WHERE id = 'one'").await, ["finished"]);
    let switches = given.plugin_switches.disabled().await.unwrap();
    assert_eq!(switches.len(), 1);
    assert_eq!(switches[0].disabled_by.as_str(), "U3");
    assert_eq!(
        given.query("SELECT plugin || ' ' || keys || ' ' || bytes FROM plugin_storage_usage").await,
        ["p 1 3"]
    );
}
