//! Changes the lists in SQLite. Changes waiting at the same time share the same few statements.

use std::collections::{HashMap, HashSet};

use serde_json::{Value, json};
use sqlx::{Row as _, SqliteConnection, sqlite::SqliteRow};

use crate::{
    audit::sqlite::replay_guard::{self, Admission, Claims, insert_entries},
    database::sqlite::write::{Change, run},
    notices::sqlite::enqueue::note,
    tracker::{
        jira_answers::updated_ms,
        known_fields::{known_category, known_level},
        reconcile::{Answer, reconcile, status_changes},
        shown_status::ShownStatus,
        sqlite::{
            item::{Item, Items, ListChange},
            read::{columns, first_rows, joined},
            rename_rows::{find, rename},
        },
    },
};

/// Items are inserted in the given order.
macro_rules! insert {
    ($from:literal) => {
        concat!(
            "INSERT INTO channel_tracked_issues (channel_id, issue_key, issue_id, tracked_at, tracked_by,
                source, last_jira_summary, last_jira_status, has_security_level, last_jira_category,
                jira_updated_ms, shown_status, last_synced_at)
            SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5,
                value ->> 6, value ->> 7, value ->> 8, value ->> 9, value ->> 10, value ->> 11,
                iif(value ->> 7 IS NULL, NULL, value ->> 3)
            FROM ",
            $from
        )
    };
}

/// Skips rows whose key or id is already on the list.
const INSERT: &str =
    insert!("json_each(?1) WHERE true ON CONFLICT DO NOTHING RETURNING channel_id, issue_key");

/// For issues and entries of the log. Fails and changes nothing if an issue's key or id is already on the list, or a
/// request is known.
const INSERT_ALL: &str = concat!(
    "BEGIN IMMEDIATE; ",
    insert!("json_each(?1, '$[0]'); "),
    insert_entries!("entry.value ->> 10", "json_each(?1, '$[1]') AS entry; "),
    "COMMIT"
);

/// Where an entry of the log has what it is about.
const SUBJECT: usize = 5;

/// For entries of the log, which say what to remove. Fails and changes nothing if a request is known. Requests that
/// are known and have nothing to remove are returned after an empty text. If nothing is removed at all, the channels are
/// returned after a space, with the first rows of their lists.
macro_rules! delete_all {
    ($request:literal) => {
        concat!(
            "BEGIN IMMEDIATE; ",
            insert_entries!(
                $request,
                "json_each(?1) AS entry CROSS JOIN channel_tracked_issues AS row
                    ON row.issue_key = entry.value ->> 5 AND row.channel_id = entry.value ->> 2; "
            ),
            "DELETE FROM channel_tracked_issues WHERE id IN (
                SELECT row.id FROM json_each(?1) AS entry CROSS JOIN channel_tracked_issues AS row
                    ON row.issue_key = entry.value ->> 5 AND row.channel_id = entry.value ->> 2)
            RETURNING channel_id, issue_key;
            SELECT '', request FROM json_each(?1) AS entry CROSS JOIN audit_log
                ON request = entry.value ->> 10 AND handling <> entry.value ->> 11;
            SELECT ' ' || channel, (",
            first_rows!("asked.channel"),
            ") FROM (SELECT DISTINCT value ->> 2 AS channel FROM json_each(?1)) AS asked WHERE changes() = 0;
            COMMIT"
        )
    };
}

/// If no change removes more than one.
const DELETE_ALL: &str = delete_all!("entry.value ->> 10");

/// The first entry of each change has its request.
const DELETE_SEVERAL: &str = delete_all!(
    "iif(row_number() OVER (PARTITION BY entry.value ->> 10 ORDER BY entry.key) = 1, entry.value ->> 10, NULL)"
);

const DELETE: &str = "
    DELETE FROM channel_tracked_issues WHERE id IN (
        SELECT row.id FROM json_each(?1) AS item
        CROSS JOIN channel_tracked_issues AS row
            ON row.issue_key = item.value ->> 1 AND row.channel_id = item.value ->> 0)
    RETURNING channel_id, issue_key";

