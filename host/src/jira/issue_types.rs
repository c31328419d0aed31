//! What can be created in a project: its issue types, and the fields that they demand.
//!
//! The addresses are the same in both editions (Data Center since 8.4); the lists in their answers have
//! other names.

use std::borrow::Cow;

use bytes::Bytes;
use serde::Deserialize;
use tokio::time::Instant;

use crate::{
    domain::{issue::one_line, ticket::IssueType},
    jira::{
        client::JiraClient,
        error::JiraError,
        model::{is_jira_error, parse},
        projects::is_project_key,
        transport::{Answer, Question},
    },
};

const MAX_NAME_LENGTH: usize = 100;

/// The longest id of an issue type or field that is taken, in characters.
const MAX_ID_LENGTH: usize = 100;

/// How much is asked for in one page: Jira's own limit.
const PAGE_SIZE: usize = 200;

/// How many pages are read. No project has a thousand fields on one screen.
const MAX_PAGES: usize = 5;

/// The required fields that a ticket of MARO's has, or that Jira fills by itself.
const FILLED: [&str; 5] = ["project", "issuetype", "summary", "description", "reporter"];

/// A field without which Jira refuses a ticket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequiredField {
    /// As in Jira's refusals: `customfield_10050`, `components`.
    pub id: String,
    /// One line, as people see it.
    pub name: String,
}

/// A page of either answer, in either edition.
#[derive(Deserialize)]
struct RawPage<T> {
    /// Cloud says `issueTypes` and `fields`, Data Center says `values`.
    #[serde(alias = "issueTypes", alias = "fields")]
    values: Vec<T>,
    total: Option<usize>,
    #[serde(rename = "isLast")]
    is_last: Option<bool>,
}

#[derive(Deserialize)]
struct RawIssueType {
    id: String,
    name: String,
    subtask: bool,
    /// Cloud only.
    #[serde(rename = "hierarchyLevel")]
    hierarchy_level: Option<i32>,
}

#[derive(Deserialize)]
struct RawField<'a> {
    #[serde(borrow, rename = "fieldId")]
    id: Cow<'a, str>,
    #[serde(borrow)]
    name: Cow<'a, str>,
    required: bool,
    #[serde(default, rename = "hasDefaultValue")]
    has_default_value: bool,
}

impl JiraClient {
    /// The types of issue that the account can create in a project, in Jira's order, without sub-tasks; as
    /// they were within the last minute. `None` if the project is missing or not visible, or if Jira says
    /// that the account may not create there; an empty list may mean the latter too.
    ///
    /// Data Center does not tell hierarchy levels: there a type named "Epic" counts as 1, any other as 0.
    /// [`JiraClient::get_epic`] knows better.
    ///
    /// # Errors
    /// Any [`JiraError`], at `deadline` at the latest.
    pub async fn get_issue_types(
        &self,
        project_key: &str,
        deadline: Instant,
    ) -> Result<Option<Vec<IssueType>>, JiraError> {
        if !is_project_key(project_key) {
            return Ok(None);
        }
        if let Some(types) = self.caches.issue_types.get(project_key, Instant::now()) {
            return Ok(Some(types));
        }
        self.before(deadline, async {
            let segments = ["issue", "createmeta", project_key, "issuetypes"];
            let Some(types) = self.pages(&segments, deadline, read_issue_types).await? else {
                self.confirm(deadline).await?;
                return Ok(None);
            };
            self.caches.issue_types.put(project_key, types.clone(), Instant::now());
            Ok(Some(types))
        })
        .await
    }

    /// The fields that a ticket of this type needs beyond project, type, summary and description, and that
    /// have no default value. Empty too for a project or type that does not exist: the refusal of the
    /// ticket says so.
    ///
    /// # Errors
    /// Any [`JiraError`], at `deadline` at the latest.
    pub async fn get_required_fields(
        &self,
        project_key: &str,
        issue_type_id: &str,
        deadline: Instant,
    ) -> Result<Vec<RequiredField>, JiraError> {
        if !is_project_key(project_key) || !is_id(issue_type_id) {
            return Ok(Vec::new());
        }
        self.before(deadline, async {
            let segments = ["issue", "createmeta", project_key, "issuetypes", issue_type_id];
            Ok(self.pages(&segments, deadline, read_required_fields).await?.unwrap_or_default())
        })
        .await
    }

