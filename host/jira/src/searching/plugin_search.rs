//! Searches with JQL that a plugin wrote.

use bytes::Bytes;
use serde::{Deserialize, de::IgnoredAny};
use serde_json::Value;
use tokio::time::Instant;

use crate::{
    accounts::people::{MAX_NAME_LENGTH, RawPerson},
    connection::request::RequestKind,
    connection::site::JiraSite,
    connection::transport::Answer,
    error::JiraError,
    searching::outside_projects,
    searching::project_limits::{Unbalanced, scoped},
    searching::similar::{SearchRequest, search_request},
    wire::{
        issue::{Named, RawIssue, parse_time, status_id},
        page::SearchPage,
        parse::{identify, parse},
        refusal,
    },
};
use maro_domain::{
    issue::{Issue, IssueKey, StatusCategory, one_line},
    issue_details::IssueDetails,
};

pub(crate) const FIELDS: [&str; 6] = ["summary", "status", "issuetype", "assignee", "updated", "security"];

/// The longest page token of Jira Cloud that is passed on, in bytes.
const MAX_TOKEN_LENGTH: usize = 4_096;

/// Starts a page token for Data Center, which has none of its own. The position follows.
const PLACE: &str = "from-";

/// The furthest position among the results that Data Center is asked for.
const MAX_PLACE: usize = 1_000_000;

/// How often a query is asked again without what Jira doesn't know outside its projects. Jira names all that
/// is wrong at once, but not always.
const MAX_DECISIONS: usize = 4;

#[derive(Debug, Clone, Copy)]
pub struct Search<'a> {
    pub jql: &'a str,
    /// The keys of the projects to search; `None` for all that the account can see.
    pub projects: Option<&'a [String]>,
    /// If somebody may not see all that the account finds: those of [`named_issues`] that they may not see. To them,
    /// what the query names and they don't see looks the same whether it exists or not.
    pub hidden: Option<&'a [IssueKey]>,
    /// From 1 to 100.
    pub limit: u32,
    /// [`FoundPage::next`] of the previous page.
    pub after: Option<&'a str>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundPage {
    pub issues: Vec<IssueDetails>,
    /// For [`Search::after`], if there are more results.
    pub next: Option<String>,
}

