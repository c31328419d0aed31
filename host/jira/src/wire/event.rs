//! The events that Jira's webhook reports.

use std::borrow::Cow;

use serde::Deserialize;

use crate::{
    error::JiraError,
    wire::{
        issue::BorrowedIssue,
        parse::{identify, parse},
    },
};
use maro_domain::issue::{Issue, IssueId, IssueKey};

#[derive(Deserialize)]
struct RawEventName<'a> {
    #[serde(borrow, rename = "webhookEvent")]
    name: Cow<'a, str>,
    /// A number, used only to order events.
    #[serde(default)]
    timestamp: serde_json::Value,
}

#[derive(Deserialize)]
struct RawEvent<I> {
    issue: I,
}

/// What is left of a deleted issue: enough to identify it.
#[derive(Deserialize)]
struct RawReference<'a> {
    #[serde(borrow)]
    id: Cow<'a, str>,
    #[serde(borrow)]
    key: Cow<'a, str>,
}

/// A webhook's event name, and its time if it has one, in milliseconds since 1970.
pub(crate) fn parse_event_name(body: &[u8]) -> Result<(Cow<'_, str>, Option<i64>), JiraError> {
    let RawEventName { name, timestamp } = parse(body, "the event")?;
    Ok((name, timestamp.as_i64()))
}

/// A webhook's issue, with its fields.
pub(crate) fn parse_event_issue(body: &[u8]) -> Result<Issue, JiraError> {
    parse::<RawEvent<BorrowedIssue<'_>>>(body, "the event's issue")?.issue.try_into()
}

/// The id and key of a webhook's issue, whose fields may be absent.
pub(crate) fn parse_event_reference(body: &[u8]) -> Result<(IssueId, IssueKey), JiraError> {
    let raw = parse::<RawEvent<RawReference<'_>>>(body, "the event's issue")?.issue;
    identify(&raw.id, &raw.key)
}
