//! The fields of issues of which channels may be told: the assignee, the priority and the sprint.

use serde_json::Value;
use tokio::time::Instant;

use crate::{
    accounts::people::MAX_NAME_LENGTH, client::JiraClient, creating::epic_fields, error::JiraError,
    reading::chosen_fields::full,
};
use maro_domain::issue::{Issue, IssueKey, one_line};

/// What Jira shows of an issue. What isn't set is empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WatchedFields {
    pub issue: Issue,
    pub assignee: String,
    pub priority: String,
    /// The sprint that it's in and that isn't over.
    pub sprint: String,
    /// Those that are over.
    pub past_sprints: Vec<String>,
}

impl JiraClient {
    /// Reads issues by their keys. What Jira doesn't show isn't in the answer.
    ///
    /// # Errors
    /// Any [`JiraError`], for all keys together.
    pub async fn watched_fields(
        &self,
        keys: &[IssueKey],
        deadline: Instant,
    ) -> Result<Vec<(IssueKey, WatchedFields)>, JiraError> {
        let mut names = vec!["priority".to_owned()];
        let sprint = epic_fields::get_sprint_field(&self.site, deadline).await?;
        names.extend(sprint.clone());
        let keys: Vec<&str> = keys.iter().map(IssueKey::as_str).collect();
        let found = self.read_raw(&keys, &names, deadline).await?.into_iter().map(|raw| {
            let sprints = sprint.as_ref().and_then(|field| raw.fields.get(field));
            let (open, past) = sprints.map(sprints_of).unwrap_or_default();
            let name = |name: &str| one_line(name, MAX_NAME_LENGTH);
            // An issue is in one of those at most.
            let sprint = open.last().copied().map(name).unwrap_or_default();
            let past_sprints = past.into_iter().map(name).collect();
            let full = full(raw, &names[..1])?;
            let priority = full.fields.into_iter().next().unwrap_or_default();
            let assignee = full.details.assignee.map(|person| person.name).unwrap_or_default();
            let issue = full.details.issue;
            let priority = one_line(&priority, MAX_NAME_LENGTH);
            Ok((issue.key.clone(), WatchedFields { issue, assignee, priority, sprint, past_sprints }))
        });
        found.collect()
    }
}

/// The parts of a sprint as older Data Centers write it that may follow its name, which may have commas itself.
const AFTER_NAME: [&str; 11] = [
    "startDate",
    "endDate",
    "completeDate",
    "activatedDate",
    "sequence",
    "goal",
    "autoStartStop",
    "synced",
    "state",
    "rapidViewId",
    "id",
];

/// The names of sprints that aren't over, and of those that are.
fn sprints_of(field: &Value) -> (Vec<&str>, Vec<&str>) {
    let sprints = field.as_array().map_or(std::slice::from_ref(field), Vec::as_slice);
    let named = sprints.iter().filter_map(|sprint| match sprint {
        Value::String(text) => Some(written_sprint(text)),
        sprint => Some((sprint["name"].as_str()?, sprint["state"].as_str().unwrap_or_default())),
    });
    let (past, open): (Vec<_>, Vec<_>) = named.partition(|(_, state)| state.eq_ignore_ascii_case("closed"));
    let names = |sprints: Vec<(_, _)>| sprints.into_iter().map(|(name, _)| name).collect();
    (names(open), names(past))
}

/// Name and state of `com.atlassian.greenhopper.service.sprint.Sprint@1[id=1,state=ACTIVE,name=Sprint 1,goal=]`.
fn written_sprint(text: &str) -> (&str, &str) {
    let Some((_, rest)) = text.split_once("name=") else { return (text, "") };
    let ends = AFTER_NAME.iter().filter_map(|part| rest.find(&format!(",{part}=")));
    let end = ends.min().or_else(|| rest.rfind(']')).unwrap_or(rest.len());
    let state = text.split_once("state=").map_or("", |(_, rest)| rest);
    (&rest[..end], state.split([',', ']']).next().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_sprint_that_is_not_over_counts_in_either_edition() {
        let sprint = |name: &str, state: &str| json!({ "id": 1, "name": name, "state": state });
        let old = |name: &str, state: &str| {
            let start = "com.atlassian.greenhopper.service.sprint.Sprint@a1";
            json!(format!("{start}[id=7,rapidViewId=1,state={state},name={name},startDate=2026-01-02,goal=]"))
        };
        for (field, expected) in [
            (json!([sprint("Sprint 11", "closed"), sprint("Sprint 12", "active")]), Some("Sprint 12")),
            (json!([sprint("Sprint 12", "active"), sprint("Sprint 11", "closed")]), Some("Sprint 12")),
            (json!([sprint("Sprint 11", "closed")]), None),
            (json!([sprint("Sprint 13, the last", "future")]), Some("Sprint 13, the last")),
            (json!([old("Harbor 6", "CLOSED"), old("Harbor 7, north", "ACTIVE")]), Some("Harbor 7, north")),
            (json!([old("Harbor 6", "CLOSED")]), None),
            (json!(["x[name=Harbor 8]"]), Some("Harbor 8")),
            (json!([{ "name": "Sprint 1" }]), Some("Sprint 1")),
            (json!([]), None),
            (json!(null), None),
        ] {
            assert_eq!(sprints_of(&field).0.last().copied(), expected, "{field}");
        }
    }
}