/// Why a search has no result.
#[derive(Debug, thiserror::Error)]
pub enum SearchError {
    /// Jira rejected the query, for this reason in its own words, one bounded line.
    #[error("Jira rejected the query")]
    Refused { reason: String },
    /// The query can't safely be restricted to projects.
    #[error("the query can't be restricted to projects")]
    Unbalanced,
    /// [`Search::after`] isn't a token from an earlier page.
    #[error("there is no such page")]
    NoSuchPage,
    #[error(transparent)]
    Jira(#[from] JiraError),
}

pub(crate) type RawFound = RawIssue<DetailFields>;

#[derive(Deserialize)]
pub(crate) struct DetailFields {
    summary: String,
    status: RawStatus,
    issuetype: Option<Named>,
    assignee: Option<RawPerson>,
    updated: Option<String>,
    security: Option<IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawStatus {
    name: String,
    id: Option<Value>,
    status_category: Option<RawCategory>,
}

#[derive(Deserialize)]
struct RawCategory {
    key: String,
}

/// The issues that a query names outside its search for text, each once.
///
/// # Errors
/// [`SearchError::Unbalanced`]: nobody knows how Jira would read the query.
pub fn named_issues(jql: &str) -> Result<Vec<IssueKey>, SearchError> {
    Ok(outside_projects::named_issues(jql)?)
}

pub(crate) async fn find_issues(
    site: &JiraSite,
    search: Search<'_>,
    deadline: Instant,
) -> Result<FoundPage, SearchError> {
    if search.projects.is_none() && search.hidden.is_none() {
        return page(site, search.jql, search, deadline).await?.map_err(|refused| refused.error());
    }
    if search.projects.is_some_and(<[String]>::is_empty) {
        return Ok(FoundPage { issues: Vec::new(), next: None });
    }
    let mut jql = search.jql.to_owned();
    if let Some(decided) =
        outside_projects::without(&jql, search.hidden.unwrap_or_default(), search.projects)?
    {
        jql = decided;
    }
    let mut decisions = 0;
    let mut found = loop {
        let narrowed = search.projects.map(|projects| scoped(&jql, projects)).transpose()?;
        let refused = match page(site, narrowed.as_deref().unwrap_or(&jql), search, deadline).await? {
            Ok(found) => break found,
            Err(refused) => refused,
        };
        // What is outside looks the same whether it exists or not. To whom something is hidden, all may be outside.
        let inside = search.projects.filter(|_| search.hidden.is_none()).unwrap_or_default();
        match outside_projects::decided(&jql, inside, &String::from_utf8_lossy(&refused.body))? {
            Some(decided) if decisions < MAX_DECISIONS => jql = decided,
            Some(_) => return Ok(FoundPage { issues: Vec::new(), next: None }),
            None => return Err(refused.error()),
        }
        decisions += 1;
    };
    if let Some(projects) = search.projects {
        found.issues.retain(|issue| projects.iter().any(|key| key == issue.issue.key.project_key()));
    }
    Ok(found)
}

/// Jira rejected a query.
struct RefusedQuery {
    status: u16,
    body: Bytes,
}

impl RefusedQuery {
    fn error(&self) -> SearchError {
        match refusal::reason(&self.body) {
            Some(reason) => SearchError::Refused { reason },
            None => JiraError::invalid(format!("status {}", self.status)).into(),
        }
    }
}

/// Asks for the page of `search` with another query.
async fn page(
    site: &JiraSite,
    jql: &str,
    search: Search<'_>,
    deadline: Instant,
) -> Result<Result<FoundPage, RefusedQuery>, SearchError> {
    let is_cloud = site.is_cloud();
    let start = match search.after {
        Some(place) if !is_cloud => place_of(place)?,
        Some(token) if token.len() > MAX_TOKEN_LENGTH => return Err(SearchError::NoSuchPage),
        _ => 0,
    };
    let request = SearchRequest {
        jql,
        fields: &FIELDS,
        max_results: search.limit,
        properties: None,
        next_page_token: search.after.filter(|_| is_cloud),
        start_at: (!is_cloud).then_some(start),
    };
    let request = search_request(site, RequestKind::SearchIssues, &request);
    let page = match site.ask(&request, deadline).await? {
        Answer::Refused(status, body) => return Ok(Err(RefusedQuery { status, body })),
        answer => parse::<SearchPage<RawFound>>(&answer.found()?, "the search results")?,
    };
    let next_start = page.next_start(start);
    let next = page.next_page_token.or_else(|| next_start.map(|start| format!("{PLACE}{start}")));
    let issues = page.issues.into_iter().map(IssueDetails::try_from).collect::<Result<Vec<_>, _>>()?;
    Ok(Ok(FoundPage { issues, next }))
}

impl From<Unbalanced> for SearchError {
    fn from(_: Unbalanced) -> Self {
        Self::Unbalanced
    }
}

fn place_of(token: &str) -> Result<usize, SearchError> {
    let place = token.strip_prefix(PLACE).and_then(|place| place.parse().ok());
    place.filter(|place| *place <= MAX_PLACE).ok_or(SearchError::NoSuchPage)
}

impl TryFrom<RawFound> for IssueDetails {
    type Error = JiraError;

    fn try_from(raw: RawFound) -> Result<Self, JiraError> {
        let (id, key) = identify(&raw.id, &raw.key)?;
        let DetailFields { summary, status, issuetype, assignee, updated, security } = raw.fields;
        let issue = Issue::new(id, key, &summary, &status.name);
        let category = status.status_category.map(|category| category.key).unwrap_or_default();
        let status_category = StatusCategory::from_key(&category);
        let status_id = status.id.and_then(|id| status_id(&id.to_string()));
        let updated_at = updated.as_deref().and_then(parse_time);
        Ok(Self {
            issue: Issue {
                status_id,
                status_category,
                has_security_level: security.is_some(),
                updated_at,
                ..issue
            },
            issue_type: issuetype.map(|kind| one_line(&kind.name, MAX_NAME_LENGTH)).unwrap_or_default(),
            assignee: assignee.and_then(RawPerson::person),
            updated_at,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_one_that_a_page_may_have_said() {
        assert_eq!(place_of("from-100").ok(), Some(100));
        for bad in ["", "100", "from-", "from--1", "from-1000001", "from-99999999999999999999999"] {
            assert!(place_of(bad).is_err(), "{bad}");
        }
    }
}
