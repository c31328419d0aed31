//! The JSON of the simulated site, in Jira's own shape.

use jiff::Timestamp;
use serde_json::{Map, Value, json};
use url::Url;

use crate::jira::{
    credentials::EMAIL,
    data::{
        accounts,
        epic_fields::{EPIC_LINK, EPIC_NAME, SPRINT},
        issue::{IssueType, PRIORITIES, SimulatedIssue},
        project::SimulatedProject,
        seed::PROJECT,
        workflow,
    },
};
use maro_domain::issue::IssueKey;

/// The edition of the REST API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Api {
    /// Version 3, Jira Cloud.
    Cloud,
    /// Version 2, Jira Data Center.
    DataCenter,
}

impl Api {
    fn version(self) -> u8 {
        match self {
            Self::Cloud => 3,
            Self::DataCenter => 2,
        }
    }

    /// The API that a path belongs to.
    pub(crate) fn of_path(path: &str) -> Option<Self> {
        [Self::Cloud, Self::DataCenter]
            .into_iter()
            .find(|api| path.starts_with(&format!("/rest/api/{}/", api.version())))
    }

    /// Whether a path belongs to Jira Software's own API, which has one version in both editions.
    pub(crate) fn is_agile(path: &str) -> bool {
        path.starts_with("/rest/agile/1.0/")
    }
}

/// The addresses used in answers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Links<'a> {
    pub(crate) site: &'a Url,
    pub(crate) api: Api,
}

impl Links<'_> {
    pub(crate) fn api(self, path: &str) -> String {
        format!("{}rest/api/{}/{path}", self.site, self.api.version())
    }

    fn site(self, path: &str) -> String {
        format!("{}{path}", self.site)
    }
}

/// An issue with the requested fields. As in Jira, unknown names are left out.
pub(crate) fn issue(issue: &SimulatedIssue, fields: &[String], links: Links<'_>) -> Value {
    let mut values = Map::new();
    let mut all = all_fields(issue, links);
    for field in fields {
        match field.as_str() {
            "*all" | "*navigable" => values.extend(all.clone()),
            excluded if excluded.starts_with('-') => {
                values.remove(&excluded[1..]);
            }
            name => values.extend(all.remove_entry(name)),
        }
    }
    json!({
        "expand": "renderedFields,names,schema,operations,editmeta,changelog,versionedRepresentations",
        "id": issue.id.to_string(),
        "self": links.api(&format!("issue/{}", issue.id)),
        "key": issue.key.as_str(),
        "fields": values,
    })
}

/// As [`issue`], with the requested properties.
pub(crate) fn found_issue(
    found: &SimulatedIssue,
    fields: &[String],
    properties: &[String],
    links: Links<'_>,
) -> Value {
    let mut value = issue(found, fields, links);
    if !properties.is_empty() {
        let asked = found.properties.iter().filter(|(key, _)| properties.contains(key));
        value["properties"] = asked.map(|(key, value)| (key.clone(), value.clone())).collect();
    }
    value
}

/// An issue's transitions, as `expand=transitions` shows them.
pub(crate) fn transitions(issue: &SimulatedIssue, links: Links<'_>) -> Value {
    let shape = |step: &workflow::Step| {
        json!({
            "id": step.id,
            "name": step.name,
            "to": status(step.to, links),
            "hasScreen": false,
            "isGlobal": false,
            "isInitial": false,
            "isAvailable": true,
            "isConditional": false,
            "looped": false,
        })
    };
    workflow::steps(&issue.status).iter().map(shape).collect()
}

pub(crate) fn created(issue: &SimulatedIssue, links: Links<'_>) -> Value {
    json!({
        "id": issue.id.to_string(),
        "key": issue.key.as_str(),
        "self": links.api(&format!("issue/{}", issue.id)),
    })
}

pub(crate) fn bulk_issues(issues: Vec<Value>) -> Value {
    json!({ "issueErrors": [], "issues": issues })
}

pub(crate) fn errors(message: &str) -> Value {
    json!({ "errorMessages": [message], "errors": {} })
}

/// The bot's own account, and its id on Cloud.
const OWN_NAME: &str = "MARO";
const OWN_ID: &str = "5b10a2844c20165700ede21g";

pub(crate) fn account(links: Links<'_>) -> Value {
    let (identity, query) = match links.api {
        Api::Cloud => {
            let id = OWN_ID;
            (json!({ "accountId": id, "accountType": "atlassian" }), format!("user?accountId={id}"))
        }
        Api::DataCenter => {
            (json!({ "key": "JIRAUSER10100", "name": "maro" }), "user?username=maro".to_owned())
        }
    };
    let mut account = json!({
        "self": links.api(&query),
        "emailAddress": EMAIL,
        "avatarUrls": avatars(links),
        "displayName": OWN_NAME,
        "active": true,
        "timeZone": "Etc/UTC",
        "locale": "en_US",
        "groups": { "size": 1, "items": [] },
        "applicationRoles": { "size": 1, "items": [] },
        "expand": "groups,applicationRoles",
    });
    if let (Some(account), Value::Object(identity)) = (account.as_object_mut(), identity) {
        account.extend(identity);
    }
    account
}

