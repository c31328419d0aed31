//! Changes the lists in PostgreSQL. Other replicas may do so at the same time.

use std::collections::HashSet;

use jiff::Timestamp;
use sqlx::{Row as _, postgres::PgRow};

use crate::{
    audit::{
        author_and_request::Stamp,
        postgres::replay_guard::{NotedOutcome, note_all, note_one, outcome, stamped},
    },
    database::{
        postgres::{
            deadline::in_time,
            lease::{Lease, Statement},
        },
        time::time_text,
    },
    notices::postgres::enqueue::note,
    tracker::{
        jira_answers::updated_ms,
        known_fields::{known_category, known_level, known_status},
        postgres::{
            listed::listed,
            rename_rows::{find, rename},
        },
        reconcile::{Answer, reconcile, status_changes, without_repeats},
        shown_status::ShownStatus,
    },
};
use maro_domain::{
    issue::{Issue, IssueKey},
    tracked::Source,
};

/// One issue, if neither its key nor its id is on the list. As plain as can be: most lists grow by this. Jira was asked
/// by now, also if the replica's clock is fast.
const INSERT_ONE: &str = concat!(
    "WITH added AS (
        INSERT INTO channel_tracked_issues (channel_id, tracked_at, tracked_by, source, issue_key, issue_id,
            last_jira_summary, last_jira_status, has_security_level, last_jira_category, jira_updated_ms,
            shown_status, last_synced_at)
        SELECT $5, $3::text::timestamptz, $6, $10, $11, $12, $13, $14, $15, $16, $17, $18,
            CASE WHEN $14 IS NOT NULL THEN least($3::text::timestamptz, statement_timestamp()) END
        WHERE ",
    in_time!("$19"),
    " ON CONFLICT DO NOTHING
        RETURNING issue_key) ",
    note_one!("'track'", "issue_key", "'done'", "added")
);

/// The items get their ids in the given order, but are inserted in the order of their keys. That way, two
/// calls that insert the same keys can't deadlock. They are inserted on a condition.
macro_rules! insert {
    ($condition:expr) => {
        concat!(
            "WITH item AS MATERIALIZED (
                SELECT nextval('channel_tracked_issues_id_seq') AS id, issue_key, issue_id, summary, status,
                    has_level, category, updated_ms, shown
                FROM unnest($11::text[], $12::text[], $13::text[], $14::text[], $15::boolean[], $16::text[],
                    $17::bigint[], $18::text[])
                    AS item (issue_key, issue_id, summary, status, has_level, category, updated_ms, shown)),
            added AS (
                INSERT INTO channel_tracked_issues (id, channel_id, issue_key, issue_id, tracked_at,
                    tracked_by, source, last_jira_summary, last_jira_status, has_security_level,
                    last_jira_category, jira_updated_ms, shown_status, last_synced_at)
                SELECT id, $5, issue_key, issue_id, $3::text::timestamptz, $6, $10, summary, status, has_level,
                    category, updated_ms, shown,
                    CASE WHEN status IS NOT NULL THEN least($3::text::timestamptz, statement_timestamp()) END
                FROM item WHERE ",
            $condition,
            " ORDER BY issue_key
                ON CONFLICT DO NOTHING
                RETURNING id, issue_key) ",
            note_all!("'track'", "issue_key", "'done'", "(SELECT * FROM added ORDER BY id) AS added")
        )
    };
}

/// Skips rows whose key or id is already on the list. For a transaction, whose COMMIT has to be in time: it may have
/// waited for others before.
const INSERT: &str = insert!("true");

/// Inserts all rows, or none if one of them is already on the list.
const INSERT_IF_ALL_ARE_NEW: &str = insert!(concat!(
    in_time!("$19"),
    " AND NOT EXISTS (SELECT FROM channel_tracked_issues
                       WHERE channel_id = $5 AND issue_key = ANY($11))
        AND NOT EXISTS (SELECT FROM channel_tracked_issues
                        WHERE channel_id = $5 AND issue_id = ANY($12))"
));

