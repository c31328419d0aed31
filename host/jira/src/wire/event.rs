//! The events that Jira's webhook reports. They may have megabytes, so nothing is read but what is used.

use std::{borrow::Cow, collections::HashMap};

use serde::{Deserialize, de::IgnoredAny};
use serde_json::Number;

use crate::{
    error::JiraError,
    wire::parse::{identify, parse},
};
use maro_domain::issue::{IssueId, IssueKey, one_line, tidy_status};

/// The longest name of a person that is kept, in characters.
const MAX_NAME_LENGTH: usize = 100;

#[derive(Deserialize)]
struct RawEventName {
    #[serde(default, rename = "webhookEvent")]
    name: Option<String>,
}

#[derive(Deserialize)]
struct RawEvent<Reference> {
    issue: Reference,
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

/// The same, as somebody's own rule may say it.
#[derive(Deserialize)]
struct LooseReference {
    id: Option<Scalar>,
    #[serde(alias = "issueKey")]
    key: String,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Scalar {
    Text(String),
    Number(Number),
}

/// A webhook's event name; `None` if it has none.
pub(crate) fn name(body: &[u8]) -> Result<Option<String>, JiraError> {
    let name = parse::<RawEventName>(body, "the event")?.name;
    if name.is_none() && parse::<HashMap<String, IgnoredAny>>(body, "the event")?.is_empty() {
        return Err(JiraError::invalid("an event that says nothing"));
    }
    Ok(name)
}

/// The id and key of a webhook's issue.
pub(crate) fn reference(body: &[u8]) -> Result<(IssueId, IssueKey), JiraError> {
    let raw = parse::<RawEvent<RawReference<'_>>>(body, "the event's issue")?.issue;
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

/// The key, and if it is there the id, of the issue that somebody's own rule tells about. The body is what a person
/// put together: an event's, an issue's, or little more than a key.
pub(crate) fn loose_reference(body: &[u8]) -> Option<(Option<IssueId>, IssueKey)> {
    let of_event = || serde_json::from_slice::<RawEvent<LooseReference>>(body).ok().map(|event| event.issue);
    let of_key = || {
        let key = serde_json::from_slice::<RawEvent<String>>(body).ok()?.issue;
        Some(LooseReference { id: None, key })
    };
    let of_issue = || serde_json::from_slice::<LooseReference>(body).ok();
    let LooseReference { id, key } = of_event().or_else(of_key).or_else(of_issue)?;
    let key = key.trim().to_uppercase();
    match id {
        Some(Scalar::Text(id)) => identify(&id, &key),
        Some(Scalar::Number(id)) => identify(&id.to_string(), &key),
        None => return IssueKey::parse(&key).ok().map(|key| (None, key)),
    }
    .ok()
    .map(|(id, key)| (Some(id), key))
}
