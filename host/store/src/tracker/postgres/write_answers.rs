//! Writes what Jira said of issues to all lists that they are on, in PostgreSQL.

use std::collections::HashMap;

use jiff::Timestamp;
use sqlx::Row as _;

use crate::{
    database::{postgres::lease::Lease, time::time_text},
    tracker::{
        jira_answers::{Difference, IssueAnswer, JiraAnswers, ROWS_AT_ONCE, StoredRow},
        known_fields::{known_category, known_level, known_status},
        newer_answer::Known,
        postgres::write::settle,
        reconcile::Answer,
    },
};
use maro_domain::tracked::MISSING_STATUS;

/// Makes other answers about the same issues wait until the end of the transaction. Always in the order of their keys,
/// so that two can't wait for one another.
const LOCK: &str = "
    SELECT issue_key, updated_ms, (extract(epoch FROM asked_at) * 1000000)::bigint,
        (extract(epoch FROM statement_timestamp()) * 1000000)::bigint FROM issue_freshness
    WHERE issue_key = ANY($1) AND team_id = '' AND site_id = '' ORDER BY issue_key FOR UPDATE";

/// The rows that don't agree with an answer, and are older, but for those of channels that nobody can write to. `$1` to
/// `$9` are the answers, and `$10` is when Jira was asked. What is older, and which times say nothing, is as in
/// [`Known`].
const DIFFERENT: &str = "
    WITH item AS MATERIALIZED (
        SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::boolean[], $7::text[],
            $8::bigint[], $9::boolean[]) WITH ORDINALITY
            AS item (asked_key, new_key, issue_id, summary, status, has_level, category, updated_ms, is_shown, place)),
    fitting AS (
        SELECT item.place, row.id FROM item JOIN channel_tracked_issues AS row ON row.issue_key = item.asked_key
        UNION
        SELECT item.place, row.id FROM item JOIN channel_tracked_issues AS row
            ON row.issue_key = item.new_key AND item.new_key <> item.asked_key
        UNION
        SELECT item.place, row.id FROM item JOIN channel_tracked_issues AS row ON row.issue_id = item.issue_id)
    SELECT coalesce(json_agg(json_build_object('answer', item.place - 1, 'channel', row.channel_id,
        'key', row.issue_key, 'issue_id', row.issue_id, 'summary', row.last_jira_summary,
        'status', row.last_jira_status, 'category', row.last_jira_category, 'level', row.has_security_level::int,
        'was_synced', ((row.last_synced_at <= $10::timestamptz + interval '5 minutes') IS TRUE)::int)
        ORDER BY item.place, row.id), '[]')::text
    FROM fitting JOIN item ON item.place = fitting.place
    JOIN channel_tracked_issues AS row ON row.id = fitting.id
    WHERE NOT EXISTS (SELECT FROM paused_channels AS paused WHERE paused.channel_id = row.channel_id)
        AND CASE WHEN item.updated_ms <> row.jira_updated_ms
                AND row.last_synced_at >= $10::timestamptz - interval '5 minutes'
            THEN item.updated_ms > row.jira_updated_ms
            ELSE (row.last_synced_at > $10::timestamptz
                AND row.last_synced_at <= $10::timestamptz + interval '5 minutes') IS NOT TRUE END
        AND ((row.last_synced_at <= $10::timestamptz + interval '5 minutes') IS NOT TRUE
            OR row.last_jira_summary IS DISTINCT FROM item.summary
            OR (item.status IS NOT NULL AND (row.last_jira_status IS DISTINCT FROM item.status
                OR row.last_jira_category IS DISTINCT FROM item.category))
            OR row.has_security_level IS DISTINCT FROM coalesce(item.has_level, row.has_security_level)
            OR (item.is_shown AND (row.issue_key <> item.new_key
                OR row.issue_id IS DISTINCT FROM item.issue_id)))";

/// When Jira was last asked: now, `$1`, unless it was asked a little later already.
macro_rules! asked_last {
    () => {
        "CASE WHEN known.asked_at > $1::timestamptz + interval '5 minutes' THEN $1::timestamptz
            ELSE greatest(known.asked_at, $1::timestamptz) END"
    };
}

/// Of what is left out, too, Jira was asked.
const REREAD: &str = concat!(
    "UPDATE issue_freshness AS known SET due_at = ",
    asked_last!(),
    ", holder = NULL, held_until_ms = 0
    WHERE issue_key = ANY($2) AND team_id = '' AND site_id = ''"
);