/// The first [`Removal::ROWS`](maro_domain::tracked::Removal::ROWS) rows of the list and one more.
macro_rules! list_if_none_removed {
    () => {
        concat!(
            ", CASE WHEN NOT EXISTS (SELECT FROM removed) THEN (SELECT ",
            listed!("NULL"),
            "::text FROM (SELECT * FROM channel_tracked_issues WHERE channel_id = $5
                          ORDER BY tracked_at, id LIMIT 201) AS page) END"
        )
    };
}

/// An outcome with an empty text says that somebody else has just removed them: asking again shows whether
/// that was the same request.
const DELETE_ONE: &str = concat!(
    "WITH removed AS (
        DELETE FROM channel_tracked_issues WHERE channel_id = $5 AND issue_key = $10 AND ",
    in_time!("$11"),
    " RETURNING issue_key), noted AS (",
    note_one!("'untrack'", "issue_key", "'done'", "removed"),
    ")",
    outcome!(
        "subject FROM noted",
        "ARRAY(SELECT '' FROM channel_tracked_issues WHERE channel_id = $5 AND issue_key = $10)"
    ),
    list_if_none_removed!()
);

/// Rows are always locked in the order of their ids, so that two calls can't deadlock. Otherwise as [`DELETE_ONE`].
const DELETE: &str = concat!(
    "WITH doomed AS MATERIALIZED (
        SELECT id FROM channel_tracked_issues WHERE channel_id = $5 AND issue_key = ANY($10) AND ",
    in_time!("$11"),
    " ORDER BY id FOR UPDATE),
    removed AS (
        DELETE FROM channel_tracked_issues USING doomed WHERE channel_tracked_issues.id = doomed.id
        RETURNING doomed.id, issue_key),
    noted AS (",
    note_all!("'untrack'", "issue_key", "'done'", "(SELECT * FROM removed ORDER BY id) AS removed"),
    ")",
    outcome!(
        "subject FROM noted",
        "ARRAY(SELECT '' FROM channel_tracked_issues WHERE channel_id = $5 AND issue_key = ANY($10))"
    ),
    list_if_none_removed!()
);

/// Returns a row if another handling of the request has changed something.
const FIND_REPLAY: &str = "SELECT FROM audit_log WHERE request = $1::bytea AND handling <> $2::bigint";

/// What is older, and which times say nothing, is as in [`crate::tracker::newer_answer`].
const REFRESH_ROWS: &str = "
    UPDATE channel_tracked_issues AS row
    SET last_synced_at = CASE WHEN NOT item.is_sync THEN last_synced_at
            WHEN last_synced_at > asked.at + interval '5 minutes' THEN asked.at
            ELSE greatest(last_synced_at, asked.at) END,
        jira_updated_ms = item.updated_ms,
        last_jira_summary = item.summary,
        last_jira_status = coalesce(item.status, last_jira_status),
        has_security_level = coalesce(item.has_level, has_security_level),
        last_jira_category = CASE WHEN item.status IS NULL THEN last_jira_category ELSE item.category END,
        shown_status = coalesce(item.shown, shown_status)
    FROM unnest($2::bigint[], $3::text[], $4::text[], $5::boolean[], $6::boolean[], $7::text[], $8::bigint[],
            $9::text[])
        AS item (id, summary, status, is_sync, has_level, category, updated_ms, shown),
        (SELECT least($1::timestamptz, statement_timestamp()) AS at) AS asked
    WHERE row.id = item.id
        AND CASE WHEN item.updated_ms <> row.jira_updated_ms
                AND row.last_synced_at >= asked.at - interval '5 minutes'
            THEN item.updated_ms > row.jira_updated_ms
            ELSE NOT item.is_sync OR (row.last_synced_at > asked.at
                AND row.last_synced_at <= asked.at + interval '5 minutes') IS NOT TRUE END
    RETURNING row.id";

/// Those of the keys that a person added at the given time.
const ADDED_AT: &str = "
    SELECT issue_key FROM channel_tracked_issues
    WHERE channel_id = $1 AND tracked_at = $2::timestamptz AND tracked_by = $3 AND issue_key = ANY($4)";

/// Adds issues to a list. Returns the keys that were added. `None` if another handling of the request has changed
/// something.
pub(super) async fn track(
    lease: &mut Lease,
    deadline: f64,
    change: &Tracking<'_>,
    issues: &[Issue],
    now: Timestamp,
) -> Result<Option<HashSet<String>>, sqlx::Error> {
    let issues = without_repeats(issues);
    // Usually all are new, and nothing else has to be done.
    let added = match *issues {
        [issue] => insert_one(lease, deadline, change, issue).await?,
        ref issues => {
            let query = insert(INSERT_IF_ALL_ARE_NEW, change, issues).bind(deadline);
            first_column(&lease.fetch_all(query).await?)?
        }
    };
    // If only some were added, someone else has just added the others.
    if !added.is_empty() || issues.is_empty() {
        return Ok(Some(added));
    }
    lease.begin().await?;
    if is_replay(lease, change.stamp).await? {
        lease.commit().await?;
        return Ok(None);
    }
    let channel = change.stamp.channel.as_str();
    let answers: Vec<Answer<'_>> =
        issues.iter().map(|issue| Answer { channel, listed_as: None, issue: Some(issue) }).collect();
    let missing = settle(lease, &answers, now).await?;
    let missing: Vec<&Issue> = missing.into_iter().map(|position| issues[position]).collect();
    let added = if missing.is_empty() {
        HashSet::new()
    } else {
        first_column(&lease.fetch_all(insert(INSERT, change, &missing)).await?)?
    };
    lease.commit().await?;
    Ok(Some(added))
}

async fn is_replay(lease: &mut Lease, stamp: &Stamp) -> Result<bool, sqlx::Error> {
    let Some(request) = stamp.claim().request() else { return Ok(false) };
    let query = sqlx::query(FIND_REPLAY).bind(request.request().to_vec()).bind(request.handling());
    Ok(!lease.fetch_all(query).await?.is_empty())
}

/// Who adds issues to the list of their channel, and why.
pub(super) struct Tracking<'a> {
    pub(super) stamp: &'a Stamp,
    pub(super) source: Source,
}

