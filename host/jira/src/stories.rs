//! Creating stories under an epic, up to fifty in one request.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::{
    create::{CreateError, IssueUpdate, RawCreated, refusal},
    epic::Epic,
    epic_fields::get_epic_fields,
    error::JiraError,
    request::{JiraRequest, RequestKind},
    site::JiraSite,
    transport::Answer,
    wire::{parse::parse, refusal::Refusal},
};
use maro_domain::ticket::CreatedTicket;

/// How many stories one call may create: Jira's own limit.
pub const MAX_STORIES: usize = 50;

/// A story to create.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewStory {
    /// One line of at most 255 characters.
    pub summary: String,
    /// Marks the story in Jira, so that it can be found even if Jira didn't confirm it.
    pub intent_id: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct BulkCreate {
    issue_updates: Vec<IssueUpdate>,
}

/// The answer, with status 201 if anything was created and 400 if nothing was.
#[derive(Deserialize)]
struct RawCreatedStories {
    issues: Vec<RawCreated>,
    errors: Vec<RawFailure>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawFailure {
    /// The element's position in the request, from 0.
    failed_element_number: usize,
    #[serde(default)]
    element_errors: Refusal,
}

pub(super) async fn create_stories(
    site: &JiraSite,
    epic: &Epic,
    stories: &[NewStory],
    deadline: Instant,
) -> Result<Vec<Result<CreatedTicket, String>>, CreateError> {
    if stories.is_empty() {
        return Ok(Vec::new());
    }
    let (field, value) = link_to(site, epic, deadline).await.map_err(CreateError::Jira)?;
    let issue_updates = stories.iter().map(|story| {
        let mut update =
            IssueUpdate::new(&epic.project_key, &epic.story_type.id, &story.summary, &story.intent_id);
        update.fields.insert(field.clone(), value.clone());
        update
    });
    let body = BulkCreate { issue_updates: issue_updates.collect() };
    let action = JiraRequest::post(RequestKind::CreateIssues, site.url(&["issue", "bulk"]), &body);
    match site.act(&action, deadline).await? {
        Answer::Found(body) => parse::<RawCreatedStories>(&body, "the created issues")
            .and_then(|answer| attribute(answer, stories.len()))
            .map_err(CreateError::Unknown),
        Answer::Refused(status, body) => match serde_json::from_slice(&body) {
            Ok(answer) => Ok(attribute_nothing(answer, stories.len())?),
            Err(_) => Err(refusal(status, &body)),
        },
        answer @ Answer::NotFound(_) => Err(CreateError::not_done(answer)),
    }
}

/// The field that links a story to its epic, and its value.
async fn link_to(site: &JiraSite, epic: &Epic, deadline: Instant) -> Result<(String, Value), JiraError> {
    let key = epic.issue.key.as_str();
    if site.is_cloud() {
        return Ok(("parent".to_owned(), json!({ "key": key })));
    }
    let fields = get_epic_fields(site, deadline).await?;
    match fields.link {
        Some(link) => Ok((link, json!(key))),
        None => Err(JiraError::invalid("there is an epic but no field for links to epics")),
    }
}
/// Assigns the answers to the stories. Jira lists what it created in the order of the request, without what
/// failed.
fn attribute(
    answer: RawCreatedStories,
    count: usize,
) -> Result<Vec<Result<CreatedTicket, String>>, JiraError> {
    let mut failures: Vec<Option<String>> = vec![None; count];
    for failure in &answer.errors {
        if let Some(place) = failures.get_mut(failure.failed_element_number) {
            *place = Some(reason(&failure.element_errors));
        }
    }
    let created = failures.iter().filter(|failure| failure.is_none()).count();
    if created != answer.issues.len() {
        return Err(JiraError::invalid(format!(
            "{} created issues instead of {created}",
            answer.issues.len()
        )));
    }
    let mut issues = answer.issues.into_iter();
    failures
        .into_iter()
        .map(|failure| match failure {
            Some(reason) => Ok(Err(reason)),
            None => {
                let issue = issues.next().ok_or_else(|| JiraError::invalid("an issue is missing"))?;
                CreatedTicket::try_from(issue).map(Ok)
            }
        })
        .collect()
}

/// As [`attribute`], for an answer whose status says that nothing was created.
fn attribute_nothing(
    answer: RawCreatedStories,
    count: usize,
) -> Result<Vec<Result<CreatedTicket, String>>, CreateError> {
    if !answer.issues.is_empty() {
        return attribute(answer, count).map_err(CreateError::Unknown);
    }
    let mut reasons = vec![String::new(); count];
    for failure in &answer.errors {
        if let Some(place) = reasons.get_mut(failure.failed_element_number) {
            *place = reason(&failure.element_errors);
        }
    }
    Ok(reasons.into_iter().map(Err).collect())
}

/// Why a story was refused; empty if Jira doesn't say.
fn reason(errors: &Refusal) -> String {
    errors.reason().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcomes(body: Value, count: usize) -> Result<Vec<String>, JiraError> {
        let answers = attribute(serde_json::from_value(body).unwrap(), count)?;
        let text = |answer: Result<CreatedTicket, String>| {
            answer.map_or_else(|reason| reason, |ticket| ticket.key.to_string())
        };
        Ok(answers.into_iter().map(text).collect())
    }

    fn failure(place: usize, errors: Value) -> Value {
        json!({ "status": 400, "failedElementNumber": place, "elementErrors": errors })
    }

    #[test]
    fn each_story_gets_its_own_answer() {
        let body = json!({
            "issues": [{ "id": "1", "key": "A-1", "self": "x" }, { "id": "2", "key": "A-2", "self": "x" }],
            "errors": [
                failure(2, json!({ "errorMessages": [], "errors": { "summary": "Too long." } })),
                failure(0, json!({ "errorMessages": ["No."], "errors": { "a": "One\nline.", "b": "Two." } })),
                failure(4, json!({})),
            ],
        });
        let expected = ["No. One line. Two.", "A-1", "Too long.", "A-2", ""];
        assert_eq!(outcomes(body, 5).unwrap(), expected);
    }

    #[test]
    fn an_answer_that_does_not_add_up_is_not_guessed_at() {
        let one = json!({ "id": "1", "key": "A-1" });
        assert!(outcomes(json!({ "issues": [one], "errors": [] }), 2).is_err());
        assert!(outcomes(json!({ "issues": [one], "errors": [failure(0, json!({}))] }), 1).is_err());
        assert!(outcomes(json!({ "issues": [{ "id": "1", "key": "x" }], "errors": [] }), 1).is_err());
    }
}
