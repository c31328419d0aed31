//! Finds the rows of issues in SQLite, and gives them the keys that Jira has for the issues by now.

use serde_json::{Value, json};
use sqlx::{Row as _, SqliteConnection};

use crate::{
    database::sqlite::write::run,
    tracker::{
        reconcile::{Answer, Plan, Row},
        shown_status::ShownStatus,
    },
};

/// The rows with one of the keys or ids, oldest first.
const FIND: &str = "
    SELECT json_group_array(json_array(id, channel_id, issue_key, issue_id, last_jira_status,
        last_jira_category, shown_status)) FROM (
        SELECT * FROM channel_tracked_issues WHERE id IN (
            SELECT row.id FROM json_each(?1) AS item
            CROSS JOIN channel_tracked_issues AS row
                ON row.issue_key = item.value ->> 1 AND row.channel_id = item.value ->> 0
            UNION ALL
            SELECT row.id FROM json_each(?2) AS item
            CROSS JOIN channel_tracked_issues AS row
                ON row.issue_id = item.value ->> 1 AND row.channel_id = item.value ->> 0)
        ORDER BY tracked_at, id)";

const DELETE_ROWS: &str = "DELETE FROM channel_tracked_issues WHERE id IN (SELECT value FROM json_each(?1))";

/// Clears the keys and ids of rows that are about to get new ones, so that none collide in between.
const PARK_ROWS: &str = "
    UPDATE channel_tracked_issues SET issue_key = 'row ' || id, issue_id = NULL
    WHERE id IN (SELECT value FROM json_each(?1))";

const RENAME_ROWS: &str = "
    UPDATE channel_tracked_issues AS row
    SET issue_key = item.value ->> 1, issue_id = item.value ->> 2,
        former_key = coalesce(item.value ->> 3, row.former_key)
    FROM json_each(?1) AS item WHERE row.id = item.value ->> 0";

/// A row's id, channel, key, issue id, status, category and the status that Jira last showed.
type StoredRow = (i64, String, String, Option<String>, Option<String>, Option<String>, Option<String>);

pub(super) async fn find(
    connection: &mut SqliteConnection,
    answers: &[Answer<'_>],
) -> Result<Vec<Row>, sqlx::Error> {
    let mut keys = Vec::new();
    let mut ids = Vec::new();
    for answer in answers {
        keys.extend(answer.listed_as.map(|key| json!([answer.channel, key.as_str()])));
        keys.extend(answer.issue.map(|issue| json!([answer.channel, issue.key.as_str()])));
        ids.extend(answer.issue.map(|issue| json!([answer.channel, issue.id.as_str()])));
    }
    let found = run(connection, FIND, &[&keys, &ids]).await?;
    let json: &str = found.first().ok_or(sqlx::Error::RowNotFound)?.try_get(0)?;
    let rows: Vec<StoredRow> =
        serde_json::from_str(json).map_err(|error| sqlx::Error::Decode(error.into()))?;
    let rows = rows.into_iter();
    Ok(rows
        .map(|(id, channel, key, issue_id, status, category, shown)| Row {
            id,
            channel,
            key,
            issue_id,
            status,
            category,
            shown: ShownStatus::read(shown.as_deref()),
            former_key: None,
        })
        .collect())
}

pub(super) async fn rename(connection: &mut SqliteConnection, plan: &Plan) -> Result<(), sqlx::Error> {
    if !plan.delete.is_empty() {
        let doubled: Vec<Value> = plan.delete.iter().map(|id| json!(id)).collect();
        run(connection, DELETE_ROWS, &[&doubled]).await?;
    }
    let renamed: Vec<&Row> =
        plan.update.iter().filter(|update| update.renamed).map(|update| &update.row).collect();
    if renamed.is_empty() {
        return Ok(());
    }
    let parked: Vec<Value> = renamed.iter().map(|row| json!(row.id)).collect();
    run(connection, PARK_ROWS, &[&parked]).await?;
    let named: Vec<Value> =
        renamed.iter().map(|row| json!([row.id, row.key, row.issue_id, row.former_key])).collect();
    run(connection, RENAME_ROWS, &[&named]).await?;
    Ok(())
}