/// The keys that an earlier attempt of the same call added. They have its time, to the microsecond.
pub(super) async fn added_at(
    lease: &mut Lease,
    stamp: &Stamp,
    issues: &[Issue],
) -> Result<HashSet<String>, sqlx::Error> {
    let query = sqlx::query(ADDED_AT)
        .bind(&stamp.channel)
        .bind(stamp.at())
        .bind(&stamp.user)
        .bind(issues.iter().map(|issue| issue.key.as_str()).collect::<Vec<_>>());
    first_column(&lease.fetch_all(query).await?)
}

/// What [`untrack`] did.
pub(super) struct Removed {
    /// Those of the keys that were on the list.
    pub(super) keys: HashSet<String>,
    /// The rows of [`Removal::list`](maro_domain::tracked::Removal::list) and one more, as JSON.
    pub(super) list: Option<String>,
}

/// Removes keys from a list. `None` if another handling of the request has changed something.
pub(super) async fn untrack(
    lease: &mut Lease,
    deadline: f64,
    stamp: &Stamp,
    keys: &[IssueKey],
) -> Result<Option<Removed>, sqlx::Error> {
    let texts: Vec<&str> = keys.iter().map(IssueKey::as_str).collect();
    let statement = || match *texts {
        [key] => stamped(DELETE_ONE, stamp).bind(key).bind(deadline),
        _ => stamped(DELETE, stamp).bind(texts.clone()).bind(deadline),
    };
    let mut removed = removed(lease, statement()).await?;
    if removed.as_ref().is_some_and(|removed| removed.keys.contains("")) {
        removed = self::removed(lease, statement()).await?;
    }
    Ok(removed)
}

