//! Creating stories under an epic, up to fifty in one request.

use std::collections::{BTreeSet, HashMap};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::time::Instant;

use crate::{
    connection::request::{JiraRequest, RequestKind},
    connection::site::JiraSite,
    connection::transport::Answer,
    creating::create::{CreateError, DESCRIPTION, IssueUpdate, RawCreated, refusal},
    creating::epic::Epic,
    creating::epic_link::{is_missing_on_screen, link_to},
    creating::reporter::REPORTER,
    creating::screen::known_screen,
    error::JiraError,
    searching::intent_marks::mark_of,
    wire::{
        parse::parse,
        refusal::{JiraRefusal, MAX_TEXT_LENGTH, is_jira_error, texts_in},
    },
};
use maro_domain::{
    issue::one_line,
    rich_text::RichText,
    screen::{FieldValue, ScreenField},
    ticket::CreatedTicket,
};

/// How many stories one call may create: Jira's own limit.
pub const MAX_STORIES_AT_ONCE: usize = 50;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewStory {
    /// One line of at most 255 characters.
    pub summary: String,
    pub description: RichText,
    /// An account, named as the reporter where Jira allows that.
    pub reporter: Option<String>,
    /// What else was filled in, by the field's id.
    pub fields: Vec<(String, FieldValue)>,
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
    /// A list of [`RawFailure`], or something else that only people can read.
    #[serde(default)]
    errors: Value,
    /// The fields of the stories, as far as they're known.
    #[serde(skip)]
    screen: Vec<ScreenField>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawFailure {
    /// The element's position in the request, from 0.
    failed_element_number: usize,
    #[serde(default)]
    element_errors: JiraRefusal,
}

/// What came of creating stories.
#[derive(Debug)]
pub enum StoriesAnswer {
    /// For each story, in the order of the request: the ticket, or why Jira rejected it, as one line of Jira's own
    /// words, which is empty if Jira gives no reason.
    Each(Vec<Result<CreatedTicket, String>>),
    /// Nothing was created: the screen for new stories has no field for their epic. Without it they can be created,
    /// and [`crate::client::JiraClient::add_to_epic`] puts them there.
    NoFieldForEpic,
}

/// How stories get to their epic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EpicLink {
    /// They are created with it.
    Created,
    /// They are added later.
    Later,
}

pub(crate) async fn create_stories(
    site: &JiraSite,
    epic: &Epic,
    stories: &[NewStory],
    link: EpicLink,
    deadline: Instant,
) -> Result<StoriesAnswer, CreateError> {
    if stories.is_empty() {
        return Ok(StoriesAnswer::Each(Vec::new()));
    }
    let link = match link {
        EpicLink::Created => Some(link_to(site, epic, deadline).await.map_err(CreateError::Jira)?),
        EpicLink::Later => None,
    };
    let updates = |is_described: bool, is_reported: bool| -> Vec<IssueUpdate> {
        let update = |story: &NewStory| {
            let mut update =
                IssueUpdate::new(&epic.project_key, &epic.story_type.id, &story.summary, &story.intent_id);
            update.fill_in(site, &story.fields);
            update.fields.extend(link.clone());
            if is_described {
                update.describe(site, &story.description);
            }
            if is_reported {
                update.report(site, story.reporter.as_deref());
            }
            update
        };
        stories.iter().map(update).collect()
    };
    let screen = known_screen(site, &epic.project_key, &epic.story_type.id);
    let mut sent = send(site, updates(true, true), stories, &screen, deadline).await?;
    if let Sent::AllRefused { outcomes, fields } = &sent
        && let Some((link, _)) = link.as_ref().filter(|(link, _)| fields.contains(link))
    {
        let reasons = outcomes.iter().filter_map(|outcome| outcome.as_ref().err());
        if is_missing_on_screen(site, epic, link, reasons, deadline).await {
            return Ok(StoriesAnswer::NoFieldForEpic);
        }
    }
    if let Sent::AllRefused { fields, .. } = &sent {
        // Nothing was created, so it may be asked again without what the screen doesn't have or the account may not
        // set.
        let is_reporter_refused =
            fields.contains(REPORTER) && stories.iter().any(|story| story.reporter.is_some());
        let (is_described, is_reported) = (!fields.contains(DESCRIPTION), !is_reporter_refused);
        if !(is_described && is_reported) {
            sent = send(site, updates(is_described, is_reported), stories, &screen, deadline).await?;
        }
    }
    Ok(StoriesAnswer::Each(sent.outcomes()))
}

