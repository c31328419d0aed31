//! A database of every age becomes one of today with its rows as they were. New migrations are picked up by
//! themselves; one that adds a table should add its sample rows to `SAMPLES`.

use std::{collections::BTreeMap, fs, path::Path};

use maro_process::secret::Secret;
use maro_store::{Stores, config::DatabaseConfig, database::migrations};
use sqlx::migrate::Migrator;

use crate::support::{
    given::{Given, on_both_databases},
    postgres::Database,
    raw::{Raw, execute, query},
};

/// Rows that a table must still hold, whatever columns come with later steps.
struct Sample {
    /// The step that made the table.
    since: i64,
    fill: &'static str,
    /// One text for each row.
    content: &'static str,
}

const SAMPLES: [Sample; 10] = [
    Sample {
        since: 1,
        fill: "
            INSERT INTO channel_tracked_issues (channel_id, issue_key, tracked_at, tracked_by, issue_id,
                source, last_jira_summary, last_jira_status)
            VALUES
                ('C1', 'A-1', '2025-06-01T08:00:00.000000Z', 'U1', '1001', 'created', 'It''s a summary', 'Open'),
                ('C1', 'A-2', '2025-06-02T08:00:00.000000Z', 'U2', NULL, 'command', NULL, NULL),
                ('C2', 'A-1', '2025-06-03T08:00:00.000000Z', 'U1', '1001', 'epic_story', 'é 👩‍👩‍👧', 'In Progress')",
        content: "
            SELECT channel_id || ' ' || issue_key || ' ' || tracked_by || ' ' || source
                || ' ' || coalesce(issue_id, '-') || ' ' || coalesce(last_jira_summary, '-')
                || ' ' || coalesce(last_jira_status, '-') || ' ' || CAST(tracked_at AS TEXT)
            FROM channel_tracked_issues ORDER BY id",
    },
    Sample {
        since: 2,
        fill: "
            INSERT INTO ticket_intents (id, kind, channel_id, user_id, state, data, version, created_at,
                updated_at)
            VALUES
                ('one', 'create', 'C1', 'U1', 'begun', '{\"é\": \"👩‍👩‍👧\"}', 9223372036854775807,
                    '2025-06-01T08:00:00.000000Z', '2025-06-01T09:00:00.000000Z'),
                ('two', 'stories', 'C2', 'U2', 'finished', '[]', 1,
                    '2025-06-02T08:00:00.000000Z', '2025-06-02T09:00:00.000000Z')",
        content: "
            SELECT id || ' ' || kind || ' ' || channel_id || ' ' || user_id || ' ' || state || ' ' || data
                || ' ' || version || ' ' || CAST(created_at AS TEXT) || ' ' || CAST(updated_at AS TEXT)
            FROM ticket_intents ORDER BY id",
    },
    Sample {
        since: 2,
        fill: "
            INSERT INTO created_tickets (issue_id, issue_key, project_key, summary, intent_id, created_at)
            VALUES ('1001', 'A-1', 'A', 'It''s a summary', 'one', '2025-06-01T08:00:00.000000Z')",
        content: "
            SELECT issue_id || ' ' || issue_key || ' ' || project_key || ' ' || summary || ' ' || intent_id
                || ' ' || CAST(created_at AS TEXT)
            FROM created_tickets ORDER BY issue_id",
    },
    Sample {
        since: 3,
        fill: "
            INSERT INTO plugin_switches (plugin_name, disabled_by, disabled_at, enabled_by, enabled_at)
            VALUES
                ('track', 'U1', '2025-06-01T08:00:00.000000Z', 'U2', '2025-06-02T08:00:00.000000Z'),
                ('assign', 'U1', '2025-06-01T08:00:00.000000Z', NULL, NULL)",
        content: "
            SELECT plugin_name || ' ' || disabled_by || ' ' || CAST(disabled_at AS TEXT)
                || ' ' || coalesce(enabled_by, '-') || ' ' || coalesce(CAST(enabled_at AS TEXT), '-')
            FROM plugin_switches ORDER BY plugin_name",
    },
    Sample {
        since: 3,
        fill: "
            INSERT INTO plugin_refusals (file_name, content, told_at)
            VALUES ('track.wasm', '00ff', '2025-06-01T08:00:00.000000Z')",
        content: "
            SELECT file_name || ' ' || content || ' ' || CAST(told_at AS TEXT)
            FROM plugin_refusals ORDER BY file_name",
    },
    Sample {
        since: 4,
        fill: "
            INSERT INTO plugin_storage (plugin, channel_id, key, value)
            VALUES ('standup', 'C1', 'seen', 'é 👩‍👩‍👧'), ('standup', '', 'seen', '')",
        content: "
            SELECT plugin || ' ' || channel_id || ' ' || length(key) || ' ' || length(value)
            FROM plugin_storage ORDER BY plugin, channel_id, key",
    },
    Sample {
        since: 4,
        fill: "
            INSERT INTO plugin_storage_usage (plugin, channel_id, keys, bytes)
            VALUES ('standup', 'C1', 1, 25), ('standup', '', 1, 4)",
        content: "
            SELECT plugin || ' ' || channel_id || ' ' || keys || ' ' || bytes
            FROM plugin_storage_usage ORDER BY plugin, channel_id",
    },
    Sample {
        since: 6,
        fill: "
            INSERT INTO audit_log (at, channel_id, user_id, action, subject, plugin, digest, outcome, incident)
            VALUES
                ('2025-06-01T08:00:00.000000Z', 'C1', 'U1', 'track', 'A-1', 'track', '00ff', 'done', '00000abc'),
                ('2025-06-02T08:00:00.000000Z', 'C1', 'U1', 'create', 'é 👩‍👩‍👧', NULL, NULL, 'refused', NULL)",
        content: "
            SELECT CAST(at AS TEXT) || ' ' || team_id || channel_id || ' ' || user_id || ' ' || action || ' ' || subject
                || ' ' || coalesce(plugin, '-') || ' ' || coalesce(digest, '-') || ' ' || outcome
                || ' ' || coalesce(incident, '-')
            FROM audit_log ORDER BY id",
    },
    Sample {
        since: 8,
        fill: "
            INSERT INTO plugin_rollbacks (plugin_name, file_content, kept_content, rolled_back_by, rolled_back_at)
            VALUES ('track', '00ff', 'ff00', 'U1', '2025-06-01T08:00:00.000000Z')",
        content: "
            SELECT plugin_name || ' ' || file_content || ' ' || kept_content || ' ' || rolled_back_by
                || ' ' || CAST(rolled_back_at AS TEXT)
            FROM plugin_rollbacks",
    },
    Sample {
        since: 7,
        fill: "
            INSERT INTO slack_workspace (number, team_id, enterprise_id, learned_at)
            VALUES (1, 'T1', 'E1', '2025-06-01T08:00:00.000000Z')",
        content: "SELECT team_id || ' ' || enterprise_id FROM slack_workspace",
    },
];

