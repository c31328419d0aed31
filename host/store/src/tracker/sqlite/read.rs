//! The queries on the lists in SQLite.

use crate::{
    database::sqlite::read::{Question, for_each_ask},
    tracker::stored::stored_filter,
};
use maro_domain::tracked::{ListFilter, PageRequest};

/// What is read of a row of `page`, in the order of `StoredIssue`. Jira was last asked about an issue when it was asked for
/// one of its rows, or for all.
macro_rules! columns {
    () => {
        "json_array(issue_key, issue_id, tracked_at, tracked_by, source,
             nullif(max(coalesce(last_synced_at, ''), coalesce((
                 SELECT asked_at FROM issue_freshness AS known WHERE known.issue_key = page.issue_key
                     AND known.team_id = page.team_id AND known.site_id = page.site_id), '')), ''),
             last_jira_status, last_jira_summary, has_security_level, last_jira_category, former_key)"
    };
}

/// Whether a row is of the channel and fits the filter in `ask.value`.
macro_rules! fits {
    () => {
        "channel_id = ask.value ->> 0
         AND CASE ask.value ->> 1
             WHEN 'open' THEN last_jira_category IS NOT 'done'
             WHEN 'done' THEN last_jira_category IS 'done'
             WHEN 'mine' THEN tracked_by = ask.value ->> 2
                 OR issue_id IN (SELECT value FROM json_each(ask.value, '$[3]'))
             ELSE true END "
    };
}

/// Whether people can write to the row's channel. Of one that is paused, the list is kept as it is.
macro_rules! is_heard {
    () => {
        "NOT EXISTS (SELECT 1 FROM paused_channels AS paused
                     WHERE paused.channel_id = channel_tracked_issues.channel_id) "
    };
}

/// Returns one row more than requested, to tell whether the list continues. `ask.value` is the channel.
const PAGE: &str = for_each_ask!(
    "SELECT json_group_array(",
    columns!(),
    ")
     FROM (SELECT * FROM channel_tracked_issues WHERE channel_id = ask.value
           ORDER BY tracked_at, id LIMIT ?2 + 1 OFFSET ?3) AS page"
);

/// The rows of [`PAGE`], how many issues there are in all, and how many of them are open. `ask.value` is the channel, the
/// filter and, for `mine`, the person and the ids of issues.
const FILTERED: &str = for_each_ask!(
    "SELECT json_array(
         (SELECT json_group_array(",
    columns!(),
    ")
          FROM (SELECT * FROM channel_tracked_issues WHERE ",
    fits!(),
    "       ORDER BY tracked_at, id LIMIT ?2 + 1 OFFSET ?3) AS page),
         count(*), count(*) FILTER (WHERE last_jira_category IS NOT 'done'))
     FROM channel_tracked_issues WHERE ",
    fits!()
);

/// `ask.value` is the channel, the keys and the ids.
const FOUND: &str = for_each_ask!(
    "SELECT json_group_array(",
    columns!(),
    ")
     FROM (SELECT * FROM channel_tracked_issues
           WHERE channel_id = ask.value ->> 0
               AND (issue_key IN (SELECT value FROM json_each(ask.value, '$[1]'))
                    OR issue_id IN (SELECT value FROM json_each(ask.value, '$[2]')))
           ORDER BY tracked_at, id) AS page"
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
    let (name, person, ids) = stored_filter(filter);
    Question::of(FILTERED, serde_json::json!([channel, name, person, ids]))
        .limit(page.limit)
        .offset(page.offset)
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
