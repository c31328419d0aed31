//! The fields of issues of which channels may be told: the assignee, the priority and the sprint.

use serde_json::Value;
use tokio::time::Instant;

use crate::{
    accounts::people::MAX_NAME_LENGTH, client::JiraClient, creating::epic_fields, error::JiraError,
    reading::chosen_fields::full,
};
use maro_domain::issue::{Issue, IssueKey, one_line};

/// What a field says, and the id of that, which stays when it gets another name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Named {
    pub id: Option<String>,
    /// One line of at most 100 characters.
    pub name: String,
}

/// What Jira shows of an issue. What isn't set is empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WatchedFields {
    pub issue: Issue,
    pub assignee: Named,
    pub priority: Named,
    /// The sprint that it's in and that isn't over.
    pub sprint: Named,
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
            // An issue is in one of those at most.
            let sprint = open.into_iter().next_back().map(Sprint::named).unwrap_or_default();
            let past_sprints = past.into_iter().map(|sprint| sprint.named().name).collect();
            let priority_id = raw.fields.get("priority").and_then(|priority| id_of(&priority["id"]));
            let full = full(raw, &names[..1])?;
            let priority = full.fields.into_iter().next().unwrap_or_default();
            let assignee =
                full.details.assignee.map(|person| Named { id: Some(person.id), name: person.name });
            let assignee = assignee.unwrap_or_default();
            let issue = full.details.issue;
            let priority = Named { id: priority_id, name: one_line(&priority, MAX_NAME_LENGTH) };
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

/// A sprint as an issue has it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Sprint<'a> {
    id: Option<String>,
    name: &'a str,
    state: &'a str,
}

impl<'a> Sprint<'a> {
    /// `None` if it has no name.
    fn read(sprint: &'a Value) -> Option<Self> {
        if let Value::String(text) = sprint {
            return Some(Self::written(text));
        }
        let state = sprint["state"].as_str().unwrap_or_default();
        Some(Self { id: id_of(&sprint["id"]), name: sprint["name"].as_str()?, state })
    }

    /// `com.atlassian.greenhopper.service.sprint.Sprint@1[id=1,state=ACTIVE,name=Sprint 1,goal=]`
    fn written(text: &'a str) -> Self {
        let Some((before, rest)) = text.split_once("name=") else {
            return Self { id: None, name: text, state: "" };
        };
        let ends = AFTER_NAME.iter().filter_map(|part| rest.find(&format!(",{part}=")));
        let end = ends.min().or_else(|| rest.rfind(']')).unwrap_or(rest.len());
        let part = |start: &str| {
            let (_, part) = text.split_once(start)?;
            part.split([',', ']']).next()
        };
        // A name may have all of these.
        let id = before.split_once("[id=").and_then(|(_, id)| id.split(',').next()).map(str::to_owned);
        Self { id, name: &rest[..end], state: part("state=").unwrap_or_default() }
    }

    fn named(self) -> Named {
        Named { id: self.id, name: one_line(self.name, MAX_NAME_LENGTH) }
    }
}

/// An id as a text or a number.
fn id_of(id: &Value) -> Option<String> {
    match id {
        Value::String(id) => Some(id.clone()),
        Value::Number(id) => Some(id.to_string()),
        _ => None,
    }
}

/// The sprints that aren't over, and those that are.
fn sprints_of(field: &Value) -> (Vec<Sprint<'_>>, Vec<Sprint<'_>>) {
    let sprints = field.as_array().map_or(std::slice::from_ref(field), Vec::as_slice);
    let (past, open) = sprints
        .iter()
        .filter_map(Sprint::read)
        .partition(|sprint| sprint.state.eq_ignore_ascii_case("closed"));
    (open, past)
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
            assert_eq!(sprints_of(&field).0.last().map(|sprint| sprint.name), expected, "{field}");
        }
    }

    #[test]
    fn a_sprint_has_its_id_in_either_edition() {
        let id = |field: serde_json::Value| sprints_of(&field).0[0].id.clone();
        assert_eq!(id(json!([{ "id": 12, "name": "Sprint 1" }])).as_deref(), Some("12"));
        assert_eq!(id(json!(["S@a1[id=7,rapidViewId=1,state=ACTIVE,name=[id=8, x]]"])).as_deref(), Some("7"));
        assert_eq!(id(json!(["x[name=Harbor 8]"])), None);
    }
}