/// The tables whose rows belong to a workspace and a site.
const OWNED: [&str; 6] = [
    "channel_tracked_issues",
    "ticket_intents",
    "created_tickets",
    "plugin_switches",
    "plugin_storage",
    "plugin_storage_usage",
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
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../migrations");
    for (folder, steps) in [("sqlite", &migrations::SQLITE), ("postgres", &migrations::POSTGRES)] {
        let files = fs::read_dir(root.join(folder)).unwrap().count();
        assert_eq!(files, steps.iter().count(), "touch host/store/build.rs: {folder} has changed");
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
        upgrade(&DatabaseConfig::postgres(Secret::new(database.url)), version).await;
    }
}

async fn upgrade(config: &DatabaseConfig, version: i64) {
    match Raw::connect(config).await {
        Raw::Sqlite(mut connection) => migrations::SQLITE.run_to(version, &mut connection).await.unwrap(),
        Raw::Postgres(mut connection) => {
            migrations::POSTGRES.run_to(version, &mut connection).await.unwrap();
        }
    }
    let samples = || SAMPLES.iter().filter(|sample| sample.since <= version);
    for sample in samples() {
        execute(config, sample.fill).await;
    }
    let before = content(config, samples()).await;
    assert!(!before.is_empty());
    Stores::open(config).await.unwrap().close().await;
    assert_eq!(content(config, samples()).await, before, "from step {version}");
    for table in OWNED {
        let others = format!("SELECT team_id FROM {table} WHERE team_id <> '' OR site_id <> ''");
        assert_eq!(query(config, &others).await, [""; 0], "{table} from step {version}");
    }
}

on_both_databases! {
    rows_of_another_workspace_have_keys_of_their_own,
}

/// What is unique now still is. So it is shown of rows that differ in their workspace, once the narrower keys of
/// the list are gone.
async fn rows_of_another_workspace_have_keys_of_their_own(given: &Given) {
    for index in ["channel_tracked_issues_key", "channel_tracked_issues_issue"] {
        given.execute(&format!("DROP INDEX {index}")).await;
    }
    let insert = |team: &str, site: &str| {
        format!(
            "INSERT INTO channel_tracked_issues (channel_id, issue_key, issue_id, tracked_at, tracked_by,
                team_id, site_id)
             VALUES ('C1', 'A-1', '1001', '2025-06-01T08:00:00.000000Z', 'U1', '{team}', '{site}')
             ON CONFLICT DO NOTHING"
        )
    };
    for (team, site) in [("T2", ""), ("", "S2"), ("T2", "S2"), ("T2", ""), ("", "S2"), ("T2", "S2")] {
        given.execute(&insert(team, site)).await;
    }
    assert_eq!(given.keys("C1").await, ["A-1", "A-1", "A-1"]);
}

async fn content(config: &DatabaseConfig, samples: impl Iterator<Item = &Sample>) -> Vec<String> {
    let mut rows = Vec::new();
    for sample in samples {
        rows.extend(query(config, sample.content).await);
    }
    rows
}

fn names(steps: &Migrator) -> BTreeMap<i64, String> {
    steps.iter().map(|step| (step.version, step.description.to_string())).collect()
}