/// What became of a request.
enum Sent {
    Outcomes(Vec<Result<CreatedTicket, String>>),
    /// Nothing was created. Jira has something against these fields in every story.
    AllRefused {
        outcomes: Vec<Result<CreatedTicket, String>>,
        fields: BTreeSet<String>,
    },
}

impl Sent {
    fn outcomes(self) -> Vec<Result<CreatedTicket, String>> {
        match self {
            Self::Outcomes(outcomes) | Self::AllRefused { outcomes, .. } => outcomes,
        }
    }
}

async fn send(
    site: &JiraSite,
    issue_updates: Vec<IssueUpdate>,
    stories: &[NewStory],
    screen: &[ScreenField],
    deadline: Instant,
) -> Result<Sent, CreateError> {
    let known = |answer: RawCreatedStories| RawCreatedStories { screen: screen.to_vec(), ..answer };
    let body = BulkCreate { issue_updates };
    let action = JiraRequest::post(RequestKind::CreateIssues, site.url(&["issue", "bulk"]), &body);
    match site.act(&action, deadline).await? {
        Answer::Found(body) => {
            let answer = known(parse(&body, "the created issues").map_err(CreateError::Unknown)?);
            match attribute(&answer, stories.len()) {
                Ok(outcomes) => Ok(Sent::Outcomes(outcomes)),
                Err(_) => {
                    let outcomes = attribute_by_marks(site, answer, stories, deadline).await;
                    outcomes.map(Sent::Outcomes).map_err(CreateError::Unknown)
                }
            }
        }
        Answer::Refused(status, body) => match serde_json::from_slice::<RawCreatedStories>(&body) {
            Ok(answer) => {
                let answer = known(answer);
                let fields = fields_refused_everywhere(&answer, stories.len());
                let outcomes = attribute_nothing(&answer, stories.len())?;
                Ok(if fields.is_empty() {
                    Sent::Outcomes(outcomes)
                } else {
                    Sent::AllRefused { outcomes, fields }
                })
            }
            Err(_) => Err(refusal(status, &body)),
        },
        Answer::NotFound(body) if is_jira_error(&body) => Err(refusal(404, &body)),
        answer @ Answer::NotFound(_) => Err(CreateError::not_done(answer)),
    }
}

/// The fields that are wrong in every story.
fn fields_refused_everywhere(answer: &RawCreatedStories, count: usize) -> BTreeSet<String> {
    let failures = answer.failures().unwrap_or_default();
    if !answer.issues.is_empty() || failures.len() != count {
        return BTreeSet::new();
    }
    let fields =
        |failure: &RawFailure| failure.element_errors.tidied().0.into_keys().collect::<BTreeSet<_>>();
    failures.iter().map(fields).reduce(|all, more| &all & &more).unwrap_or_default()
}

