//! Reports of people's changes, as the simulated site's webhooks send them.

use serde_json::{Value, json};

use crate::jira::{
    api::shapes::{self, Api, Links},
    data::{
        accounts::{self, PEOPLE},
        history::{self, Before},
        issue::SimulatedIssue,
    },
    state::SiteState,
};
use maro_domain::issue::IssueKey;

/// Who does what people do on the site.
const SOMEBODY: &str = PEOPLE[1];

impl SiteState {
    /// Reports the current state of an issue, if it exists.
    pub(crate) fn report_update(&self, key: &IssueKey) {
        let links = Links { site: &self.base_url, api: Api::Cloud };
        let report = |issue: &SimulatedIssue| {
            let mut report = json!({ "issue": shapes::issue(issue, &["*all".to_owned()], links) });
            if let Some((before, after)) = issue.last_change() {
                let name = SOMEBODY;
                report["user"] = json!({ "accountId": accounts::id(name), "displayName": name });
                report["changelog"] = changelog(before, &after);
                if after.comments > before.comments {
                    report["comment"] = json!({ "author": { "displayName": name } });
                }
            }
            report
        };
        let report = self.site().find(key.as_str()).map(report);
        if let Some(report) = report {
            self.report("jira:issue_updated", report);
        }
    }

    pub(crate) fn report_deletion(&self, id: u64, key: &IssueKey) {
        let issue = json!({ "id": id.to_string(), "key": key.as_str() });
        self.report("jira:issue_deleted", json!({ "issue": issue }));
    }

    fn report(&self, event: &str, mut body: Value) {
        let webhooks = self.webhooks().clone();
        let Some(webhooks) = webhooks else { return };
        let timestamp = self.site().now().as_millisecond();
        (body["timestamp"], body["webhookEvent"]) = (json!(timestamp), json!(event));
        if webhooks.try_send(body).is_err() {
            tracing::warn!("lost a webhook of the simulated Jira: too many are waiting");
        }
    }
}

/// What changed, as webhooks say it.
fn changelog(before: &Before, after: &Before) -> Value {
    let text = |text: &str| if text.is_empty() { Value::Null } else { json!(text) };
    let items = history::fields(before, after).map(|(field, from, to)| {
        let field = if field == "sprint" { "Sprint" } else { field };
        json!({ "field": field, "fieldtype": "jira", "from": null, "fromString": text(from),
            "to": null, "toString": text(to) })
    });
    json!({ "id": "10900", "items": items.collect::<Vec<_>>() })
}
