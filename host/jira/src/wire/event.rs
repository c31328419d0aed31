//! The events that Jira's webhook reports.

use std::borrow::Cow;

use serde::Deserialize;

use crate::{
    error::JiraError,
    wire::parse::{identify, parse},
};
use maro_domain::issue::{IssueId, IssueKey, one_line, tidy_status};

/// The longest name of a person that is kept, in characters.
const MAX_NAME_LENGTH: usize = 100;

#[derive(Deserialize)]
struct RawEventName<'a> {
    #[serde(borrow, rename = "webhookEvent")]
    name: Cow<'a, str>,
}

#[derive(Deserialize)]
struct RawEvent<'a> {
    #[serde(borrow)]
    issue: RawReference<'a>,
}

/// All that is read of an issue: enough to identify it.
#[derive(Deserialize)]
struct RawReference<'a> {
    #[serde(borrow)]
    id: Cow<'a, str>,
    #[serde(borrow)]
    key: Cow<'a, str>,
}

/// Who changed what, as far as that is wanted.
#[derive(Deserialize)]
struct RawChange<'a> {
    #[serde(borrow)]
    user: RawUser<'a>,
    #[serde(borrow)]
    changelog: RawChangelog<'a>,
}

#[derive(Deserialize)]
struct RawUser<'a> {
    #[serde(borrow, rename = "displayName")]
    name: Cow<'a, str>,
}

#[derive(Deserialize)]
struct RawChangelog<'a> {
    #[serde(borrow)]
    items: Vec<RawItem<'a>>,
}

#[derive(Deserialize)]
struct RawItem<'a> {
    #[serde(borrow)]
    field: Cow<'a, str>,
    #[serde(borrow, default, rename = "toString")]
    to: Option<Cow<'a, str>>,
}

/// A webhook's event name.
pub(crate) fn parse_event_name(body: &[u8]) -> Result<Cow<'_, str>, JiraError> {
    Ok(parse::<RawEventName<'_>>(body, "the event")?.name)
}

/// The id and key of a webhook's issue.
pub(crate) fn parse_event_reference(body: &[u8]) -> Result<(IssueId, IssueKey), JiraError> {
    let raw = parse::<RawEvent<'_>>(body, "the event's issue")?.issue;
    identify(&raw.id, &raw.key)
}

/// Which status was set and by whom, if a webhook says that somebody set one. Jira may leave out both.
pub(crate) fn parse_status_change(body: &[u8]) -> Option<(String, String)> {
    let RawChange { user, changelog } = serde_json::from_slice(body).ok()?;
    let set = changelog.items.into_iter().rev().find(|item| item.field == "status")?;
    let by = one_line(&user.name, MAX_NAME_LENGTH);
    let status = tidy_status(&set.to?);
    (!by.is_empty() && !status.is_empty()).then_some((status, by))
}
