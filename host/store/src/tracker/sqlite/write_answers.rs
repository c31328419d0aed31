//! Writes what Jira said of issues to all lists that they are on, in SQLite.

use std::collections::HashMap;

use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use sqlx::{Row as _, SqliteConnection};

use crate::{
    database::{
        sqlite::write::{Change, run},
        time::{StoredTime, time_text},
    },
    tracker::{
        jira_answers::{Difference, IssueAnswer, JiraAnswers, ROWS_AT_ONCE, StoredRow},
        known_fields::{known_category, known_level, known_status},
        newer_answer::Known,
        sqlite::{
            item::{Items, ListChange},
            write::settle,
        },
    },
};
use maro_domain::{issue::Issue, tracked::MISSING_STATUS};

/// How many rows one transaction changes at most: it's the only one of its time, and others wait for it.
const ROWS_PER_TURN: usize = 400;

const KNOWN: &str = "
    SELECT json_group_array(json_array(issue_key, updated_ms, asked_at)) FROM issue_freshness
    WHERE issue_key IN (SELECT value ->> 0 FROM json_each(?1)) AND team_id = '' AND site_id = ''";

/// The rows that don't agree with an answer, and are older, but for those of channels that nobody can write to. An
/// answer is the key that was asked for, the key of now, id, summary, status, level, category, time of change, whether
/// Jira shows it, and when Jira was asked. What is older, and which times say nothing, is as in [`Known`].
const DIFFERENT: &str = "
    WITH fitting (place, item, id) AS (
        SELECT item.key, item.value, row.id FROM json_each(?1) AS item
        CROSS JOIN channel_tracked_issues AS row ON row.issue_key = item.value ->> 0
        UNION
        SELECT item.key, item.value, row.id FROM json_each(?1) AS item
        CROSS JOIN channel_tracked_issues AS row ON row.issue_key = item.value ->> 1
        WHERE item.value ->> 0 <> item.value ->> 1
        UNION
        SELECT item.key, item.value, row.id FROM json_each(?1) AS item
        CROSS JOIN channel_tracked_issues AS row ON row.issue_id = item.value ->> 2)
    SELECT json_group_array(json_object('answer', place, 'channel', channel_id, 'key', issue_key,
        'issue_id', issue_id, 'summary', last_jira_summary, 'status', last_jira_status,
        'category', last_jira_category, 'level', has_security_level, 'was_synced', was_synced))
    FROM (
        SELECT fitting.place, row.*, row.last_synced_at IS NOT NULL AND coalesce(
            unixepoch(row.last_synced_at, 'subsec') <= unixepoch(item ->> 9, 'subsec') + 300, true) AS was_synced
        FROM fitting CROSS JOIN channel_tracked_issues AS row ON row.id = fitting.id
        WHERE NOT EXISTS (SELECT 1 FROM paused_channels AS paused WHERE paused.channel_id = row.channel_id)
            AND CASE WHEN item ->> 7 <> row.jira_updated_ms
                    AND unixepoch(row.last_synced_at, 'subsec') >= unixepoch(item ->> 9, 'subsec') - 300
                THEN item ->> 7 > row.jira_updated_ms
                ELSE coalesce(row.last_synced_at, '') <= item ->> 9
                    OR unixepoch(row.last_synced_at, 'subsec') > unixepoch(item ->> 9, 'subsec') + 300 END
            AND (NOT was_synced
                OR row.last_jira_summary IS NOT item ->> 3
                OR (item ->> 4 IS NOT NULL AND (row.last_jira_status IS NOT item ->> 4
                    OR row.last_jira_category IS NOT item ->> 6))
                OR row.has_security_level IS NOT coalesce(item ->> 5, row.has_security_level)
                OR (item ->> 8 AND (row.issue_key <> item ->> 1 OR row.issue_id IS NOT item ->> 2)))
        ORDER BY fitting.place, row.id)";

/// When Jira was last asked: now, `item.value ->> 2`, unless it was asked a little later already.
macro_rules! asked_last {
    () => {
        "iif(unixepoch(known.asked_at, 'subsec') > unixepoch(item.value ->> 2, 'subsec') + 300, item.value ->> 2,
            max(coalesce(known.asked_at, ''), item.value ->> 2))"
    };
}

