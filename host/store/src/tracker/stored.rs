//! Reads stored rows into the domain's types. Both databases return many rows as one JSON text, because
//! sending rows one by one costs more than the query itself.

use std::{borrow::Cow, collections::HashSet};

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::database::{
    error::{self, DatabaseError},
    time::StoredTime,
};
use maro_domain::{
    ids::{ChannelId, UserId},
    issue::{IssueId, IssueKey, StatusCategory},
    tracked::{
        FilteredPage, ListFilter, ListSummary, PageRequest, Removal, Source, TrackedIssue, TrackedPage,
    },
};

/// One row of a list, with its columns in the order of both databases' page query.
#[derive(Deserialize)]
struct StoredIssue<'a>(
    #[serde(borrow)] Cow<'a, str>,
    Option<String>,
    StoredTime,
    #[serde(borrow)] Cow<'a, str>,
    #[serde(borrow)] Cow<'a, str>,
    Option<StoredTime>,
    Option<String>,
    Option<String>,
    Option<u8>,
    #[serde(borrow)] Option<Cow<'a, str>>,
    #[serde(borrow)] Option<Cow<'a, str>>,
);

/// Reads a page from JSON. The JSON has one row more than requested if the list continues.
pub(in crate::tracker) fn parse_page(
    json: &str,
    channel: &ChannelId,
    page: PageRequest,
) -> Result<TrackedPage, DatabaseError> {
    let rows: Vec<StoredIssue<'_>> = error::parse(json)?;
    let limit = page.limit as usize;
    let more = rows.len() > limit;
    let issues = rows.into_iter().take(limit).filter_map(|row| tracked_issue(row, channel)).collect();
    Ok(TrackedPage { issues, more })
}

/// Reads the rows of [`Removal::list`] and one more from JSON.
pub(in crate::tracker) fn parse_first_rows(
    json: &str,
    channel: &ChannelId,
) -> Result<TrackedPage, DatabaseError> {
    parse_page(json, channel, PageRequest { offset: 0, limit: Removal::ROWS })
}

/// Reads a page, how many issues there are in all, and how many of them are open, from JSON.
pub(in crate::tracker) fn parse_filtered(
    json: &str,
    channel: &ChannelId,
    page: PageRequest,
) -> Result<FilteredPage, DatabaseError> {
    let (rows, count, open): (&RawValue, u32, u32) = error::parse(json)?;
    Ok(FilteredPage { page: parse_page(rows.get(), channel, page)?, count, open })
}

/// A filter as statements bind it, the person, and the ids of the issues that fit anyway.
pub(in crate::tracker) fn stored_filter(filter: ListFilter<'_>) -> (&'static str, Option<&str>, Vec<&str>) {
    match filter {
        ListFilter::All => ("all", None, Vec::new()),
        ListFilter::Open => ("open", None, Vec::new()),
        ListFilter::Done => ("done", None, Vec::new()),
        ListFilter::TrackedBy(person) => ("mine", Some(person.as_str()), Vec::new()),
        ListFilter::Mine(person, assigned) => {
            ("mine", Some(person.as_str()), assigned.iter().map(IssueId::as_str).collect())
        }
    }
}

/// Reads channels with how many issues their lists have, and how many of these are open.
pub(in crate::tracker) fn parse_summaries(json: &str) -> Result<Vec<ListSummary>, DatabaseError> {
    let rows: Vec<(String, u32, u32)> = error::parse(json)?;
    let summaries = rows.into_iter().filter_map(|(channel, count, open)| {
        Some(ListSummary { channel: ChannelId::parse(&channel).ok()?, count, open })
    });
    Ok(summaries.collect())
}

/// Reads rows from JSON.
pub(in crate::tracker) fn parse_rows(
    json: &str,
    channel: &ChannelId,
) -> Result<Vec<TrackedIssue>, DatabaseError> {
    let rows: Vec<StoredIssue<'_>> = error::parse(json)?;
    Ok(rows.into_iter().filter_map(|row| tracked_issue(row, channel)).collect())
}