/// What is older, and which times say nothing, is as in [`crate::tracker::newer_answer`].
const REFRESH_ROWS: &str = "
    UPDATE channel_tracked_issues AS row
    SET last_synced_at = CASE WHEN item.value ->> 1 IS NULL THEN last_synced_at
            WHEN unixepoch(last_synced_at, 'subsec') > unixepoch(item.value ->> 1, 'subsec') + 300 THEN item.value ->> 1
            ELSE max(coalesce(last_synced_at, ''), item.value ->> 1) END,
        jira_updated_ms = item.value ->> 6,
        last_jira_summary = item.value ->> 2,
        last_jira_status = coalesce(item.value ->> 3, last_jira_status),
        has_security_level = coalesce(item.value ->> 4, has_security_level),
        last_jira_category = iif(item.value ->> 3 IS NULL, last_jira_category, item.value ->> 5),
        shown_status = coalesce(item.value ->> 8, shown_status)
    FROM json_each(?1) AS item
    WHERE row.id = item.value ->> 0
        AND CASE WHEN item.value ->> 6 <> row.jira_updated_ms
                AND unixepoch(row.last_synced_at, 'subsec') >= unixepoch(item.value ->> 7, 'subsec') - 300
            THEN item.value ->> 6 > row.jira_updated_ms
            ELSE item.value ->> 1 IS NULL OR coalesce(row.last_synced_at, '') <= item.value ->> 1
                OR unixepoch(row.last_synced_at, 'subsec') > unixepoch(item.value ->> 1, 'subsec') + 300 END
    RETURNING id";

impl Change for ListChange {
    /// `None` if another handling of the request has changed something before.
    type Outcome = Option<Made>;

    async fn apply(
        changes: &[&Self],
        connection: &mut SqliteConnection,
    ) -> Result<Vec<Self::Outcome>, sqlx::Error> {
        let mut claims = Claims::look(connection, changes.iter().filter_map(|change| change.claim())).await?;
        let admissions: Vec<Admission> = changes
            .iter()
            .map(|change| change.claim().map_or(Admission::First, |claim| claims.admit(claim)))
            .collect();
        let may_be_made = |position: usize| admissions[position] != Admission::Replay;
        let items = Items::of(changes, may_be_made);
        let mut outcomes = none_of(changes);
        let claimants: Vec<Item<'_>> = items.removals.iter().chain(&items.additions).copied().collect();
        claim(connection, DELETE, &items.removals, &mut outcomes).await?;
        settle(connection, items, &mut outcomes).await?;
        let mut noted = HashSet::new();
        let done = claimants.iter().filter(|item| outcomes[item.place.0][item.place.1]);
        let entries: Vec<Value> = done
            .filter_map(|item| {
                let is_first = noted.insert(item.place.0) && admissions[item.place.0] == Admission::First;
                item.entry(is_first)
            })
            .collect();
        replay_guard::note(connection, &entries).await?;
        let outcomes = outcomes.into_iter().enumerate();
        let made = |(position, items)| may_be_made(position).then_some(Made { items, list: None });
        Ok(outcomes.map(made).collect())
    }

    /// Usually all waiting changes are of one kind: removals, or issues that are new to their lists.
    async fn apply_at_once(
        changes: &[&Self],
        connection: &mut SqliteConnection,
    ) -> Result<Option<Vec<Self::Outcome>>, sqlx::Error> {
        let items = Items::of(changes, |_| true);
        if !items.syncs.is_empty() {
            return Ok(None);
        }
        if items.additions.is_empty() {
            return remove_all(connection, changes, &items.removals).await;
        }
        let all_are_new = items.removals.is_empty() && insert_all(connection, &items.additions).await?;
        let all = |change: &&Self| Some(Made { items: vec![true; change.len()], list: None });
        Ok(all_are_new.then(|| changes.iter().map(all).collect()))
    }
}

/// What came of a change.
pub(in crate::tracker) struct Made {
    /// For each issue or key, whether it was added or removed.
    pub(in crate::tracker) items: Vec<bool>,
    /// The rows of [`Removal::list`](maro_domain::tracked::Removal::list) and one more, as JSON.
    pub(in crate::tracker) list: Option<String>,
}

/// The outcomes before anything is done.
fn none_of(changes: &[&ListChange]) -> Vec<Vec<bool>> {
    changes.iter().map(|change| vec![false; change.len()]).collect()
}

