//! The issue types that can be created in a project. Which fields they require: `screen.rs`.
//!
//! The address is the same in both editions (Data Center since 8.4); the list in the answer has different
//! names.

use bytes::Bytes;
use serde::Deserialize;
use tokio::time::Instant;

use crate::{
    connection::cache::LIFETIME,
    connection::request::{JiraRequest, RequestKind},
    connection::site::JiraSite,
    connection::transport::Answer,
    creating::old_createmeta::{self, may_be_old},
    error::JiraError,
    wire::{
        page::ListPage,
        parse::{is_id, is_project_key, parse},
        refusal::is_jira_error,
    },
};
use maro_domain::{issue::one_line, ticket::IssueType};

const MAX_NAME_LENGTH: usize = 100;

/// How many types one page holds: Jira's own limit.
const PAGE_SIZE: usize = 200;

/// How many pages are read. No project has a thousand types.
const MAX_PAGES: usize = 5;

#[derive(Deserialize)]
struct RawIssueType {
    id: String,
    name: String,
    /// Cloud only: the name before anybody translated it.
    #[serde(rename = "untranslatedName")]
    untranslated_name: Option<String>,
    #[serde(default)]
    subtask: bool,
    /// Cloud only.
    #[serde(rename = "hierarchyLevel")]
    hierarchy_level: Option<i32>,
}

impl RawIssueType {
    /// `None` for what can't be created by itself.
    fn usable(self) -> Option<IssueType> {
        let name = one_line(&self.name, MAX_NAME_LENGTH);
        let untranslated_name = self.untranslated_name.map(|name| one_line(&name, MAX_NAME_LENGTH));
        let untranslated_name = untranslated_name.filter(|name| !name.is_empty());
        let english = untranslated_name.as_ref().unwrap_or(&name);
        let guess = if english.eq_ignore_ascii_case("epic") { 1 } else { 0 };
        let hierarchy_level = self.hierarchy_level.unwrap_or(guess);
        let is_usable = is_id(&self.id) && !self.subtask && hierarchy_level >= 0;
        is_usable.then_some(IssueType { id: self.id, name, untranslated_name, hierarchy_level })
    }
}

pub(crate) async fn get_issue_types(
    site: &JiraSite,
    project_key: &str,
    deadline: Instant,
) -> Result<Option<Vec<IssueType>>, JiraError> {
    if !is_project_key(project_key) {
        return Ok(None);
    }
    if let Some(types) = site.caches.issue_types.get(project_key) {
        return Ok(Some(types));
    }
    let Some(types) = all_issue_types(site, project_key, deadline).await? else {
        site.confirm(deadline).await?;
        return Ok(None);
    };
    site.caches.issue_types.put(project_key.to_owned(), types.clone(), LIFETIME);
    Ok(Some(types))
}

/// The types from all pages; `None` if Jira says that there is no such list.
async fn all_issue_types(
    site: &JiraSite,
    project_key: &str,
    deadline: Instant,
) -> Result<Option<Vec<IssueType>>, JiraError> {
    let (mut types, mut start) = (Vec::new(), 0);
    for _ in 0..MAX_PAGES {
        let mut url = site.url(&["issue", "createmeta", project_key, "issuetypes"]);
        url.query_pairs_mut().extend_pairs([
            ("startAt", start.to_string().as_str()),
            ("maxResults", PAGE_SIZE.to_string().as_str()),
        ]);
        let page = match site.ask(&JiraRequest::get(RequestKind::GetIssueTypes, url), deadline).await? {
            answer if may_be_old(site, &answer) => {
                return old_issue_types(site, project_key, answer, deadline).await;
            }
            Answer::NotFound(body) | Answer::Refused(_, body) if is_jira_error(&body) => return Ok(None),
            answer => read_page(&answer.found()?)?,
        };
        start += page.length;
        types.extend(page.types);
        if page.length == 0 || page.is_last.unwrap_or_else(|| page.total.is_none_or(|total| start >= total)) {
            return Ok(Some(types));
        }
    }
    Err(JiraError::invalid(format!("a list of more than {start} issue types")))
}

/// The same from a release without that list, which gave `answer`.
async fn old_issue_types(
    site: &JiraSite,
    project_key: &str,
    answer: Answer,
    deadline: Instant,
) -> Result<Option<Vec<IssueType>>, JiraError> {
    let place = (project_key, None);
    match old_createmeta::types::<RawIssueType>(site, RequestKind::GetIssueTypes, place, deadline).await? {
        // It says nothing of a project that the account can't see.
        Some(types) => {
            Ok((!types.is_empty()).then(|| types.into_iter().filter_map(RawIssueType::usable).collect()))
        }
        None => Err(answer.found().err().unwrap_or_else(|| JiraError::invalid("there are no issue types"))),
    }
}

/// The parts of a page that are used.
struct Page {
    types: Vec<IssueType>,
    /// How many types the page has, including those that were left out.
    length: usize,
    total: Option<usize>,
    is_last: Option<bool>,
}

fn read_page(body: &Bytes) -> Result<Page, JiraError> {
    let ListPage { values, total, is_last } = parse::<ListPage<RawIssueType>>(body, "the issue types")?;
    let length = values.len();
    let types = values.into_iter().filter_map(RawIssueType::usable).collect();
    Ok(Page { types, length, total, is_last })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_editions_tell_the_types_that_can_be_created() {
        let cloud = br#"{"maxResults":50,"startAt":0,"total":3,"issueTypes":[
            {"id":"10000","name":"Epic","subtask":false,"hierarchyLevel":1},
            {"id":"10001","name":"Story","subtask":false,"hierarchyLevel":0},
            {"id":"10003","name":"Subtask","subtask":true,"hierarchyLevel":-1}]}"#;
        let data_center = br#"{"maxResults":50,"startAt":0,"total":3,"isLast":true,"values":[
            {"self":"x","id":"10000","description":"","name":"Epic","subtask":false},
            {"self":"x","id":"10001","name":"Story","subtask":false},
            {"self":"x","id":"10003","name":"Sub-task","subtask":true}]}"#;
        for body in [cloud.as_slice(), data_center] {
            let page = read_page(&Bytes::copy_from_slice(body)).unwrap_or_else(|error| panic!("{error}"));
            let types: Vec<_> =
                page.types.iter().map(|kind| (kind.name.as_str(), kind.hierarchy_level)).collect();
            assert_eq!((types.as_slice(), page.length), ([("Epic", 1), ("Story", 0)].as_slice(), 3));
        }
    }
}
