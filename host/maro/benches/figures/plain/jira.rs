//! Jira as a server without ambition asks it: one request for each key, all at once.

use futures_util::future::join_all;
use maro_domain::issue::{Issue, IssueId, IssueKey};
use maro_process::http::client::{self, ClientOptions, Trust};
use maro_simulation::jira::credentials::{API_TOKEN, EMAIL};
use serde_json::Value;
use url::Url;

pub(super) struct Jira {
    http: reqwest::Client,
    issues: Url,
}

impl Jira {
    pub(super) fn new(site: &Url) -> Self {
        let http = client::build(&ClientOptions::new(Trust::for_url(site))).unwrap();
        Self { http, issues: site.join("rest/api/3/issue/").unwrap() }
    }

    /// The issues with these keys, which must exist.
    pub(super) async fn issues(&self, keys: &[IssueKey]) -> Vec<Issue> {
        join_all(keys.iter().map(|key| self.issue(key))).await
    }

    async fn issue(&self, key: &IssueKey) -> Issue {
        let mut url = self.issues.join(key.as_str()).unwrap();
        url.set_query(Some("fields=summary,status"));
        let request = self.http.get(url).basic_auth(EMAIL, Some(API_TOKEN));
        let answer = request.send().await.unwrap().error_for_status().unwrap().bytes().await.unwrap();
        let issue: Value = serde_json::from_slice(&answer).unwrap();
        let text = |path: &str| issue.pointer(path).and_then(Value::as_str).unwrap();
        let key = IssueKey::parse(text("/key")).unwrap();
        Issue::new(IssueId::new(text("/id")), key, text("/fields/summary"), text("/fields/status/name"))
    }
}
