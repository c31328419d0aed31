//! Finds the rows of issues in PostgreSQL, and gives them the keys that Jira has for the issues by now.

use sqlx::Row as _;

use crate::{
    database::postgres::lease::Lease,
    tracker::{
        reconcile::{Answer, Plan, Row},
        shown_status::ShownStatus,
    },
};

/// Locks and returns the rows with one of the keys or ids.
const FIND: &str = "
    SELECT id, channel_id, issue_key, issue_id, (extract(epoch FROM tracked_at) * 1000000)::bigint,
        last_jira_status, last_jira_category, shown_status
    FROM channel_tracked_issues
    WHERE id IN (
        SELECT row.id FROM unnest($1::text[], $2::text[]) AS item (channel_id, issue_key)
        JOIN channel_tracked_issues AS row
            ON row.issue_key = item.issue_key AND row.channel_id = item.channel_id
        UNION ALL
        SELECT row.id FROM unnest($3::text[], $4::text[]) AS item (channel_id, issue_id)
        JOIN channel_tracked_issues AS row
            ON row.issue_id = item.issue_id AND row.channel_id = item.channel_id)
    ORDER BY id FOR UPDATE";

const DELETE_ROWS: &str = "DELETE FROM channel_tracked_issues WHERE id = ANY($1)";

/// Clears the keys and ids of rows that are about to get new ones, so that none collide in between.
const PARK_ROWS: &str = "
    UPDATE channel_tracked_issues SET issue_key = 'row ' || id, issue_id = NULL WHERE id = ANY($1)";

const RENAME_ROWS: &str = "
    UPDATE channel_tracked_issues AS row
    SET issue_key = item.issue_key, issue_id = item.issue_id,
        former_key = coalesce(item.former_key, row.former_key)
    FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[]) AS item (id, issue_key, issue_id, former_key)
    WHERE row.id = item.id";

pub(super) async fn find(lease: &mut Lease, answers: &[Answer<'_>]) -> Result<Vec<Row>, sqlx::Error> {
    let mut keys: (Vec<&str>, Vec<&str>) = Default::default();
    let mut ids: (Vec<&str>, Vec<&str>) = Default::default();
    for answer in answers {
        keys.extend(answer.listed_as.map(|key| (answer.channel, key.as_str())));
        keys.extend(answer.issue.map(|issue| (answer.channel, issue.key.as_str())));
        ids.extend(answer.issue.map(|issue| (answer.channel, issue.id.as_str())));
    }
    let query = sqlx::query(FIND).bind(keys.0).bind(keys.1).bind(ids.0).bind(ids.1);
    let found = lease.fetch_all(query).await?;
    let mut rows = Vec::with_capacity(found.len());
    for row in &found {
        let tracked_at: i64 = row.try_get(4)?;
        let (id, channel, key) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
        let (issue_id, status, category) = (row.try_get(3)?, row.try_get(5)?, row.try_get(6)?);
        let shown = ShownStatus::read(row.try_get(7)?);
        rows.push((
            tracked_at,
            Row { id, channel, key, former_key: None, issue_id, status, category, shown },
        ));
    }
    rows.sort_by_key(|(tracked_at, row)| (*tracked_at, row.id));
    Ok(rows.into_iter().map(|(_, row)| row).collect())
}

pub(super) async fn rename(lease: &mut Lease, plan: &Plan) -> Result<(), sqlx::Error> {
    if !plan.delete.is_empty() {
        lease.execute(sqlx::query(DELETE_ROWS).bind(&plan.delete)).await?;
    }
    let renamed = || plan.update.iter().filter(|update| update.renamed).map(|update| &update.row);
    let ids: Vec<i64> = renamed().map(|row| row.id).collect();
    if ids.is_empty() {
        return Ok(());
    }
    let keys: Vec<&str> = renamed().map(|row| row.key.as_str()).collect();
    let issue_ids: Vec<Option<&str>> = renamed().map(|row| row.issue_id.as_deref()).collect();
    lease.execute(sqlx::query(PARK_ROWS).bind(&ids)).await?;
    let former_keys: Vec<Option<&str>> = renamed().map(|row| row.former_key.as_deref()).collect();
    lease.execute(sqlx::query(RENAME_ROWS).bind(ids).bind(keys).bind(issue_ids).bind(former_keys)).await?;
    Ok(())
}