fn all_fields(issue: &SimulatedIssue, links: Links<'_>) -> Map<String, Value> {
    let project_key = issue.key.as_str().split('-').next().unwrap_or(PROJECT);
    let mut fields = vec![
        ("summary", json!(issue.summary)),
        ("status", status(&issue.status, links)),
        ("issuetype", issue_type(issue.issue_type, &issue.type_id, links)),
        ("project", project_of_issue(project_key, links)),
        ("assignee", issue.assignee.map_or(Value::Null, |name| person(name, links))),
        ("priority", json!({ "id": priority_id(issue.priority), "name": issue.priority })),
        (
            SPRINT,
            issue.sprint.map_or(Value::Null, |name| json!([{ "id": 1, "name": name, "state": "active" }])),
        ),
        ("description", issue.description.clone().unwrap_or_default()),
        ("created", time(issue.created)),
        ("updated", time(issue.updated)),
        (
            "security",
            issue
                .security_level
                .map_or(Value::Null, |name| json!({ "id": "10021", "name": name, "description": "" })),
        ),
    ];
    match links.api {
        Api::Cloud => {
            let parent = issue.parent.as_ref().map(|key| ("parent", json!({ "key": key.as_str() })));
            fields.extend(parent);
        }
        Api::DataCenter => {
            let epic = issue.parent.as_ref().map(IssueKey::as_str);
            let name = (issue.issue_type == IssueType::Epic).then_some(&issue.summary);
            fields.extend([(EPIC_LINK, json!(epic)), (EPIC_NAME, json!(name))]);
        }
    }
    fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

pub(crate) fn time(time: Timestamp) -> Value {
    json!(time.strftime("%Y-%m-%dT%H:%M:%S.000+0000").to_string())
}

pub(crate) fn person(name: &str, links: Links<'_>) -> Value {
    let id = match (links.api, name) {
        (Api::Cloud, OWN_NAME) => OWN_ID.to_owned(),
        _ => accounts::id(name),
    };
    let mut person = json!({
        "self": links.api(&format!("user?accountId={id}")),
        "displayName": name,
        "active": true,
        "timeZone": "Etc/UTC",
        "avatarUrls": avatars(links),
    });
    match links.api {
        Api::Cloud => {
            person["accountId"] = json!(id);
            person["accountType"] = json!("atlassian");
        }
        Api::DataCenter => person["name"] = json!(id),
    }
    person
}

fn status(name: &str, links: Links<'_>) -> Value {
    let other = other_status_id(name);
    let (id, category_id, category, category_name, color) = match name {
        "Done" => ("10003", 3, "done", "Done", "green"),
        "In Progress" => ("3", 4, "indeterminate", "In Progress", "yellow"),
        "In Review" => ("10002", 4, "indeterminate", "In Progress", "yellow"),
        "Open" => ("1", 2, "new", "To Do", "blue-gray"),
        _ => (other.as_str(), 2, "new", "To Do", "blue-gray"),
    };
    json!({
        "self": links.api(&format!("status/{id}")),
        "description": "",
        "iconUrl": links.site("images/icons/statuses/generic.png"),
        "name": name,
        "id": id,
        "statusCategory": {
            "self": links.api(&format!("statuscategory/{category_id}")),
            "id": category_id,
            "key": category,
            "colorName": color,
            "name": category_name,
        },
    })
}

/// The ids are those of the screens.
fn priority_id(name: &str) -> String {
    let place = PRIORITIES.iter().position(|priority| *priority == name);
    (1 + place.unwrap_or(PRIORITIES.len())).to_string()
}

/// The id of a status that no site has from the start: another for each name.
fn other_status_id(name: &str) -> String {
    let number = name.bytes().fold(0_u32, |number, byte| number.wrapping_mul(31).wrapping_add(byte.into()));
    (20_000 + number % 1_000_000).to_string()
}

/// Only Cloud includes the hierarchy level.
pub(crate) fn issue_type(kind: IssueType, id: &str, links: Links<'_>) -> Value {
    let mut value = json!({
        "self": links.api(&format!("issuetype/{id}")),
        "id": id,
        "description": "",
        "iconUrl": links.site("images/icons/issuetypes/generic.png"),
        "name": kind.name(),
        "subtask": kind == IssueType::Subtask,
    });
    if links.api == Api::Cloud {
        value["hierarchyLevel"] = json!(kind.hierarchy_level());
    }
    value
}

pub(crate) fn project(project: &SimulatedProject, links: Links<'_>) -> Value {
    project_value(&project.id, &project.key, &project.name, links)
}

/// An issue's project. Issues may have been added with, or moved to, a project that the site doesn't have.
fn project_of_issue(key: &str, links: Links<'_>) -> Value {
    project_value("10000", key, key, links)
}

fn project_value(id: &str, key: &str, name: &str, links: Links<'_>) -> Value {
    json!({
        "self": links.api(&format!("project/{key}")),
        "id": id,
        "key": key,
        "name": name,
        "projectTypeKey": "software",
        "simplified": false,
        "avatarUrls": avatars(links),
    })
}

fn avatars(links: Links<'_>) -> Value {
    let avatar = |size: &str| links.site(&format!("secure/projectavatar?size={size}"));
    json!({
        "16x16": avatar("xsmall"),
        "24x24": avatar("small"),
        "32x32": avatar("medium"),
        "48x48": avatar("large"),
    })
}
