//! Changes the lists in SQLite. Changes waiting at the same time share the same few statements.

use std::collections::HashSet;

use serde_json::{Value, json};
use sqlx::{Row as _, SqliteConnection};

use crate::{
    database::sqlite::write::{Change, run},
    tracker::reconcile::{Answer, Plan, Row, known_status, reconcile},
};
use maro_domain::issue::{Issue, IssueId, IssueKey};

/// Items are inserted in the given order.
macro_rules! insert {
    ($rest:literal) => {
        concat!(
            "INSERT INTO channel_tracked_issues (channel_id, issue_key, issue_id, tracked_at, tracked_by,
                source, last_jira_summary, last_jira_status, last_synced_at)
            SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5,
                value ->> 6, value ->> 7, iif(value ->> 7 IS NULL, NULL, value ->> 3)
            FROM json_each(?1) WHERE true ",
            $rest
        )
    };
}

/// Skips rows whose key or id is already on the list.
const INSERT: &str = insert!("ON CONFLICT DO NOTHING RETURNING channel_id, issue_key");

/// Fails and inserts nothing if a row's key or id is already on the list.
const INSERT_ALL: &str = insert!("");

const DELETE: &str = "
    DELETE FROM channel_tracked_issues WHERE id IN (
        SELECT row.id FROM json_each(?1) AS item
        CROSS JOIN channel_tracked_issues AS row
            ON row.issue_key = item.value ->> 1 AND row.channel_id = item.value ->> 0)
    RETURNING channel_id, issue_key";

