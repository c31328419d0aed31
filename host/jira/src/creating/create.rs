//! Creating one ticket.
//!
//! A request that Jira may have received is never sent again from here. Whether it created a ticket,
//! `searching/intent_marks.rs` finds out by the mark that every ticket carries.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use tokio::time::Instant;

use crate::{
    connection::request::{JiraRequest, RequestKind},
    connection::site::{ActionError, JiraSite},
    connection::transport::Answer,
    creating::{
        epic_fields::get_epic_fields,
        field_values::{formatted, to_json},
        reporter::{self, REPORTER},
    },
    error::JiraError,
    wire::{
        parse::{identify, parse},
        refusal::{JiraRefusal, is_jira_error},
    },
};
use maro_domain::{
    rich_text::RichText,
    screen::FieldValue,
    ticket::{CreatedTicket, NewTicket},
};

/// The entity property that marks a ticket, with a value like `{"id": "…"}`.
pub const INTENT_PROPERTY: &str = "maro.intent";

/// Why there is no confirmed ticket.
#[derive(Debug, thiserror::Error)]
pub enum CreateError {
    /// Jira rejected the ticket and created nothing. The texts are Jira's own, one bounded line each, for the
    /// person who asked; they may quote what that person wrote.
    #[error("Jira rejected the issue")]
    Refused {
        /// By field id: `summary`, `issuetype`, `customfield_10050`.
        fields: BTreeMap<String, String>,
        /// What isn't about a field.
        messages: Vec<String>,
    },
    /// Jira has certainly created nothing.
    #[error("Jira created nothing")]
    Jira(#[source] JiraError),
    /// Jira may have created the ticket, or may still do so.
    #[error("Jira didn't confirm what it was asked to create")]
    Unknown(#[source] JiraError),
}

/// One issue to create: the body of `POST /issue`, and an element in the body of `POST /issue/bulk`.
#[derive(Debug, Serialize)]
pub(crate) struct IssueUpdate {
    pub(crate) fields: Map<String, Value>,
    properties: [Property; 1],
}

#[derive(Debug, Serialize)]
struct Property {
    key: &'static str,
    value: Value,
}

#[derive(Deserialize)]
pub(crate) struct RawCreated {
    id: String,
    key: String,
}

/// Jira's name of the field.
pub(crate) const DESCRIPTION: &str = "description";

/// Nothing was created if Jira refuses, so it may be asked again without what the project's screen doesn't have or the
/// account may not set: a reporter, and a description that is nobody's own words. And with an epic's name, which Data
/// Center demands of epics: there it is the summary.
pub(crate) async fn create_ticket(
    site: &JiraSite,
    ticket: &NewTicket,
    deadline: Instant,
) -> Result<CreatedTicket, CreateError> {
    let mut update =
        IssueUpdate::new(&ticket.project_key, &ticket.issue_type_id, &ticket.summary, &ticket.intent_id);
    update.describe(site, &ticket.description);
    update.report(site, ticket.reporter.as_deref());
    update.fill_in(site, &ticket.fields);
    let may_go_without = |field: &String| {
        field == REPORTER && ticket.reporter.is_some()
            || field == DESCRIPTION && ticket.is_description_optional
    };
    let refused = match send(site, &update, deadline).await {
        Err(CreateError::Refused { fields, messages }) if messages.is_empty() => fields,
        sent => return sent,
    };
    let epic_name = missing_epic_name(site, &update, &refused, deadline).await;
    let is_remedied =
        |field: &String| may_go_without(field) || epic_name.as_ref().is_some_and(|name| name == field);
    if !refused.keys().all(is_remedied) {
        return Err(CreateError::Refused { fields: refused, messages: Vec::new() });
    }
    update.fields.retain(|field, _| !refused.contains_key(field));
    update.fields.extend(epic_name.map(|field| (field, json!(ticket.summary))));
    send(site, &update, deadline).await
}

/// The field for an epic's name, if Jira refused the ticket without it.
async fn missing_epic_name(
    site: &JiraSite,
    update: &IssueUpdate,
    refused: &BTreeMap<String, String>,
    deadline: Instant,
) -> Option<String> {
    if site.is_cloud() {
        return None;
    }
    let name = get_epic_fields(site, deadline).await.ok()?.name?;
    (refused.contains_key(&name) && !update.fields.contains_key(&name)).then_some(name)
}

async fn send(
    site: &JiraSite,
    update: &IssueUpdate,
    deadline: Instant,
) -> Result<CreatedTicket, CreateError> {
    let action = JiraRequest::post(RequestKind::CreateIssue, site.url(&["issue"]), update);
    match site.act(&action, deadline).await? {
        Answer::Found(body) => parse::<RawCreated>(&body, "the created issue")
            .and_then(|created| CreatedTicket::try_from(&created))
            .map_err(CreateError::Unknown),
        Answer::Refused(status, body) => Err(refusal(status, &body)),
        // Something that the issue names isn't there, or is hidden from the account.
        Answer::NotFound(body) if is_jira_error(&body) => Err(refusal(404, &body)),
        answer @ Answer::NotFound(_) => Err(CreateError::not_done(answer)),
    }
}

impl IssueUpdate {
    pub(crate) fn new(project_key: &str, issue_type_id: &str, summary: &str, intent_id: &str) -> Self {
        let fields = [
            ("project", json!({ "key": project_key })),
            ("issuetype", json!({ "id": issue_type_id })),
            ("summary", json!(summary)),
        ];
        Self {
            fields: fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
            properties: [Property { key: INTENT_PROPERTY, value: json!({ "id": intent_id }) }],
        }
    }

    /// Adds what somebody put into other fields.
    pub(crate) fn fill_in(&mut self, site: &JiraSite, fields: &[(String, FieldValue)]) {
        for (field, value) in fields {
            self.fields.insert(field.clone(), to_json(site, value));
        }
    }

    /// Names the account that it comes from, if there is one.
    pub(crate) fn report(&mut self, site: &JiraSite, reporter: Option<&str>) {
        self.fields.extend(reporter.map(|account| (REPORTER.to_owned(), reporter::value(site, account))));
    }

    /// Adds a description, unless it is empty.
    pub(crate) fn describe(&mut self, site: &JiraSite, description: &RichText) {
        if let Some(description) = formatted(site, description) {
            self.fields.insert(DESCRIPTION.to_owned(), description);
        }
    }
}

impl From<ActionError> for CreateError {
    fn from(error: ActionError) -> Self {
        match error {
            ActionError::NotDone(error) => Self::Jira(error),
            ActionError::Unknown(error) => Self::Unknown(error),
        }
    }
}

impl CreateError {
    /// For an answer whose status shows that nothing was created.
    pub(crate) fn not_done(answer: Answer) -> Self {
        Self::Jira(answer.found().err().unwrap_or_else(|| JiraError::invalid("nothing was created")))
    }
}

impl TryFrom<&RawCreated> for CreatedTicket {
    type Error = JiraError;

    fn try_from(raw: &RawCreated) -> Result<Self, JiraError> {
        let (id, key) = identify(&raw.id, &raw.key)?;
        Ok(Self { id, key })
    }
}

/// A refusal in Jira's words, or a failure if the words aren't Jira's.
pub(crate) fn refusal(status: u16, body: &[u8]) -> CreateError {
    match serde_json::from_slice::<JiraRefusal>(body) {
        Ok(errors) if !errors.is_empty() => {
            let (fields, messages) = errors.tidied();
            CreateError::Refused { fields, messages }
        }
        _ => CreateError::Jira(JiraError::invalid(format!("status {status}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::refusal::MAX_TEXT_LENGTH;

    #[test]
    fn a_refusal_keeps_jiras_words_within_bounds() {
        let body = json!({
            "errorMessages": ["Not\nhere.", ""],
            "errors": { "summary": "x".repeat(1_000), "customfield_10050": "Severity is required." },
        });
        let CreateError::Refused { fields, messages } = refusal(400, body.to_string().as_bytes()) else {
            panic!("it is a refusal");
        };
        assert_eq!(messages, ["Not here."]);
        assert_eq!(fields["customfield_10050"], "Severity is required.");
        assert_eq!(fields["summary"].chars().count(), MAX_TEXT_LENGTH);
    }

    #[test]
    fn a_refusal_without_a_reason_is_a_failure() {
        for body in ["", "<html>", "{}", r#"{"errorMessages":[],"errors":{}}"#, r#"{"errors":7}"#] {
            assert!(matches!(refusal(400, body.as_bytes()), CreateError::Jira(_)), "{body}");
        }
    }
}
