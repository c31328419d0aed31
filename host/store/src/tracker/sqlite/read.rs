//! The queries on the lists in SQLite.

use crate::{
    database::sqlite::read::{Question, for_each_ask},
    tracker::stored::stored_filter,
};
use maro_domain::tracked::{ListFilter, PageRequest};

/// What is read of a `row`, in the order of `StoredIssue`. Jira was last asked about an issue when it was asked for
/// one of its rows, or for all.
macro_rules! columns {
    () => {
        columns!(
            "nullif(max(coalesce(last_synced_at, ''), coalesce((
                 SELECT asked_at FROM issue_freshness AS known WHERE known.issue_key = row.issue_key
                     AND known.team_id = row.team_id AND known.site_id = row.site_id), '')), '')"
        )
    };
    ($last_asked:literal) => {
        concat!(
            "json_array(issue_key, issue_id, tracked_at, tracked_by, source, ",
            $last_asked,
            ", last_jira_status, last_jira_summary, has_security_level, last_jira_category, former_key)"
        )
    };
}

/// Rows as one JSON array, in less time than by JSON's own aggregate.
macro_rules! joined {
    () => {
        "'[' || coalesce(group_concat(json), '') || ']'"
    };
}

/// The rows of a channel that fit a condition, one more than requested to tell whether the list continues.
macro_rules! rows {
    ($channel:literal, $fits:literal) => {
        concat!(
            "SELECT last_jira_category, ",
            columns!(),
            " AS json FROM channel_tracked_issues AS row WHERE channel_id = ",
            $channel,
            " AND ",
            $fits,
            " ORDER BY tracked_at, row.id LIMIT ?2 + 1 OFFSET ?3"
        )
    };
}

/// The rows of [`Removal::list`](maro_domain::tracked::Removal::list) of a channel and one more, as JSON.
macro_rules! first_rows {
    ($channel:literal) => {
        concat!(
            "SELECT ",
            joined!(),
            " FROM (SELECT ",
            columns!("NULL"),
            " AS json FROM channel_tracked_issues AS row WHERE channel_id = ",
            $channel,
            " ORDER BY tracked_at, row.id LIMIT 201)"
        )
    };
}

pub(super) use {columns, first_rows, joined};

/// How many rows there are, and how many of them are open.
macro_rules! counts {
    () => {
        "count(*) || ',' || count(*) FILTER (WHERE last_jira_category IS NOT 'done')"
    };
}

/// The rows of a channel that fit a condition, how many they are in all, and how many of those are open. They are
/// counted anew only if the rows aren't all.
macro_rules! filtered {
    ($channel:literal, $fits:literal) => {
        for_each_ask!(
            "SELECT '[' || rows || ',' || CASE WHEN ?3 = 0 AND count <= ?2 THEN counts ELSE (SELECT ",
            counts!(),
            " FROM channel_tracked_issues WHERE channel_id = ",
            $channel,
            " AND ",
            $fits,
            ") END || ']' FROM (SELECT ",
            joined!(),
            " AS rows, count(*) AS count, ",
            counts!(),
            " AS counts FROM (",
            rows!($channel, $fits),
            "))"
        )
    };
}

/// Whether people can write to the row's channel. Of one that is paused, the list is kept as it is.
macro_rules! is_heard {
    () => {
        "NOT EXISTS (SELECT 1 FROM paused_channels AS paused
                     WHERE paused.channel_id = channel_tracked_issues.channel_id) "
    };
}

/// `ask.value` is the channel.
const PAGE: &str = for_each_ask!("SELECT ", joined!(), " FROM (", rows!("ask.value", "true"), ")");

/// `ask.value` is the channel.
const ALL: &str = filtered!("ask.value", "true");
const OPEN: &str = filtered!("ask.value", "last_jira_category IS NOT 'done'");
const DONE: &str = filtered!("ask.value", "last_jira_category IS 'done'");

