//! Whether a token covers each kind of request that MARO makes. Nothing is changed: what would change something names
//! no issue that can exist, or says nothing.

use futures_util::{StreamExt as _, stream};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::{
    client::JiraClient,
    connection::request::{JiraRequest, RequestKind},
    connection::site::JiraSite,
    error::JiraError,
};

/// How many requests are open at a time.
const CONCURRENCY: usize = 4;

/// A kind of request that a token doesn't cover.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissingScope {
    /// The scope that is missing.
    pub scope: &'static str,
    /// What it is for, after "to".
    pub purposes: Vec<&'static str>,
}

/// Issues are numbered from 1.
const NO_ISSUE: &str = "MARO-0";

/// So are boards.
const NO_BOARD: &str = "0";

impl JiraClient {
    /// Tries each kind of request that MARO makes, and changes nothing: the scopes that the token of a Cloud account
    /// lacks, with what each is for. In Data Center tokens have none.
    ///
    /// # Errors
    /// Any [`JiraError`] by which nothing can be said, such as that Jira can't be reached or refuses the token.
    pub async fn get_missing_scopes(&self, deadline: Instant) -> Result<Vec<MissingScope>, JiraError> {
        if self.site.is_cloud() { get_missing_scopes(&self.site, deadline).await } else { Ok(Vec::new()) }
    }
}

async fn get_missing_scopes(site: &JiraSite, deadline: Instant) -> Result<Vec<MissingScope>, JiraError> {
    let trials: Vec<_> = trials(site)
        .into_iter()
        .map(|(purpose, request)| async move { (purpose, site.ask(&request, deadline).await) })
        .collect();
    let answers: Vec<_> = stream::iter(trials).buffered(CONCURRENCY).collect().await;
    let mut missing: Vec<MissingScope> = Vec::new();
    let mut unanswered = None;
    for (purpose, answer) in answers {
        match answer {
            Err(JiraError::MissingScope { scope }) => {
                match missing.iter_mut().find(|known| known.scope == scope) {
                    Some(known) => known.purposes.push(purpose),
                    None => missing.push(MissingScope { scope, purposes: vec![purpose] }),
                }
            }
            Err(error @ (JiraError::Unauthorized | JiraError::TimedOut | JiraError::Unreachable { .. })) => {
                unanswered.get_or_insert(error);
            }
            // Whatever else Jira says, it has let the request in.
            Ok(_) | Err(_) => {}
        }
    }
    // What is known to be missing is worth more than that something else couldn't be asked.
    match unanswered {
        Some(error) if missing.is_empty() => Err(error),
        _ => Ok(missing),
    }
}

fn trials(site: &JiraSite) -> Vec<(&'static str, JiraRequest)> {
    let get = |purpose, kind, segments: &[&str], query: &[(&str, &str)]| {
        let mut url = site.url(segments);
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        (purpose, JiraRequest::get(kind, url))
    };
    let post = |purpose, kind, segments: &[&str], body: Value| {
        (purpose, JiraRequest::post(kind, site.url(segments), &body))
    };
    let agile = |kind, segments: &[&str]| {
        ("offer sprints in forms", JiraRequest::get(kind, site.agile_url(segments)))
    };
    let issue = json!({ "issueIdsOrKeys": [NO_ISSUE], "fields": ["summary"] });
    let search = json!({ "jql": "created >= -1d", "maxResults": 1, "fields": ["summary"] });
    let link = json!({ "object": {} });
    vec![
        get("know its own name", RequestKind::GetAccount, &["myself"], &[]),
        post("read issues", RequestKind::GetIssues, &["issue", "bulkfetch"], issue),
        post("search for issues", RequestKind::SearchIssues, &["search", "jql"], search),
        get(
            "offer projects in forms",
            RequestKind::SearchProjects,
            &["project", "search"],
            &[("maxResults", "1")],
        ),
        get(
            "check its permissions",
            RequestKind::GetPermissions,
            &["mypermissions"],
            &[("permissions", "BROWSE_PROJECTS")],
        ),
        get(
            "find people to assign issues to",
            RequestKind::FindAssignable,
            &["user", "assignable", "search"],
            &[("issueKey", NO_ISSUE), ("maxResults", "1")],
        ),
        post("create issues", RequestKind::CreateIssue, &["issue"], json!({ "fields": {} })),
        post("comment on issues", RequestKind::AddComment, &["issue", NO_ISSUE, "comment"], json!({})),
        post("link issues to Slack", RequestKind::AddRemoteLink, &["issue", NO_ISSUE, "remotelink"], link),
        post(
            "take transitions of issues",
            RequestKind::TakeTransition,
            &["issue", NO_ISSUE, "transitions"],
            json!({}),
        ),
        (
            "assign issues",
            JiraRequest::put(
                RequestKind::AssignIssue,
                site.url(&["issue", NO_ISSUE, "assignee"]),
                &json!({ "accountId": null }),
            ),
        ),
        agile(RequestKind::GetBoards, &["board"]),
        agile(RequestKind::GetSprints, &["board", NO_BOARD, "sprint"]),
    ]
}