/// Assigns the answers to the stories. Jira lists what it created in the order of the request, without what
/// failed.
fn attribute(
    answer: &RawCreatedStories,
    count: usize,
) -> Result<Vec<Result<CreatedTicket, String>>, JiraError> {
    let mut failures: Vec<Option<String>> = vec![None; count];
    let errors = answer.failures().ok_or_else(|| JiraError::invalid("errors of another shape"))?;
    for failure in &errors {
        if let Some(place) = failures.get_mut(failure.failed_element_number) {
            *place = Some(answer.reason(failure));
        }
    }
    let created = failures.iter().filter(|failure| failure.is_none()).count();
    if created != answer.issues.len() {
        return Err(JiraError::invalid(format!(
            "{} created issues instead of {created}",
            answer.issues.len()
        )));
    }
    let mut issues = answer.issues.iter();
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

/// As [`attribute`], for an answer whose errors don't name their stories: the mark of each created issue tells
/// which story it is. The others failed only if there are as many errors.
async fn attribute_by_marks(
    site: &JiraSite,
    answer: RawCreatedStories,
    stories: &[NewStory],
    deadline: Instant,
) -> Result<Vec<Result<CreatedTicket, String>>, JiraError> {
    let errors = answer.errors.as_array().map_or(1, Vec::len);
    let reason = answer.reasons();
    if answer.issues.len() + errors != stories.len() {
        return Err(JiraError::invalid(format!(
            "{} created issues and {errors} errors",
            answer.issues.len()
        )));
    }
    let mut created = HashMap::new();
    for issue in &answer.issues {
        let ticket = CreatedTicket::try_from(issue)?;
        let mark = mark_of(site, ticket.key.as_str(), deadline).await?;
        created.insert(mark.ok_or_else(|| JiraError::invalid("a created issue has no mark"))?, ticket);
    }
    let outcomes: Vec<_> =
        stories.iter().map(|story| created.remove(&story.intent_id).ok_or_else(|| reason.clone())).collect();
    if created.is_empty() { Ok(outcomes) } else { Err(JiraError::invalid("a created issue of another mark")) }
}

/// As [`attribute`], for an answer whose status says that nothing was created.
fn attribute_nothing(
    answer: &RawCreatedStories,
    count: usize,
) -> Result<Vec<Result<CreatedTicket, String>>, CreateError> {
    if !answer.issues.is_empty() {
        return attribute(answer, count).map_err(CreateError::Unknown);
    }
    let Some(errors) = answer.failures() else { return Ok(vec![Err(answer.reasons()); count]) };
    let mut reasons = vec![String::new(); count];
    for failure in &errors {
        if let Some(place) = reasons.get_mut(failure.failed_element_number) {
            *place = answer.reason(failure);
        }
    }
    Ok(reasons.into_iter().map(Err).collect())
}

impl RawCreatedStories {
    /// `None` if they have another shape.
    fn failures(&self) -> Option<Vec<RawFailure>> {
        if self.errors.is_null() {
            return Some(Vec::new());
        }
        serde_json::from_value(self.errors.clone()).ok()
    }

    /// Why a story was refused; empty if Jira doesn't say.
    fn reason(&self, failure: &RawFailure) -> String {
        failure.element_errors.reason_by_name(&self.screen).unwrap_or_default()
    }

    /// All texts among the errors as one bounded line, whatever shape they have.
    fn reasons(&self) -> String {
        one_line(&texts_in(&self.errors).join(" "), MAX_TEXT_LENGTH)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn outcomes(body: Value, count: usize) -> Result<Vec<String>, JiraError> {
        let answers = attribute(&serde_json::from_value(body).unwrap(), count)?;
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
        for errors in [json!({ "0": "No." }), json!(["No."]), json!([{ "failedElementNumber": "0" }])] {
            assert!(outcomes(json!({ "issues": [one], "errors": errors }), 2).is_err(), "{errors}");
        }
    }

    #[test]
    fn errors_of_any_shape_say_why() {
        let reasons = |errors: Value| {
            let answer: RawCreatedStories =
                serde_json::from_value(json!({ "issues": [], "errors": errors })).unwrap();
            attribute_nothing(&answer, 1).unwrap().remove(0).unwrap_err()
        };
        for errors in [json!(["No."]), json!({ "0": { "summary": "No." } }), json!("No.")] {
            assert_eq!(reasons(errors.clone()), "No.", "{errors}");
        }
    }
}
