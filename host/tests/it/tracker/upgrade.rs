//! A database of every age becomes one of today with its rows as they were. New migrations are picked up by
//! themselves; one that adds a table should add its sample rows to `fill`.

use std::{collections::BTreeMap, fs, path::Path};

use maro::{
    config::{DatabaseConfig, Secret},
    tracker::{migrations, open},
};
use sqlx::{AssertSqlSafe, Executor, Row, migrate::Migrator};

use crate::{postgres::Database, tracker::given::Raw};

/// What a row must still hold, whatever columns come with later steps.
const CONTENT: &str = "
    SELECT channel_id || ' ' || issue_key || ' ' || tracked_by || ' ' || source
        || ' ' || coalesce(issue_id, '-') || ' ' || coalesce(last_jira_summary, '-')
        || ' ' || coalesce(last_jira_status, '-') || ' ' || CAST(tracked_at AS TEXT)
    FROM channel_tracked_issues ORDER BY id";

const ROWS: [&str; 3] = [
    "('C1', 'A-1', '2025-06-01T08:00:00.000000Z', 'U1', '1001', 'created', 'It''s a summary', 'Open')",
    "('C1', 'A-2', '2025-06-02T08:00:00.000000Z', 'U2', NULL, 'command', NULL, NULL)",
    "('C2', 'A-1', '2025-06-03T08:00:00.000000Z', 'U1', '1001', 'epic_story', 'é 👩‍👩‍👧', 'In Progress')",
];

#[test]
fn both_databases_have_the_same_steps() {
    let sqlite = names(&migrations::SQLITE);
    assert_eq!(sqlite, names(&migrations::POSTGRES));
    let numbers: Vec<i64> = sqlite.keys().copied().collect();
    assert_eq!(numbers, (1..=numbers.len() as i64).collect::<Vec<_>>());
}

#[test]
fn every_step_on_disk_is_in_the_binary() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../migrations");
    for (folder, steps) in [("sqlite", &migrations::SQLITE), ("postgres", &migrations::POSTGRES)] {
        let files = fs::read_dir(root.join(folder)).unwrap().count();
        assert_eq!(files, steps.iter().count(), "touch host/build.rs: {folder} has changed");
    }
}

#[tokio::test]
async fn an_sqlite_database_of_any_age_keeps_its_rows() {
    for version in migrations::SQLITE.iter().map(|step| step.version) {
        let folder = tempfile::tempdir().unwrap();
        let config = DatabaseConfig::Sqlite { path: folder.path().join("maro.db") };
        upgrade(&config, version).await;
    }
}

#[tokio::test]
async fn a_postgres_database_of_any_age_keeps_its_rows() {
    for version in migrations::POSTGRES.iter().map(|step| step.version) {
        let Some(database) = Database::new().await else { return };
        upgrade(&DatabaseConfig::Postgres { url: Secret::new(database.url) }, version).await;
    }
}

async fn upgrade(config: &DatabaseConfig, version: i64) {
    let fill = format!(
        "INSERT INTO channel_tracked_issues (channel_id, issue_key, tracked_at, tracked_by, issue_id, source, \
         last_jira_summary, last_jira_status) VALUES {}",
        ROWS.join(", ")
    );
    let before = match Raw::connect(config).await {
        Raw::Sqlite(mut connection) => {
            migrations::SQLITE.run_to(version, &mut connection).await.unwrap();
            connection.execute(AssertSqlSafe(fill)).await.unwrap();
            let rows = connection.fetch_all(CONTENT).await.unwrap();
            rows.iter().map(|row| row.get(0)).collect::<Vec<String>>()
        }
        Raw::Postgres(mut connection) => {
            migrations::POSTGRES.run_to(version, &mut connection).await.unwrap();
            connection.execute(AssertSqlSafe(fill)).await.unwrap();
            let rows = connection.fetch_all(CONTENT).await.unwrap();
            rows.iter().map(|row| row.get(0)).collect()
        }
    };
    assert_eq!(before.len(), ROWS.len());
    let tracker = open::open(config).await.unwrap();
    tracker.ping().await.unwrap();
    tracker.close().await;
    let after: Vec<String> = match Raw::connect(config).await {
        Raw::Sqlite(mut connection) => {
            connection.fetch_all(CONTENT).await.unwrap().iter().map(|row| row.get(0)).collect()
        }
        Raw::Postgres(mut connection) => {
            connection.fetch_all(CONTENT).await.unwrap().iter().map(|row| row.get(0)).collect()
        }
    };
    assert_eq!(after, before, "from step {version}");
}

fn names(steps: &Migrator) -> BTreeMap<i64, String> {
    steps.iter().map(|step| (step.version, step.description.to_string())).collect()
}