const REFRESH: &str = concat!(
    "UPDATE issue_freshness AS known SET asked_at = ",
    asked_last!(),
    ", due_at = ",
    asked_last!(),
    ", updated_ms = item.updated_ms, holder = NULL, held_until_ms = 0
    FROM unnest($2::text[], $3::bigint[]) AS item (issue_key, updated_ms)
    WHERE known.issue_key = item.issue_key AND known.team_id = '' AND known.site_id = ''"
);

/// Writes what is new in the answers, and notes that Jira was asked: `limit` rows at most, and returns what is left.
pub(super) async fn write(
    lease: &mut Lease,
    told: &JiraAnswers,
    limit: usize,
) -> Result<Option<JiraAnswers>, sqlx::Error> {
    lease.begin().await?;
    let (known, now) = lock(lease, told).await?;
    let (mut told, outdated) = told.clone().asked_by(now).without_outdated(&known);
    let mut differences = told.differences(different(lease, &told).await?);
    let left = told.split(&mut differences, limit);
    for differences in differences.chunks(ROWS_AT_ONCE) {
        let answers: Vec<Answer<'_>> = differences.iter().map(Difference::answer).collect();
        settle(lease, &answers, told.asked_at).await?;
    }
    let (keys, updated): (Vec<&str>, Vec<Option<i64>>) = told.keys().into_iter().unzip();
    let query = sqlx::query(REFRESH).bind(time_text(told.asked_at)).bind(keys).bind(updated);
    lease.execute(query).await?;
    if !outdated.is_empty() {
        lease.execute(sqlx::query(REREAD).bind(time_text(told.asked_at)).bind(outdated)).await?;
    }
    lease.commit().await?;
    Ok(left)
}

/// What is known, and the server's time if there is anything.
async fn lock(
    lease: &mut Lease,
    told: &JiraAnswers,
) -> Result<(HashMap<String, Known>, Option<Timestamp>), sqlx::Error> {
    let keys: Vec<&str> = told.keys().into_keys().collect();
    let rows = lease.fetch_all(sqlx::query(LOCK).bind(keys)).await?;
    let now: Option<i64> = rows.first().map(|row| row.try_get(3)).transpose()?;
    let now = now.and_then(|microsecond| Timestamp::from_microsecond(microsecond).ok());
    let known = rows.iter().map(|row| {
        let asked_at: Option<i64> = row.try_get(2)?;
        let asked_at = asked_at.and_then(|microsecond| Timestamp::from_microsecond(microsecond).ok());
        Ok((row.try_get(0)?, Known { updated_ms: row.try_get(1)?, asked_at }))
    });
    Ok((known.collect::<Result<_, sqlx::Error>>()?, now))
}

async fn different(lease: &mut Lease, told: &JiraAnswers) -> Result<Vec<StoredRow>, sqlx::Error> {
    let answers = &told.answers;
    let text = |text: for<'a> fn(&'a IssueAnswer) -> Option<&'a str>| -> Vec<Option<&str>> {
        answers.iter().map(text).collect()
    };
    let issues = || answers.iter().map(|answer| answer.issue.as_ref());
    let query = sqlx::query(DIFFERENT)
        .bind(text(|answer| Some(answer.key.as_str())))
        .bind(text(|answer| Some(answer.new_key().as_str())))
        .bind(text(IssueAnswer::id))
        .bind(text(|answer| Some(answer.issue.as_ref().map_or("", |issue| &issue.summary))))
        .bind(text(|answer| answer.issue.as_ref().map_or(Some(MISSING_STATUS), known_status)))
        .bind(issues().map(|issue| issue.and_then(known_level)).collect::<Vec<_>>())
        .bind(issues().map(|issue| issue.and_then(known_category)).collect::<Vec<_>>())
        .bind(answers.iter().map(IssueAnswer::updated_ms).collect::<Vec<_>>())
        .bind(issues().map(|issue| issue.is_some()).collect::<Vec<_>>())
        .bind(time_text(told.asked_at));
    let row = lease.fetch_one(query).await?;
    let json: &str = row.try_get(0)?;
    serde_json::from_str(json).map_err(|error| sqlx::Error::Decode(error.into()))
}