async fn removed(lease: &mut Lease, query: Statement<'_>) -> Result<Option<Removed>, sqlx::Error> {
    let row = lease.fetch_one(query).await?;
    let Some(outcome) = NotedOutcome::read(&row)? else { return Ok(None) };
    Ok(Some(Removed { keys: outcome.texts.into_iter().collect(), list: row.try_get(2)? }))
}

async fn insert_one(
    lease: &mut Lease,
    deadline: f64,
    change: &Tracking<'_>,
    issue: &Issue,
) -> Result<HashSet<String>, sqlx::Error> {
    let query = stamped(INSERT_ONE, change.stamp)
        .bind(change.source.as_str())
        .bind(issue.key.as_str())
        .bind(issue.id.as_str())
        .bind(&issue.summary)
        .bind(known_status(issue))
        .bind(known_level(issue))
        .bind(known_category(issue))
        .bind(updated_ms(issue))
        .bind(ShownStatus::stored(issue))
        .bind(deadline);
    first_column(&lease.fetch_all(query).await?)
}

fn insert<'q>(statement: &'static str, change: &'q Tracking<'_>, issues: &'q [&Issue]) -> Statement<'q> {
    let column =
        |text: fn(&'q Issue) -> &'q str| -> Vec<&'q str> { issues.iter().map(|issue| text(issue)).collect() };
    stamped(statement, change.stamp)
        .bind(change.source.as_str())
        .bind(column(|issue| issue.key.as_str()))
        .bind(column(|issue| issue.id.as_str()))
        .bind(column(|issue| &issue.summary))
        .bind(issues.iter().map(|issue| known_status(issue)).collect::<Vec<_>>())
        .bind(issues.iter().map(|issue| known_level(issue)).collect::<Vec<_>>())
        .bind(issues.iter().map(|issue| known_category(issue)).collect::<Vec<_>>())
        .bind(issues.iter().map(|issue| updated_ms(issue)).collect::<Vec<_>>())
        .bind(issues.iter().map(|issue| ShownStatus::stored(issue)).collect::<Vec<_>>())
}

/// Updates existing rows to match Jira's answers. Returns the positions of the answers without a row.
pub(super) async fn settle(
    lease: &mut Lease,
    answers: &[Answer<'_>],
    now: Timestamp,
) -> Result<Vec<usize>, sqlx::Error> {
    let answers_given = answers;
    let rows = find(lease, answers).await?;
    let plan = reconcile(rows, answers);
    rename(lease, &plan).await?;
    let answers = || plan.update.iter().map(|update| &answers[update.answer]);
    let query = sqlx::query(REFRESH_ROWS)
        .bind(time_text(now))
        .bind(plan.update.iter().map(|update| update.row.id).collect::<Vec<_>>())
        .bind(answers().map(Answer::summary).collect::<Vec<_>>())
        .bind(answers().map(Answer::status).collect::<Vec<_>>())
        .bind(answers().map(Answer::is_sync).collect::<Vec<_>>())
        .bind(answers().map(|answer| answer.issue.and_then(known_level)).collect::<Vec<_>>())
        .bind(answers().map(|answer| answer.issue.and_then(known_category)).collect::<Vec<_>>())
        .bind(answers().map(|answer| answer.issue.and_then(updated_ms)).collect::<Vec<_>>())
        .bind(answers().map(|answer| answer.issue.and_then(ShownStatus::stored)).collect::<Vec<_>>());
    let made = lease.fetch_all(query).await?;
    let made = made.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?;
    let changes = status_changes(&plan, answers_given, &made);
    let changes: Vec<_> = changes.into_iter().map(|(_, change)| change).collect();
    note(lease, &changes, now).await?;
    Ok(plan.missing)
}

fn first_column(rows: &[PgRow]) -> Result<HashSet<String>, sqlx::Error> {
    rows.iter().map(|row| row.try_get(0)).collect()
}
