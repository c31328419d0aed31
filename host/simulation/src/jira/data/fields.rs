//! The fields of the simulated site: which are on the create screen, and which are required.

use std::sync::Arc;

use axum::{
    extract::State,
    http::{StatusCode, Uri},
    response::Response,
};
use serde_json::{Value, json};

use crate::jira::{
    api::{
        answers::{json_answer, links},
        shapes::Api,
    },
    data::{
        epic_fields::{EPIC_LINK, EPIC_NAME, SPRINT},
        issue::{IssueType, PRIORITIES},
        project::{DEMANDING_PROJECT, SimulatedProject},
    },
    state::SiteState,
};

/// The field that OPS requires for every issue.
pub const SEVERITY: &str = "customfield_10050";

pub(crate) const SEVERITIES: [&str; 3] = ["Low", "High", "Critical"];

/// Whether this is one of the severities, by its name or its id.
pub(crate) fn is_severity(value: &Value) -> bool {
    let number = value["id"].as_str().and_then(|id| id.strip_prefix("1020")?.parse::<usize>().ok());
    number.is_some_and(|number| number < SEVERITIES.len())
        || value["value"].as_str().is_some_and(|name| SEVERITIES.contains(&name))
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Field {
    pub(crate) id: &'static str,
    pub(crate) name: &'static str,
    pub(crate) is_required: bool,
    has_default: bool,
    /// The type. For a field from an app, also the app's name for it.
    kind: (&'static str, Option<&'static str>),
}

const fn system(id: &'static str, name: &'static str, kind: &'static str) -> Field {
    Field { id, name, is_required: false, has_default: false, kind: (kind, None) }
}

const EPIC_LINK_FIELD: Field = Field {
    kind: ("any", Some("com.pyxis.greenhopper.jira:gh-epic-link")),
    ..system(EPIC_LINK, "Epic Link", "any")
};
const EPIC_NAME_FIELD: Field = Field {
    kind: ("string", Some("com.pyxis.greenhopper.jira:gh-epic-label")),
    ..system(EPIC_NAME, "Epic Name", "string")
};
const SPRINT_FIELD: Field = Field {
    kind: ("array", Some("com.pyxis.greenhopper.jira:gh-sprint")),
    ..system(SPRINT, "Sprint", "array")
};
const SEVERITY_FIELD: Field = Field {
    is_required: true,
    kind: ("option", Some("com.atlassian.jira.plugin.system.customfieldtypes:select")),
    ..system(SEVERITY, "Severity", "option")
};

/// The fields on every screen.
const COMMON: [Field; 8] = [
    Field { is_required: true, ..system("issuetype", "Issue Type", "issuetype") },
    Field { is_required: true, ..system("project", "Project", "project") },
    Field { is_required: true, ..system("summary", "Summary", "string") },
    Field { is_required: true, ..system("reporter", "Reporter", "user") },
    Field { is_required: true, has_default: true, ..system("priority", "Priority", "priority") },
    system("description", "Description", "string"),
    system("labels", "Labels", "array"),
    system("assignee", "Assignee", "user"),
];

impl Field {
    /// The field as `createmeta` describes it.
    pub(crate) fn metadata(&self) -> Value {
        let mut metadata = json!({
            "required": self.is_required,
            "schema": self.schema(),
            "name": self.name,
            "key": self.id,
            "fieldId": self.id,
            "hasDefaultValue": self.has_default,
            "operations": ["set"],
        });
        if let Some(allowed) = self.allowed() {
            metadata["allowedValues"] = json!(allowed);
        }
        metadata
    }

    /// What can be chosen, if that is limited.
    fn allowed(&self) -> Option<Vec<Value>> {
        let option = |(number, name): (usize, &&str)| match self.id {
            SEVERITY => json!({ "id": format!("1020{number}"), "value": name }),
            _ => json!({ "id": (number + 1).to_string(), "name": name }),
        };
        match self.id {
            SEVERITY => Some(SEVERITIES.iter().enumerate().map(option).collect()),
            "priority" => Some(PRIORITIES.iter().enumerate().map(option).collect()),
            _ => None,
        }
    }

    fn schema(&self) -> Value {
        let mut schema = json!({ "type": self.kind.0 });
        if self.kind.0 == "array" {
            schema["items"] = json!("string");
        }
        match self.kind.1 {
            Some(custom) => {
                schema["custom"] = json!(custom);
                schema["customId"] =
                    json!(self.id.trim_start_matches("customfield_").parse::<u64>().unwrap_or_default());
            }
            None => schema["system"] = json!(self.id),
        }
        schema
    }
}

/// The fields that an issue can be created with.
pub(crate) fn on_screen(project: &SimulatedProject, kind: IssueType, api: Api) -> Vec<Field> {
    let mut fields = COMMON.to_vec();
    if project.key == DEMANDING_PROJECT {
        fields.push(SEVERITY_FIELD);
    }
    match api {
        Api::Cloud => fields.push(system("parent", "Parent", "issuelink")),
        Api::DataCenter if kind == IssueType::Epic => {
            fields.push(Field { is_required: true, ..EPIC_NAME_FIELD });
        }
        Api::DataCenter => fields.push(EPIC_LINK_FIELD),
    }
    fields
}

/// `GET /rest/api/{2,3}/field`
pub(crate) async fn list(State(shared): State<Arc<SiteState>>, uri: Uri) -> Response {
    let mut fields = COMMON.to_vec();
    fields.extend([SEVERITY_FIELD, SPRINT_FIELD]);
    if links(&shared, &uri).api == Api::DataCenter {
        fields.extend([EPIC_LINK_FIELD, EPIC_NAME_FIELD]);
    }
    let details = |field: &Field| {
        json!({
            "id": field.id,
            "key": field.id,
            "name": field.name,
            "custom": field.kind.1.is_some(),
            "orderable": true,
            "navigable": true,
            "searchable": true,
            "clauseNames": [field.id],
            "schema": field.schema(),
        })
    };
    json_answer(StatusCode::OK, &json!(fields.iter().map(details).collect::<Vec<_>>()))
}