/// Adds all the issues if they are new to their lists, and the requests are new. Otherwise adds none.
async fn insert_all(connection: &mut SqliteConnection, items: &[Item<'_>]) -> Result<bool, sqlx::Error> {
    let stored: Vec<Value> = items.iter().map(Item::stored).collect();
    let entries: Vec<Value> = items.iter().filter_map(|item| item.entry(item.place.1 == 0)).collect();
    Ok(run_at_once(connection, INSERT_ALL, &[json!(stored), json!(entries)]).await?.is_some())
}

/// Removes what is there, if the requests are new. Otherwise removes nothing.
async fn remove_all(
    connection: &mut SqliteConnection,
    changes: &[&ListChange],
    items: &[Item<'_>],
) -> Result<Option<Vec<Option<Made>>>, sqlx::Error> {
    let mut requests = HashSet::new();
    // Which handling of a request takes effect is decided one by one.
    if !changes.iter().filter_map(|change| request(change)).all(|request| requests.insert(request)) {
        return Ok(None);
    }
    let mut wanted = HashSet::new();
    let entries = items.iter().filter_map(|item| {
        let mut entry = item.entry(true)?;
        // A row that somebody else removes at this moment is no longer found.
        if !wanted.insert((item.change.channel(), item.key().as_str())) {
            entry[SUBJECT] = Value::Null;
        }
        Some(entry)
    });
    let entries: Vec<Value> = entries.collect();
    let is_one_each = changes.iter().all(|change| change.len() <= 1);
    let statements = if is_one_each { DELETE_ALL } else { DELETE_SEVERAL };
    let Some(rows) = run_at_once(connection, statements, &entries).await? else { return Ok(None) };
    let mut outcomes = none_of(changes);
    let Told { replayed, lists } = attribute(&rows, items, &mut outcomes)?;
    let is_replay = |change: &ListChange| request(change).is_some_and(|request| replayed.contains(&request));
    let list = |change: &ListChange| lists.get(change.channel()).cloned();
    let outcomes = changes.iter().zip(outcomes);
    let made =
        outcomes.map(|(change, items)| (!is_replay(change)).then(|| Made { items, list: list(change) }));
    Ok(Some(made.collect()))
}

/// The request of a change, as it is stored.
fn request(change: &ListChange) -> Option<String> {
    change.claim().and_then(replay_guard::token)
}

/// Runs statements that begin a transaction and end it, in one trip to SQLite's thread. `None` if something isn't
/// unique. Then nothing was changed.
async fn run_at_once(
    connection: &mut SqliteConnection,
    statements: &'static str,
    arguments: &[Value],
) -> Result<Option<Vec<SqliteRow>>, sqlx::Error> {
    let error = match run(connection, statements, &[arguments]).await {
        Ok(rows) => return Ok(Some(rows)),
        Err(error) => error,
    };
    // Where the transaction didn't begin, or SQLite has ended it, there is none to end.
    let _ = run(connection, "ROLLBACK", &[]).await;
    match error.as_database_error() {
        Some(cause) if cause.is_unique_violation() => Ok(None),
        _ => Err(error),
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
    let rows = run(connection, statement, &[&stored]).await?;
    attribute(&rows, items, outcomes).map(|_| ())
}

/// What statements return besides what they added or removed.
#[derive(Default)]
struct Told {
    /// Requests that are known.
    replayed: HashSet<String>,
    /// The lists of channels.
    lists: HashMap<String, String>,
}

/// Notes what a statement added or removed.
fn attribute(
    rows: &[SqliteRow],
    items: &[Item<'_>],
    outcomes: &mut [Vec<bool>],
) -> Result<Told, sqlx::Error> {
    let mut claims = HashSet::new();
    let mut told = Told::default();
    for row in rows {
        let (channel, text) = (row.try_get::<String, _>(0)?, row.try_get::<String, _>(1)?);
        if channel.is_empty() {
            told.replayed.insert(text);
        } else if let Some(channel) = channel.strip_prefix(' ') {
            told.lists.insert(channel.to_owned(), text);
        } else {
            claims.insert((channel, text));
        }
    }
    for item in items {
        if claims.is_empty() {
            break;
        }
        let claim = (item.change.channel().to_owned(), item.key().as_str().to_owned());
        outcomes[item.place.0][item.place.1] = claims.remove(&claim);
    }
    Ok(told)
}

/// Updates existing rows to match Jira's answers, and adds missing ones.
pub(super) async fn settle(
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
            let now = items[update.answer].change.now();
            let synced_at = now.filter(|_| answer.is_sync());
            let level = answer.issue.and_then(known_level);
            let category = answer.issue.and_then(known_category);
            let updated_ms = answer.issue.and_then(updated_ms);
            let (row, summary, status) = (update.row.id, answer.summary(), answer.status());
            let shown = answer.issue.and_then(ShownStatus::stored);
            json!([row, synced_at, summary, status, level, category, updated_ms, now, shown])
        })
        .collect();
    rename(connection, &plan).await?;
    if !refreshed.is_empty() {
        let made = run(connection, REFRESH_ROWS, &[&refreshed]).await?;
        let made = made.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?;
        let changes = status_changes(&plan, &answers, &made).into_iter();
        let changes: Vec<Value> =
            changes.filter_map(|(answer, change)| Some(change.stored(items[answer].change.now()?))).collect();
        note(connection, &changes).await?;
    }
    let missing: Vec<Item<'_>> = plan
        .missing
        .iter()
        .map(|position| items[*position])
        .filter(|item| matches!(item.change, ListChange::Track { .. }))
        .collect();
    claim(connection, INSERT, &missing, outcomes).await
}
