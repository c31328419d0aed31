//! Reports of people's changes, as the simulated site's webhooks send them.

use serde_json::{Value, json};

use crate::jira::{
    shapes::{self, Api, Links},
    state::SiteState,
};
use maro_domain::issue::IssueKey;

impl SiteState {
    /// Reports the current state of an issue, if it exists.
    pub(super) fn report_update(&self, key: &IssueKey) {
        let links = Links { site: &self.base_url, api: Api::Cloud };
        let issue =
            self.site().find(key.as_str()).map(|issue| shapes::issue(issue, &["*all".to_owned()], links));
        if let Some(issue) = issue {
            self.report("jira:issue_updated", issue);
        }
    }

    pub(super) fn report_deletion(&self, id: u64, key: &IssueKey) {
        self.report("jira:issue_deleted", json!({ "id": id.to_string(), "key": key.as_str() }));
    }

    fn report(&self, event: &str, issue: Value) {
        let webhooks = self.webhooks().clone();
        let Some(webhooks) = webhooks else { return };
        let timestamp = self.site().now().as_millisecond();
        let body = json!({ "timestamp": timestamp, "webhookEvent": event, "issue": issue });
        if webhooks.try_send(body).is_err() {
            tracing::warn!("lost a webhook of the simulated Jira: too many are waiting");
        }
    }
}
