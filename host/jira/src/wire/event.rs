//! The events that Jira's webhook reports.

use std::borrow::Cow;

use serde::Deserialize;

use crate::{
    error::JiraError,
    wire::parse::{identify, parse},
};
use maro_domain::issue::{IssueId, IssueKey};

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

/// A webhook's event name.
pub(crate) fn parse_event_name(body: &[u8]) -> Result<Cow<'_, str>, JiraError> {
    Ok(parse::<RawEventName<'_>>(body, "the event")?.name)
}

/// The id and key of a webhook's issue.
pub(crate) fn parse_event_reference(body: &[u8]) -> Result<(IssueId, IssueKey), JiraError> {
    let raw = parse::<RawEvent<'_>>(body, "the event's issue")?.issue;
    identify(&raw.id, &raw.key)
}
