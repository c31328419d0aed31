//! The events that Jira's webhook reports. They may have megabytes, so nothing is read but what is used.

use std::borrow::Cow;

use serde::{Deserialize, de::IgnoredAny};
use serde_json::Number;

use crate::{
    accounts::people::Editor,
    error::JiraError,
    wire::parse::{MAX_ID_LENGTH, is_issue_id, parse},
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
    #[serde(borrow, default, rename = "displayName")]
    name: Option<Cow<'a, str>>,
    /// Cloud only.
    #[serde(borrow, default, rename = "accountId")]
    account_id: Option<Cow<'a, str>>,
    /// Data Center only.
    #[serde(borrow, default, rename = "name")]
    user_name: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct RawChangelog<'a> {
    #[serde(borrow, default)]
    items: Vec<RawItem<'a>>,
}

#[derive(Deserialize)]
struct RawItem<'a> {
    #[serde(borrow, default)]
    field: Cow<'a, str>,
    #[serde(borrow, default, rename = "fromString")]
    from: Option<Cow<'a, str>>,
    #[serde(borrow, default, rename = "toString")]
    to: Option<Cow<'a, str>>,
}

/// Whether there is a comment. Nothing of it is read.
#[derive(Deserialize)]
struct RawCommented {
    #[serde(rename = "comment")]
    _comment: IgnoredAny,
}

/// All that is read of an issue: enough to identify it, as Jira or somebody's own rule may say it.
#[derive(Deserialize)]
struct LooseReference {
    #[serde(default, alias = "issueId")]
    id: Option<Scalar>,
    #[serde(default, alias = "issueKey")]
    key: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Scalar {
    Text(String),
    Number(Number),
}

/// A webhook's event name; `None` if it has none.
pub(crate) fn name(body: &[u8]) -> Result<Option<String>, JiraError> {
    parse::<IgnoredAny>(body, "the event")?;
    Ok(serde_json::from_slice::<RawEventName>(body).ok().and_then(|event| event.name))
}

/// Which status was set and by whom, if a webhook says that somebody set one. Jira may leave out both.
pub(crate) fn parse_status_change(body: &[u8]) -> Option<(String, String)> {
    let RawChange { user, changelog } = serde_json::from_slice(body).ok()?;
    let set = changelog.items.into_iter().rev().find(|item| item.field == "status")?;
    let by = one_line(&user.name?, MAX_NAME_LENGTH);
    let status = tidy_status(&set.to?);
    (!by.is_empty() && !status.is_empty()).then_some((status, by))
}

/// A field, and from what to what it was changed: lines of at most 100 characters, empty where there is nothing.
pub(crate) struct ChangedField {
    pub(crate) field: String,
    pub(crate) from: String,
    pub(crate) to: String,
}

/// Who changed something, with the account's id if that is known, and which fields.
pub(crate) fn parse_changes(body: &[u8]) -> Option<(Option<Editor>, Vec<ChangedField>)> {
    #[derive(Deserialize)]
    struct RawChanges<'a> {
        #[serde(borrow, default)]
        user: Option<RawUser<'a>>,
        #[serde(borrow, default)]
        changelog: Option<RawChangelog<'a>>,
    }
    let RawChanges { user, changelog } = serde_json::from_slice(body).ok()?;
    let by = user.and_then(|RawUser { name, account_id, user_name }| {
        let name = Some(one_line(&name?, MAX_NAME_LENGTH)).filter(|name| !name.is_empty())?;
        let id = account_id.or(user_name).map(Cow::into_owned);
        Some(Editor { name, id })
    });
    let line = |text: Option<Cow<'_, str>>| one_line(&text.unwrap_or_default(), MAX_NAME_LENGTH);
    let items = changelog.map(|changelog| changelog.items).unwrap_or_default();
    let changes = items.into_iter().map(|item| ChangedField {
        field: line(Some(item.field)),
        from: line(item.from),
        to: line(item.to),
    });
    Some((by, changes.collect()))
}

pub(crate) fn has_comment(body: &[u8]) -> bool {
    serde_json::from_slice::<RawCommented>(body).is_ok()
}

/// What a webhook calls its issue: by its id, its key or both.
pub(crate) struct Reference {
    pub(crate) id: Option<IssueId>,
    pub(crate) key: Option<IssueKey>,
}

/// The issue that a webhook tells about. The body may be what a person put together for a rule: an event's, an issue's, or
/// little more than a key or an id. Neither is there without a valid one of the two.
pub(crate) fn loose_reference(body: &[u8]) -> Option<Reference> {
    let of_event = || serde_json::from_slice::<RawEvent<LooseReference>>(body).ok().map(|event| event.issue);
    let of_key = || {
        let key = serde_json::from_slice::<RawEvent<String>>(body).ok()?.issue;
        Some(LooseReference { id: None, key: Some(key) })
    };
    let of_issue = || serde_json::from_slice::<LooseReference>(body).ok();
    let LooseReference { id, key } = of_event().or_else(of_key).or_else(of_issue)?;
    // Rules leave texts empty that they know nothing for. What else is no key isn't Jira's.
    let key = key.filter(|key| !key.trim().is_empty());
    let key = key.map(|key| IssueKey::parse(&key.trim().to_uppercase())).transpose().ok()?;
    let id = id.map(|id| match id {
        Scalar::Text(id) => id.trim().to_owned(),
        Scalar::Number(id) => id.to_string(),
    });
    // Alone, only a number is an issue's: other programs call other things so.
    let is_usable = |id: &String| is_issue_id(id) || key.is_some() && (1..=MAX_ID_LENGTH).contains(&id.len());
    match id {
        Some(id) if is_usable(&id) => Some(Reference { id: Some(IssueId::new(id)), key }),
        Some(_) => None,
        None => key.map(|key| Reference { id: None, key: Some(key) }),
    }
}