/// `ask.value` is the channel, the person and the ids of issues.
const MINE: &str = filtered!(
    "ask.value ->> 0",
    "(tracked_by = ask.value ->> 1 OR issue_id IN (SELECT value FROM json_each(ask.value, '$[2]')))"
);

/// `ask.value` is the channel, the keys and the ids.
const FOUND: &str = for_each_ask!(
    "SELECT ",
    joined!(),
    " FROM (SELECT ",
    columns!(),
    " AS json FROM channel_tracked_issues AS row
           WHERE channel_id = ask.value ->> 0
               AND (issue_key IN (SELECT value FROM json_each(ask.value, '$[1]'))
                    OR issue_id IN (SELECT value FROM json_each(ask.value, '$[2]')))
           ORDER BY tracked_at, row.id)"
);

/// `ask.value` is the channel.
const COUNT: &str =
    for_each_ask!("SELECT cast(count(*) AS TEXT) FROM channel_tracked_issues WHERE channel_id = ask.value");

/// Those that were added to last come first. `ask.value` is the channels.
const SUMMARIES: &str = for_each_ask!(
    "SELECT json_group_array(json_array(channel_id, count, open))
     FROM (SELECT channel_id, count(*) AS count,
               count(*) FILTER (WHERE last_jira_category IS NOT 'done') AS open
           FROM channel_tracked_issues WHERE channel_id IN (SELECT value FROM json_each(ask.value))
           GROUP BY channel_id ORDER BY max(tracked_at) DESC, channel_id LIMIT ?2)"
);

/// `ask.value` is the channel and the keys.
const PRESENT: &str = for_each_ask!(
    "SELECT json_group_array(issue_key) FROM channel_tracked_issues
     WHERE channel_id = ask.value ->> 0
         AND issue_key IN (SELECT value FROM json_each(ask.value, '$[1]'))"
);

/// `ask.value` is the key and id.
const PLACES: &str = for_each_ask!(
    "SELECT json_group_array(json_array(channel_id, issue_key))
     FROM (SELECT channel_id, issue_key FROM channel_tracked_issues WHERE issue_key = ask.value ->> 0 AND ",
    is_heard!(),
    "      UNION
           SELECT channel_id, issue_key FROM channel_tracked_issues WHERE issue_id = ask.value ->> 1 AND ",
    is_heard!(),
    "      ORDER BY channel_id, issue_key)"
);

/// Checks the file itself, not just the connection.
const PING: &str =
    for_each_ask!("SELECT json_group_array(id) FROM (SELECT id FROM channel_tracked_issues LIMIT 1)");

pub(super) fn page(channel: &str, limit: u32, offset: u32) -> Question {
    Question::of(PAGE, channel).limit(limit).offset(offset)
}

pub(super) fn found(channel: &str, keys: &[&str], ids: &[&str]) -> Question {
    Question::of(FOUND, serde_json::json!([channel, keys, ids]))
}

pub(super) fn filtered(channel: &str, filter: ListFilter<'_>, page: PageRequest) -> Question {
    let question = match filter {
        ListFilter::All => Question::of(ALL, channel),
        ListFilter::Open => Question::of(OPEN, channel),
        ListFilter::Done => Question::of(DONE, channel),
        ListFilter::TrackedBy(_) | ListFilter::Mine(..) => {
            let (_, person, ids) = stored_filter(filter);
            Question::of(MINE, serde_json::json!([channel, person, ids]))
        }
    };
    question.limit(page.limit).offset(page.offset)
}

pub(super) fn summaries(channels: &[&str], limit: u32) -> Question {
    Question::of(SUMMARIES, serde_json::json!(channels)).limit(limit)
}

pub(super) fn count(channel: &str) -> Question {
    Question::of(COUNT, channel)
}

pub(super) fn present(channel: &str, keys: &[&str]) -> Question {
    Question::of(PRESENT, serde_json::json!([channel, keys]))
}

pub(super) fn places(key: &str, id: &str) -> Question {
    Question::of(PLACES, serde_json::json!([key, id]))
}

pub(super) fn ping() -> Question {
    Question::of(PING, serde_json::Value::Null)
}