fn tracked_issue(row: StoredIssue<'_>, channel: &ChannelId) -> Option<TrackedIssue> {
    let StoredIssue(key, issue_id, tracked_at, tracked_by, source, synced_at, ..) = row;
    let StoredIssue(.., status, summary, level, category, former_key) = row;
    let left_out = |column| {
        tracing::warn!(%channel, issue_key = %key, "skipped a row with an invalid {column}");
    };
    let Ok(issue_key) = IssueKey::parse(&key) else {
        left_out("issue_key");
        return None;
    };
    let Some(tracked_at) = tracked_at.0 else {
        left_out("tracked_at");
        return None;
    };
    Some(TrackedIssue {
        key: issue_key,
        issue_id: issue_id.map(IssueId::new),
        tracked_at,
        tracked_by: UserId::parse(&tracked_by).ok(),
        // A newer replica may write sources that this one doesn't know.
        source: Source::from_name(&source).unwrap_or(Source::Command),
        last_synced_at: synced_at.and_then(|time| time.0),
        last_jira_status: status,
        last_jira_summary: summary,
        last_jira_category: category.map_or(StatusCategory::Unknown, |key| StatusCategory::from_key(&key)),
        former_key: former_key.and_then(|key| IssueKey::parse(&key).ok()),
        has_security_level: level.map(|level| level != 0),
    })
}

/// Reads an array of keys, and tells which of `keys` are in it.
pub(in crate::tracker) fn parse_present(json: &str, keys: &[IssueKey]) -> Result<Vec<bool>, DatabaseError> {
    let present: HashSet<Cow<'_, str>> = error::parse(json)?;
    Ok(keys.iter().map(|key| present.contains(key.as_str())).collect())
}

/// Reads pairs of channel and key.
pub(in crate::tracker) fn parse_places(json: &str) -> Result<Vec<(ChannelId, IssueKey)>, DatabaseError> {
    let rows: Vec<(Cow<'_, str>, Cow<'_, str>)> = error::parse(json)?;
    let places = rows.into_iter().filter_map(|(channel, key)| {
        let place = ChannelId::parse(&channel).ok().zip(IssueKey::parse(&key).ok());
        if place.is_none() {
            tracing::warn!(%channel, issue_key = %key, "skipped a row with an invalid channel_id or issue_key");
        }
        place
    });
    Ok(places.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(json: &str, limit: u32) -> TrackedPage {
        parse_page(json, &ChannelId::parse("C1").unwrap(), PageRequest { offset: 0, limit }).unwrap()
    }

    #[test]
    fn one_row_more_than_asked_for_says_that_the_list_goes_on() {
        let row = r#"["A-1","10",1767323045000000,"U1","created",null,"Open","A \"summary\"",1,"new","B-7"]"#;
        assert!(page(&format!("[{row},{row}]"), 1).more);
        let whole = page(&format!("[{row},{row}]"), 2);
        assert!(!whole.more);
        assert_eq!(whole.issues.len(), 2);
        assert_eq!(whole.issues[0].last_jira_summary.as_deref(), Some("A \"summary\""));
        assert_eq!(whole.issues[0].source, Source::Created);
        assert_eq!(whole.issues[0].last_jira_category, StatusCategory::ToDo);
        assert_eq!(whole.issues[0].former_key.as_ref().map(IssueKey::as_str), Some("B-7"));
    }

    #[test]
    fn a_row_that_makes_no_sense_never_hides_the_others() {
        let good = r#"["A-1",null,1,"a script","imported",null,null,null,null,"odd","b 7"]"#;
        let bad_key = r#"["a 1",null,1,"U1","command",null,null,null,null,null,null]"#;
        let bad_time = r#"["A-2",null,"soon","U1","command",null,null,null,null,null,null]"#;
        let page = page(&format!("[{bad_key},{bad_time},{good}]"), 10);
        assert_eq!(page.issues.len(), 1);
        assert_eq!(page.issues[0].tracked_by, None);
        assert_eq!(page.issues[0].source, Source::Command);
        assert_eq!(page.issues[0].former_key, None);
    }
}
