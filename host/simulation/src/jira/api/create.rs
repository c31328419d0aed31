//! Creates issues on the simulated site, and refuses them in Jira's own words.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode, Uri},
    response::Response,
};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::jira::{
    api::{
        adf_check,
        answers::{json_answer, links, read_json},
        shapes::{self, Api, Links},
    },
    data::{
        accounts::{self, PEOPLE},
        epic_fields::EPIC_LINK,
        fields::{self, SEVERITY},
        issue::{IssueType, SimulatedIssue},
        project::SimulatedProject,
        site::Site,
    },
    state::SiteState,
};
use maro_domain::issue::IssueKey;

/// In UTF-16 units, as Jira counts.
const MAX_SUMMARY_LENGTH: usize = 255;
const MAX_DESCRIPTION_LENGTH: usize = 32_767;
const MAX_PROPERTY_KEY_LENGTH: usize = 255;

/// How many issues one request may create.
const MAX_BULK: usize = 50;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct IssueUpdate {
    fields: Map<String, Value>,
    #[serde(default)]
    update: Map<String, Value>,
    #[serde(default)]
    properties: Vec<Property>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Property {
    key: String,
    value: Value,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct BulkCreate {
    issue_updates: Vec<IssueUpdate>,
}

/// What is wrong with an issue, by field and in general.
#[derive(Default)]
struct ErrorCollection {
    messages: Vec<String>,
    fields: BTreeMap<String, String>,
}

/// `POST /rest/api/{2,3}/issue`
pub(crate) async fn issue(
    State(shared): State<Arc<SiteState>>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let update: IssueUpdate = match read_json(&headers, &body) {
        Ok(update) => update,
        Err(fault) => return fault.answer(),
    };
    let links = links(&shared, &uri);
    match create(&mut shared.site(), &update, links) {
        Ok(created) => json_answer(StatusCode::CREATED, &created),
        Err(refusal) => json_answer(StatusCode::BAD_REQUEST, &refusal.shape()),
    }
}

/// `POST /rest/api/{2,3}/issue/bulk`: each issue is created or refused on its own.
pub(crate) async fn bulk(
    State(shared): State<Arc<SiteState>>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let request: BulkCreate = match read_json(&headers, &body) {
        Ok(request) => request,
        Err(fault) => return fault.answer(),
    };
    if request.issue_updates.is_empty() || request.issue_updates.len() > MAX_BULK {
        let message = format!("The request must contain between 1 and {MAX_BULK} issues.");
        return json_answer(StatusCode::BAD_REQUEST, &shapes::errors(&message));
    }
    let links = links(&shared, &uri);
    let mut site = shared.site();
    let (mut issues, mut errors) = (Vec::new(), Vec::new());
    for (place, update) in request.issue_updates.iter().enumerate() {
        match create(&mut site, update, links) {
            Ok(created) => issues.push(created),
            Err(refusal) => errors.push(json!({
                "status": 400,
                "elementErrors": refusal.shape(),
                "failedElementNumber": place,
            })),
        }
    }
    let status = if issues.is_empty() { StatusCode::BAD_REQUEST } else { StatusCode::CREATED };
    json_answer(status, &json!({ "issues": issues, "errors": errors }))
}

fn create(site: &mut Site, update: &IssueUpdate, links: Links<'_>) -> Result<Value, ErrorCollection> {
    let (project, kind) = place(site, update, links.api)?;
    let summary = update.fields.get("summary").and_then(Value::as_str).unwrap_or_default().to_owned();
    let mut refusal = ErrorCollection::default();
    refusal.check_summary(&summary, site);
    refusal.check_description(update.fields.get("description"), links.api);
    if !site.may_name_reporters && update.fields.contains_key("reporter") {
        let text = "Field 'reporter' cannot be set. It is not on the appropriate screen, or unknown.";
        refusal.field("reporter", text);
    }
    if !site.has_descriptions && update.fields.contains_key("description") {
        refusal.field(
            "description",
            "Field 'description' cannot be set. It is not on the appropriate screen, or unknown.",
        );
    }
    for link in ["parent", EPIC_LINK] {
        if !site.has_epic_links && update.fields.contains_key(link) {
            let text =
                format!("Field '{link}' cannot be set. It is not on the appropriate screen, or unknown.");
            refusal.field(link, text);
        }
    }
    refusal.check_screen(update, &project, kind, links.api);
    let parent = refusal.check_parent(update, site, kind, links.api);
    let assignee = refusal.check_assignee(update, links.api);
    refusal.check_properties(&update.properties);
    if !refusal.is_empty() {
        return Err(refusal);
    }
    let issue: &mut SimulatedIssue = site.create(&project.key, kind, &summary);
    issue.description = update.fields.get("description").filter(|value| !value.is_null()).cloned();
    issue.parent = parent;
    issue.assignee = assignee;
    issue.properties =
        update.properties.iter().map(|property| (property.key.clone(), property.value.clone())).collect();
    Ok(shapes::created(issue, links))
}

/// The project and the type. Jira checks these first.
fn place(
    site: &Site,
    update: &IssueUpdate,
    api: Api,
) -> Result<(SimulatedProject, IssueType), ErrorCollection> {
    let named = |field: &str, names: [&str; 2]| {
        let value = update.fields.get(field)?;
        names.iter().find_map(|name| value.get(name)?.as_str()).map(str::to_owned)
    };
    let Some(project) = named("project", ["key", "id"]).and_then(|key| site.project(&key).cloned()) else {
        return Err(ErrorCollection::of_field(
            "project",
            match api {
                Api::Cloud => "Specify a valid project ID or key",
                Api::DataCenter => "valid project is required",
            },
        ));
    };
    if !project.may_create {
        return Err(ErrorCollection::message("You do not have permission to create issues in this project."));
    }
    let type_name = named("issuetype", ["id", "name"]);
    let known = |kind: &&IssueType| {
        type_name.as_deref().is_some_and(|name| name == kind.name() || name == project.type_id(**kind))
    };
    match project.issue_types.iter().find(known) {
        Some(kind) => Ok((project.clone(), *kind)),
        None => Err(ErrorCollection::of_field(
            "issuetype",
            match api {
                Api::Cloud => "Specify a valid issue type",
                Api::DataCenter => "valid issue type is required",
            },
        )),
    }
}

impl ErrorCollection {
    fn of_field(field: &str, text: &str) -> Self {
        let mut refusal = Self::default();
        refusal.field(field, text);
        refusal
    }

    fn message(text: &str) -> Self {
        Self { messages: vec![text.to_owned()], ..Self::default() }
    }

    fn field(&mut self, field: &str, text: impl Into<String>) {
        self.fields.insert(field.to_owned(), text.into());
    }

    fn is_empty(&self) -> bool {
        self.messages.is_empty() && self.fields.is_empty()
    }

    fn shape(&self) -> Value {
        json!({ "errorMessages": self.messages, "errors": self.fields })
    }

    fn check_summary(&mut self, summary: &str, site: &Site) {
        if summary.trim().is_empty() {
            self.field("summary", "You must specify a summary of the issue.");
        } else if summary.encode_utf16().count() > MAX_SUMMARY_LENGTH {
            self.field("summary", "Summary can't exceed 255 characters.");
        } else if summary.contains(['\n', '\r']) {
            self.field("summary", "The summary is invalid because it contains newline characters.");
        }
        if let Some((_, reason)) = site.refusals.iter().find(|(part, _)| summary.contains(part.as_str())) {
            self.field("summary", reason.clone());
        }
    }

    fn check_description(&mut self, description: Option<&Value>, api: Api) {
        let Some(description) = description.filter(|description| !description.is_null()) else { return };
        match (api, description) {
            (Api::Cloud, Value::String(_)) => self.field(
                "description",
                "Operation value must be an Atlassian Document (see the Atlassian Document Format)",
            ),
            (Api::Cloud, document) if !adf_check::is_document(document) => {
                self.messages.push("INVALID_INPUT".to_owned());
            }
            (Api::DataCenter, Value::String(text)) if text.chars().count() > MAX_DESCRIPTION_LENGTH => self
                .field(
                    "description",
                    "The entered text is too long. It exceeds the allowed limit of 32,767 characters.",
                ),
            (Api::DataCenter, Value::String(_)) | (Api::Cloud, _) => {}
            (Api::DataCenter, _) => self.field("description", "Operation value must be a string"),
        }
    }

    /// Checks for fields that aren't on the screen, and for required fields.
    fn check_screen(&mut self, update: &IssueUpdate, project: &SimulatedProject, kind: IssueType, api: Api) {
        let screen = fields::on_screen(project, kind, api);
        for name in update.fields.keys().chain(update.update.keys()) {
            if !screen.iter().any(|field| field.id == name) {
                let text =
                    format!("Field '{name}' cannot be set. It is not on the appropriate screen, or unknown.");
                self.field(name, text);
            }
        }
        for field in screen.iter().filter(|field| field.is_required && field.id.starts_with("customfield_")) {
            if update.fields.get(field.id).is_none_or(Value::is_null) {
                self.field(field.id, format!("{} is required.", field.name));
            }
        }
        let severity = update.fields.get(SEVERITY).filter(|severity| !severity.is_null());
        if severity.is_some_and(|severity| !fields::is_severity(severity)) {
            self.field(SEVERITY, "Specify a valid 'id' or 'name' for Severity");
        }
    }

    /// The epic for the issue.
    fn check_parent(
        &mut self,
        update: &IssueUpdate,
        site: &Site,
        kind: IssueType,
        api: Api,
    ) -> Option<IssueKey> {
        let (field, value) = match api {
            Api::Cloud => ("parent", update.fields.get("parent")?.get("key")),
            Api::DataCenter => (EPIC_LINK, Some(update.fields.get(EPIC_LINK)?)),
        };
        let Some(parent) = value.and_then(Value::as_str).and_then(|key| site.find(key)) else {
            self.field(field, "Could not find issue by id or key.");
            return None;
        };
        if parent.issue_type.hierarchy_level() != kind.hierarchy_level() + 1 {
            let text =
                format!("Given parent issue '{}' does not belong to appropriate hierarchy.", parent.key);
            self.field(field, text);
            return None;
        }
        Some(parent.key.clone())
    }

    /// The person to whom it is assigned.
    fn check_assignee(&mut self, update: &IssueUpdate, api: Api) -> Option<&'static str> {
        let assignee = update.fields.get("assignee").filter(|assignee| !assignee.is_null())?;
        let id = match api {
            Api::Cloud => assignee.get("accountId").or(assignee.get("id")),
            Api::DataCenter => assignee.get("name"),
        };
        let id = id.and_then(Value::as_str).unwrap_or_default();
        let person = PEOPLE.iter().find(|name| accounts::id(name) == id);
        if person.is_none() {
            self.field("assignee", format!("User '{id}' cannot be assigned issues."));
        }
        person.copied()
    }

    fn check_properties(&mut self, properties: &[Property]) {
        if properties.iter().any(|property| !(1..=MAX_PROPERTY_KEY_LENGTH).contains(&property.key.len())) {
            self.messages.push("The property key must have between 1 and 255 characters.".to_owned());
        }
    }
}
