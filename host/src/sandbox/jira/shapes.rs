//! The JSON of the simulated site, shaped as Jira's own.

use serde_json::{Map, Value, json};
use url::Url;

use crate::sandbox::jira::{
    seed::PROJECT,
    server::EMAIL,
    site::{IssueType, SimulatedIssue},
};

/// Which REST API speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Api {
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
    pub(super) fn of_path(path: &str) -> Option<Self> {
        [Self::Cloud, Self::DataCenter]
            .into_iter()
            .find(|api| path.starts_with(&format!("/rest/api/{}/", api.version())))
    }
}

/// The addresses that answers refer to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Links<'a> {
    pub(super) site: &'a Url,
    pub(super) api: Api,
}

impl Links<'_> {
    fn api(self, path: &str) -> String {
        format!("{}rest/api/{}/{path}", self.site, self.api.version())
    }

    fn site(self, path: &str) -> String {
        format!("{}{path}", self.site)
    }
}

/// An issue with those of its fields that were asked for; unknown names are left out, as Jira does.
pub(super) fn issue(issue: &SimulatedIssue, fields: &[String], links: Links<'_>) -> Value {
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

pub(super) fn bulk_issues(issues: Vec<Value>) -> Value {
    json!({ "issueErrors": [], "issues": issues })
}

pub(super) fn errors(message: &str) -> Value {
    json!({ "errorMessages": [message], "errors": {} })
}

pub(super) fn account(links: Links<'_>) -> Value {
    let (identity, query) = match links.api {
        Api::Cloud => {
            let id = "5b10a2844c20165700ede21g";
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
        "displayName": "MARO",
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
    let fields = [
        ("summary", json!(issue.summary)),
        ("status", status(&issue.status, links)),
        ("issuetype", issue_type(issue.issue_type, links)),
        ("project", project(issue.key.as_str().split('-').next().unwrap_or(PROJECT), links)),
    ];
    fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn status(name: &str, links: Links<'_>) -> Value {
    let (id, category_id, category, category_name, color) = match name {
        "Done" => ("10003", 3, "done", "Done", "green"),
        "In Progress" => ("3", 4, "indeterminate", "In Progress", "yellow"),
        "In Review" => ("10002", 4, "indeterminate", "In Progress", "yellow"),
        _ => ("1", 2, "new", "To Do", "blue-gray"),
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

fn issue_type(issue_type: IssueType, links: Links<'_>) -> Value {
    let (id, name, level) = match issue_type {
        IssueType::Epic => ("10000", "Epic", 1),
        IssueType::Story => ("10001", "Story", 0),
        IssueType::Task => ("10002", "Task", 0),
        IssueType::Bug => ("10004", "Bug", 0),
    };
    json!({
        "self": links.api(&format!("issuetype/{id}")),
        "id": id,
        "description": "",
        "iconUrl": links.site("images/icons/issuetypes/generic.png"),
        "name": name,
        "subtask": false,
        "hierarchyLevel": level,
    })
}

fn project(key: &str, links: Links<'_>) -> Value {
    json!({
        "self": links.api(&format!("project/{key}")),
        "id": "10000",
        "key": key,
        "name": key,
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
