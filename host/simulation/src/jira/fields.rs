//! The fields of the simulated site: which are on the create screen, and which are required.

use std::sync::Arc;

use axum::{
    extract::State,
    http::{StatusCode, Uri},
    response::Response,
};
use serde_json::{Value, json};

use crate::jira::{
    answers::{json_answer, links},
    epic_fields::{EPIC_LINK, EPIC_NAME},
    issue::IssueType,
    project::{DEMANDING_PROJECT, SimulatedProject},
    shapes::Api,
    state::SiteState,
};

/// The field that OPS requires for every issue.
pub const SEVERITY: &str = "customfield_10050";

/// The possible severities.
pub(super) const SEVERITIES: [&str; 3] = ["Low", "High", "Critical"];

#[derive(Debug, Clone, Copy)]
pub(super) struct Field {
    pub(super) id: &'static str,
    pub(super) name: &'static str,
    pub(super) is_required: bool,
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
    pub(super) fn metadata(&self) -> Value {
        json!({
            "required": self.is_required,
            "schema": self.schema(),
            "name": self.name,
            "key": self.id,
            "fieldId": self.id,
            "hasDefaultValue": self.has_default,
            "operations": ["set"],
        })
    }

    fn schema(&self) -> Value {
        let mut schema = json!({ "type": self.kind.0 });
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
pub(super) fn on_screen(project: &SimulatedProject, kind: IssueType, api: Api) -> Vec<Field> {
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
pub(super) async fn list(State(shared): State<Arc<SiteState>>, uri: Uri) -> Response {
    let mut fields = COMMON.to_vec();
    fields.push(SEVERITY_FIELD);
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
