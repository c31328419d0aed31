//! How stories get to their epic: with a field of theirs, or where no screen has that field, through the agile API.

use serde_json::{Value, json};
use tokio::time::Instant;

use crate::{
    connection::request::{JiraRequest, RequestKind},
    connection::site::JiraSite,
    creating::epic::Epic,
    creating::epic_fields::get_epic_fields,
    creating::screen::get_screen,
    editing::edit::{EditError, edit},
    error::JiraError,
};
use maro_domain::issue::IssueKey;

/// How Jira says in English that a screen lacks a field.
const NOT_ON_SCREEN: &str = "not on the appropriate screen";

/// How many issues one request may add to an epic: Jira's own limit.
const MAX_ADDED: usize = 50;

/// The field that links a story to its epic, and its value.
pub(crate) async fn link_to(
    site: &JiraSite,
    epic: &Epic,
    deadline: Instant,
) -> Result<(String, Value), JiraError> {
    let key = epic.issue.key.as_str();
    if site.is_cloud() {
        return Ok(("parent".to_owned(), json!({ "key": key })));
    }
    let fields = get_epic_fields(site, deadline).await?;
    match fields.link {
        Some(link) => Ok((link, json!(key))),
        None => Err(JiraError::invalid("there is an epic but no field for links to epics")),
    }
}

/// Whether Jira refused a story's epic because the screen for new stories has no field for it, and not because it
/// doesn't want this epic. Jira says which in its account's language, so then the screen itself is asked.
pub(crate) async fn is_missing_on_screen<'a>(
    site: &JiraSite,
    epic: &Epic,
    link: &str,
    mut reasons: impl Iterator<Item = &'a String>,
    deadline: Instant,
) -> bool {
    if reasons.all(|reason| reason.contains(NOT_ON_SCREEN)) {
        return true;
    }
    match get_screen(site, &epic.project_key, &epic.story_type.id, deadline).await {
        Ok(Some(screen)) => screen.iter().all(|field| field.id != link),
        _ => false,
    }
}

pub(crate) async fn add_to_epic(
    site: &JiraSite,
    epic: &IssueKey,
    stories: &[IssueKey],
    deadline: Instant,
) -> Result<(), EditError> {
    for batch in stories.chunks(MAX_ADDED) {
        let keys: Vec<&str> = batch.iter().map(IssueKey::as_str).collect();
        let url = site.agile_url(&["epic", epic.as_str(), "issue"]);
        let action = JiraRequest::post(RequestKind::AddToEpic, url, &json!({ "issues": keys }));
        edit(site, &action, deadline).await?;
    }
    Ok(())
}