/// Of what is left out, too, Jira was asked.
const REREAD: &str = concat!(
    "UPDATE issue_freshness AS known SET due_at = ",
    asked_last!(),
    ", holder = NULL, held_until_ms = 0
    FROM json_each(?1) AS item
    WHERE known.issue_key = item.value ->> 0 AND known.team_id = '' AND known.site_id = ''"
);

const REFRESH: &str = concat!(
    "UPDATE issue_freshness AS known SET asked_at = ",
    asked_last!(),
    ", due_at = ",
    asked_last!(),
    ", updated_ms = item.value ->> 1, holder = NULL, held_until_ms = 0
    FROM json_each(?1) AS item
    WHERE known.issue_key = item.value ->> 0 AND known.team_id = '' AND known.site_id = ''"
);

impl Change for JiraAnswers {
    /// What is left to another transaction.
    type Outcome = Option<JiraAnswers>;

    async fn apply(
        changes: &[&Self],
        connection: &mut SqliteConnection,
    ) -> Result<Vec<Option<Self>>, sqlx::Error> {
        let mut left = Vec::with_capacity(changes.len());
        for told in changes {
            left.push(write(told, connection).await?);
        }
        Ok(left)
    }
}

/// Writes what is new in the answers, and notes that Jira was asked. Returns what is left to another transaction.
async fn write(
    told: &JiraAnswers,
    connection: &mut SqliteConnection,
) -> Result<Option<JiraAnswers>, sqlx::Error> {
    let (mut told, outdated) = told.clone().without_outdated(&known(told, connection).await?);
    let now = time_text(told.asked_at);
    let answers: Vec<Value> = told.answers.iter().map(|answer| stored(answer, &now)).collect();
    let rows: Vec<StoredRow> = read(connection, DIFFERENT, &answers).await?;
    let mut differences = told.differences(rows);
    let left = told.split(&mut differences, ROWS_PER_TURN);
    let changes: Vec<ListChange> = differences.into_iter().map(|difference| sync(difference, &now)).collect();
    for changes in changes.chunks(ROWS_AT_ONCE) {
        let changes: Vec<&ListChange> = changes.iter().collect();
        let mut outcomes = vec![vec![false]; changes.len()];
        settle(connection, Items::of(&changes, |_| true), &mut outcomes).await?;
    }
    let keys: Vec<Value> =
        told.keys().into_iter().map(|(key, updated_ms)| json!([key, updated_ms, now])).collect();
    run(connection, REFRESH, &[&keys]).await?;
    if !outdated.is_empty() {
        let outdated: Vec<Value> = outdated.into_iter().map(|key| json!([key, null, now])).collect();
        run(connection, REREAD, &[&outdated]).await?;
    }
    Ok(left)
}

fn sync(difference: Difference, now: &str) -> ListChange {
    let Difference { channel, key, issue, .. } = difference;
    ListChange::Sync { channel, updates: vec![(key, issue)], now: now.to_owned() }
}

async fn known(
    told: &JiraAnswers,
    connection: &mut SqliteConnection,
) -> Result<HashMap<String, Known>, sqlx::Error> {
    let keys: Vec<Value> = told.keys().into_keys().map(|key| json!([key])).collect();
    let rows: Vec<(String, Option<i64>, Option<StoredTime>)> = read(connection, KNOWN, &keys).await?;
    let known = rows.into_iter().map(|(key, updated_ms, asked_at)| {
        (key, Known { updated_ms, asked_at: asked_at.and_then(|time| time.0) })
    });
    Ok(known.collect())
}

/// An answer in the form that the statements expect.
fn stored(answer: &IssueAnswer, asked_at: &str) -> Value {
    let issue: Option<&Issue> = answer.issue.as_ref();
    json!([
        answer.key.as_str(),
        answer.new_key().as_str(),
        answer.id(),
        issue.map_or("", |issue| &issue.summary),
        issue.map_or(Some(MISSING_STATUS), known_status),
        issue.and_then(known_level),
        issue.and_then(known_category),
        answer.updated_ms(),
        issue.is_some(),
        asked_at,
    ])
}

async fn read<T: DeserializeOwned>(
    connection: &mut SqliteConnection,
    statement: &'static str,
    argument: &[Value],
) -> Result<T, sqlx::Error> {
    let rows = run(connection, statement, &[argument]).await?;
    let json: &str = rows.first().ok_or(sqlx::Error::RowNotFound)?.try_get(0)?;
    serde_json::from_str(json).map_err(|error| sqlx::Error::Decode(error.into()))
}
