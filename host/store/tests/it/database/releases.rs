//! Releases in both directions: an older bot on the database of a newer one.

use maro_domain::tracked::TrackOutcome::Tracked;
use maro_store::{Stores, config::DatabaseConfig};

use crate::support::{
    given::{Given, issue, on_both_databases, track},
    raw::execute,
};

on_both_databases! {
    an_older_bot_works_on_a_newer_database,
    an_older_bot_refuses_what_has_lost_what_it_needs,
}

/// Notes a step that this bot doesn't know.
async fn note_step(config: &DatabaseConfig, number: u32, name: &str) {
    let step = format!(
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
         SELECT {number}, '{name}', success, checksum, 0 FROM _sqlx_migrations WHERE version = 1"
    );
    execute(config, &step).await;
}

/// After a roll-back, or while replicas are replaced, an older bot starts on what a newer one has expanded.
async fn an_older_bot_works_on_a_newer_database(given: &Given) {
    note_step(&given.config, 9998, "more columns").await;
    note_step(&given.config, 9999, "contract 0001 the old keys").await;
    given.close().await;
    let stores = Stores::open(&given.config).await.unwrap();
    assert_eq!(track(&*stores.tracker, "C1", &[issue(1, "A-1")], 0).await, [Tracked]);
    stores.close().await;
}

async fn an_older_bot_refuses_what_has_lost_what_it_needs(given: &Given) {
    note_step(&given.config, 9998, "more columns").await;
    note_step(&given.config, 9999, "contract 9998 the old keys").await;
    given.close().await;
    let sentence = Stores::open(&given.config).await.err().expect("it starts").to_string();
    assert!(
        sentence.starts_with(
            "The database was made by a newer MARO: its migration 9999 removed something that this MARO needs"
        ),
        "{sentence}"
    );
}