/// The rows with one of the keys or ids, oldest first.
const FIND: &str = "
    SELECT json_group_array(json_array(id, channel_id, issue_key, issue_id)) FROM (
        SELECT id, channel_id, issue_key, issue_id FROM channel_tracked_issues WHERE id IN (
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
    SET issue_key = item.value ->> 1, issue_id = item.value ->> 2
    FROM json_each(?1) AS item WHERE row.id = item.value ->> 0";

const REFRESH_ROWS: &str = "
    UPDATE channel_tracked_issues AS row
    SET last_synced_at = coalesce(item.value ->> 1, last_synced_at),
        last_jira_summary = item.value ->> 2,
        last_jira_status = coalesce(item.value ->> 3, last_jira_status)
    FROM json_each(?1) AS item
    WHERE row.id = item.value ->> 0
        AND (item.value ->> 1 IS NULL OR coalesce(row.last_synced_at, '') <= item.value ->> 1)";

/// The next to be synced are rows that never were.
const FORGET_SYNC: &str = "
    UPDATE channel_tracked_issues SET last_synced_at = NULL WHERE id IN (
        SELECT row.id FROM json_each(?1) AS item
        CROSS JOIN channel_tracked_issues AS row ON row.issue_key = item.value ->> 0
        UNION ALL
        SELECT row.id FROM json_each(?1) AS item
        CROSS JOIN channel_tracked_issues AS row ON row.issue_id = item.value ->> 1)";

/// A change to one channel's list, or to an issue's rows on all of them. Times are in their stored form.
#[derive(Debug)]
pub(super) enum ListChange {
    Track { channel: String, tracked_by: String, source: &'static str, issues: Vec<Issue>, now: String },
    Untrack { channel: String, keys: Vec<IssueKey> },
    Sync { channel: String, updates: Vec<(IssueKey, Option<Issue>)>, now: String },
    ForgetSync { key: IssueKey, id: IssueId },
}

impl Change for ListChange {
    /// For each issue or key, whether it was added or removed.
    type Outcome = Vec<bool>;

    async fn apply(
        changes: &[&Self],
        connection: &mut SqliteConnection,
    ) -> Result<Vec<Vec<bool>>, sqlx::Error> {
        let items = Items::of(changes);
        let mut outcomes = none_of(changes);
        claim(connection, DELETE, &items.removals, &mut outcomes).await?;
        let stale = items.stale.clone();
        settle(connection, items, &mut outcomes).await?;
        if !stale.is_empty() {
            run(connection, FORGET_SYNC, &[&stale]).await?;
        }
        Ok(outcomes)
    }

    /// Usually all waiting changes are of one kind: removals, or issues that are new to their lists.
    async fn apply_at_once(
        changes: &[&Self],
        connection: &mut SqliteConnection,
    ) -> Result<Option<Vec<Vec<bool>>>, sqlx::Error> {
        let items = Items::of(changes);
        if !items.syncs.is_empty() || !items.stale.is_empty() {
            return Ok(None);
        }
        if items.additions.is_empty() {
            let mut outcomes = none_of(changes);
            claim(connection, DELETE, &items.removals, &mut outcomes).await?;
            return Ok(Some(outcomes));
        }
        let all_are_new = items.removals.is_empty() && insert_all(connection, &items.additions).await?;
        Ok(all_are_new.then(|| changes.iter().map(|change| vec![true; change.len()]).collect()))
    }
}

/// The outcomes before anything is done.
fn none_of(changes: &[&ListChange]) -> Vec<Vec<bool>> {
    changes.iter().map(|change| vec![false; change.len()]).collect()
}

/// Adds all the issues if they are new to their lists. Otherwise adds none.
async fn insert_all(connection: &mut SqliteConnection, items: &[Item<'_>]) -> Result<bool, sqlx::Error> {
    let stored: Vec<Value> = items.iter().map(Item::stored).collect();
    match run(connection, INSERT_ALL, &[&stored]).await {
        Ok(_) => Ok(true),
        Err(error) if error.as_database_error().is_some_and(|error| error.is_unique_violation()) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Runs a statement that returns the rows it added or removed. Each counts for the first item with that
/// channel and key.
async fn claim(
    connection: &mut SqliteConnection,
    statement: &'static str,
    items: &[Item<'_>],
    outcomes: &mut [Vec<bool>],
) -> Result<(), sqlx::Error> {
    if items.is_empty() {
        return Ok(());
    }
    let stored: Vec<Value> = items.iter().map(Item::stored).collect();
    let mut claims = HashSet::new();
    for row in run(connection, statement, &[&stored]).await? {
        claims.insert((row.try_get::<String, _>(0)?, row.try_get::<String, _>(1)?));
    }
    for item in items {
        if claims.is_empty() {
            break;
        }
        let claim = (item.change.channel().to_owned(), item.key().as_str().to_owned());
        outcomes[item.place.0][item.place.1] = claims.remove(&claim);
    }
    Ok(())
}

/// Updates existing rows to match Jira's answers, and adds missing ones.
async fn settle(
    connection: &mut SqliteConnection,
    items: Items<'_>,
    outcomes: &mut [Vec<bool>],
) -> Result<(), sqlx::Error> {
    let items: Vec<Item<'_>> = items.additions.into_iter().chain(items.syncs).collect();
    if items.is_empty() {
        return Ok(());
    }
    let answers: Vec<Answer<'_>> = items.iter().map(Item::answer).collect();
    let rows = find(connection, &answers).await?;
    let plan = reconcile(rows, &answers);
    let refreshed: Vec<Value> = plan
        .update
        .iter()
        .map(|update| {
            let answer = &answers[update.answer];
            let synced_at = items[update.answer].change.now().filter(|_| answer.is_sync());
            json!([update.row.id, synced_at, answer.summary(), answer.status()])
        })
        .collect();
    rename(connection, &plan).await?;
    if !refreshed.is_empty() {
        run(connection, REFRESH_ROWS, &[&refreshed]).await?;
    }
    let missing: Vec<Item<'_>> = plan
        .missing
        .iter()
        .map(|position| items[*position])
        .filter(|item| matches!(item.change, ListChange::Track { .. }))
        .collect();
    claim(connection, INSERT, &missing, outcomes).await
}

async fn find(connection: &mut SqliteConnection, answers: &[Answer<'_>]) -> Result<Vec<Row>, sqlx::Error> {
    let mut keys = Vec::new();
    let mut ids = Vec::new();
    for answer in answers {
        keys.extend(answer.listed_as.map(|key| json!([answer.channel, key.as_str()])));
        keys.extend(answer.issue.map(|issue| json!([answer.channel, issue.key.as_str()])));
        ids.extend(answer.issue.map(|issue| json!([answer.channel, issue.id.as_str()])));
    }
    let found = run(connection, FIND, &[&keys, &ids]).await?;
    let json: &str = found.first().ok_or(sqlx::Error::RowNotFound)?.try_get(0)?;
    let rows: Vec<(i64, String, String, Option<String>)> =
        serde_json::from_str(json).map_err(|error| sqlx::Error::Decode(error.into()))?;
    Ok(rows.into_iter().map(|(id, channel, key, issue_id)| Row { id, channel, key, issue_id }).collect())
}

async fn rename(connection: &mut SqliteConnection, plan: &Plan) -> Result<(), sqlx::Error> {
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
    let named: Vec<Value> = renamed.iter().map(|row| json!([row.id, row.key, row.issue_id])).collect();
    run(connection, RENAME_ROWS, &[&named]).await?;
    Ok(())
}

impl ListChange {
    fn len(&self) -> usize {
        match self {
            Self::Track { issues, .. } => issues.len(),
            Self::Untrack { keys, .. } => keys.len(),
            Self::Sync { updates, .. } => updates.len(),
            Self::ForgetSync { .. } => 0,
        }
    }

    fn channel(&self) -> &str {
        match self {
            Self::Track { channel, .. } | Self::Untrack { channel, .. } | Self::Sync { channel, .. } => {
                channel
            }
            Self::ForgetSync { .. } => "",
        }
    }

    fn now(&self) -> Option<&str> {
        match self {
            Self::Track { now, .. } | Self::Sync { now, .. } => Some(now),
            Self::Untrack { .. } | Self::ForgetSync { .. } => None,
        }
    }
}

/// The changes to make, by kind.
#[derive(Default)]
struct Items<'a> {
    removals: Vec<Item<'a>>,
    additions: Vec<Item<'a>>,
    syncs: Vec<Item<'a>>,
    /// Key and id of the issues to read again.
    stale: Vec<Value>,
}

impl<'a> Items<'a> {
    fn of(changes: &[&'a ListChange]) -> Self {
        let mut items = Self::default();
        for (change, position) in changes.iter().zip(0..) {
            let kind = match change {
                ListChange::Untrack { .. } => &mut items.removals,
                ListChange::Track { .. } => &mut items.additions,
                ListChange::Sync { .. } => &mut items.syncs,
                ListChange::ForgetSync { key, id } => {
                    items.stale.push(json!([key.as_str(), id.as_str()]));
                    continue;
                }
            };
            kind.extend((0..change.len()).map(|item| Item { change, place: (position, item) }));
        }
        items
    }
}

/// One issue or key of a change.
#[derive(Clone, Copy)]
struct Item<'a> {
    change: &'a ListChange,
    /// The position of its change, and its position within that change.
    place: (usize, usize),
}

impl<'a> Item<'a> {
    /// The item's key on the list, now or after the change.
    fn key(&self) -> &'a IssueKey {
        match self.change {
            ListChange::Track { issues, .. } => &issues[self.place.1].key,
            ListChange::Untrack { keys, .. } => &keys[self.place.1],
            ListChange::Sync { updates, .. } => &updates[self.place.1].0,
            ListChange::ForgetSync { key, .. } => key,
        }
    }

    fn issue(&self) -> Option<&'a Issue> {
        match self.change {
            ListChange::Track { issues, .. } => issues.get(self.place.1),
            ListChange::Untrack { .. } | ListChange::ForgetSync { .. } => None,
            ListChange::Sync { updates, .. } => updates[self.place.1].1.as_ref(),
        }
    }

    fn answer(&self) -> Answer<'a> {
        let listed_as = match self.change {
            ListChange::Sync { .. } => Some(self.key()),
            ListChange::Track { .. } | ListChange::Untrack { .. } | ListChange::ForgetSync { .. } => None,
        };
        Answer { channel: self.change.channel(), listed_as, issue: self.issue() }
    }

    /// The item in the form that [`INSERT`] and [`DELETE`] expect, with channel and key first.
    fn stored(&self) -> Value {
        match self.change {
            ListChange::Track { channel, tracked_by, source, issues, now } => {
                let issue = &issues[self.place.1];
                json!([
                    channel,
                    issue.key.as_str(),
                    issue.id.as_str(),
                    now,
                    tracked_by,
                    source,
                    issue.summary,
                    known_status(issue)
                ])
            }
            ListChange::Untrack { .. } | ListChange::Sync { .. } | ListChange::ForgetSync { .. } => {
                json!([self.change.channel(), self.key().as_str()])
            }
        }
    }
}