    /// The items on all pages of a list; `None` if Jira says that there is no such list.
    async fn pages<T>(
        &self,
        segments: &[&str],
        deadline: Instant,
        read: impl Fn(&Bytes) -> Result<Page<T>, JiraError>,
    ) -> Result<Option<Vec<T>>, JiraError> {
        let (mut items, mut start) = (Vec::new(), 0);
        for _ in 0..MAX_PAGES {
            let mut url = self.url(segments);
            url.query_pairs_mut().extend_pairs([
                ("startAt", start.to_string().as_str()),
                ("maxResults", PAGE_SIZE.to_string().as_str()),
            ]);
            let page = match self.ask(&Question::get(url), deadline).await? {
                Answer::NotFound(body) | Answer::Refused(_, body) if is_jira_error(&body) => return Ok(None),
                answer => read(&answer.found()?)?,
            };
            start += page.length;
            items.extend(page.items);
            if page.length == 0
                || page.is_last.unwrap_or_else(|| page.total.is_none_or(|total| start >= total))
            {
                return Ok(Some(items));
            }
        }
        Err(JiraError::invalid(format!("a list of more than {start} items")))
    }
}

/// What is used of a page.
struct Page<T> {
    items: Vec<T>,
    /// How many items the page had before some were left out.
    length: usize,
    total: Option<usize>,
    is_last: Option<bool>,
}

impl<T> Page<T> {
    fn new<R>(raw: RawPage<R>, use_item: impl Fn(R) -> Option<T>) -> Self {
        let length = raw.values.len();
        let items = raw.values.into_iter().filter_map(use_item).collect();
        Self { items, length, total: raw.total, is_last: raw.is_last }
    }
}

fn read_issue_types(body: &Bytes) -> Result<Page<IssueType>, JiraError> {
    let raw: RawPage<RawIssueType> = parse(body, "the issue types")?;
    Ok(Page::new(raw, |raw| {
        let name = one_line(&raw.name, MAX_NAME_LENGTH);
        let guess = if name.eq_ignore_ascii_case("epic") { 1 } else { 0 };
        let hierarchy_level = raw.hierarchy_level.unwrap_or(guess);
        let is_usable = is_id(&raw.id) && !raw.subtask && hierarchy_level >= 0;
        is_usable.then_some(IssueType { id: raw.id, name, hierarchy_level })
    }))
}

fn read_required_fields(body: &Bytes) -> Result<Page<RequiredField>, JiraError> {
    let raw: RawPage<RawField<'_>> = parse(body, "the fields")?;
    Ok(Page::new(raw, |raw| {
        let is_asked_for = raw.required && !raw.has_default_value && !FILLED.contains(&raw.id.as_ref());
        let field = RequiredField {
            id: one_line(&raw.id, MAX_ID_LENGTH),
            name: one_line(&raw.name, MAX_NAME_LENGTH),
        };
        is_asked_for.then_some(field)
    }))
}

/// Whether this can be Jira's id of something, so that it may stand in an address.
pub(super) fn is_id(text: &str) -> bool {
    (1..=MAX_ID_LENGTH).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
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
            let page =
                read_issue_types(&Bytes::copy_from_slice(body)).unwrap_or_else(|error| panic!("{error}"));
            let types: Vec<_> =
                page.items.iter().map(|kind| (kind.name.as_str(), kind.hierarchy_level)).collect();
            assert_eq!((types.as_slice(), page.length), ([("Epic", 1), ("Story", 0)].as_slice(), 3));
        }
    }

    #[test]
    fn only_fields_that_somebody_must_fill_are_required() {
        let body = br#"{"fields":[
            {"fieldId":"summary","key":"summary","name":"Summary","required":true,"hasDefaultValue":false},
            {"fieldId":"priority","key":"priority","name":"Priority","required":true,"hasDefaultValue":true},
            {"fieldId":"labels","key":"labels","name":"Labels","required":false},
            {"fieldId":"customfield_1","key":"customfield_1","name":"Seve\nrity","required":true}]}"#;
        let page = read_required_fields(&Bytes::from_static(body)).unwrap_or_else(|error| panic!("{error}"));
        let expected = RequiredField { id: "customfield_1".to_owned(), name: "Seve rity".to_owned() };
        assert_eq!(page.items, [expected]);
    }
}
