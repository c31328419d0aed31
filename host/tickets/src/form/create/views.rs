//! The modals for creating a ticket: how they look, and how they are read.

use std::collections::BTreeMap;

use crate::{
    duplicates::retain_visible,
    filled_fields::{AskedField, FilledField},
    form::{
        create::fields::{self, Room, Screen},
        modal::{
            modal_calls::Modals,
            outcome::{FormOutcome, sentence},
            state::ModalState,
        },
    },
    intents::{
        exactly_once::Driver,
        patience::{LOOK_UP_PATIENCE, deadline},
        records::{Announcement, CreateRecord},
    },
};
use maro_domain::{
    issue::{Issue, IssueId, IssueKey, one_line},
    reply::Block,
    ticket::{IssueType, Project, SimilarTicket},
};
use maro_jira::error::JiraError;
use maro_slack::{
    interaction::view_state::InputValues,
    view::{
        View, ViewBlock,
        button::ViewButton,
        input::{Choice, MAX_OPTION_LABEL, SelectInput, TextInput},
    },
};
use maro_texts as texts;

pub(crate) const CREATE_ISSUE: &str = "create_issue";
/// A form that was sent, while MARO is at work on it.
pub(crate) const CREATING_ISSUE: &str = "creating_issue";
pub(crate) const CREATE_ISSUE_ANYWAY: &str = "create_issue_anyway";
/// The button under a form whose duplicates couldn't be looked for.
pub(crate) const CREATE_UNCHECKED: &str = "create_issue_unchecked";
/// The button in a form that Jira had nothing for.
pub(crate) const RELOAD: &str = "reload_form";
/// The button where Jira didn't say what an epic is.
pub(crate) const RELOAD_STORIES: &str = "reload_stories";
pub(crate) const LINK_DUPLICATE: &str = "link_duplicate";

const CHANNEL: &str = "channel";
pub(crate) const PROJECT: &str = "project";
pub(crate) const ISSUE_TYPE: &str = "issue_type";
pub(crate) const SUMMARY: &str = "summary";
pub(crate) const DESCRIPTION: &str = "description";

/// Jira's own limit, in UTF-16 units: an emoji counts as two.
pub(crate) const MAX_SUMMARY_LENGTH: usize = 255;

/// More than Slack lets anybody type into one input.
const MAX_TYPED_LENGTH: usize = 4_000;

/// The values in the create form.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct CreateInputs {
    /// Only a form that doesn't know its channel asks for it.
    pub(crate) channel: Option<Choice>,
    pub(crate) project: Option<Choice>,
    pub(crate) issue_type: Option<Choice>,
    pub(crate) summary: String,
    pub(crate) description: String,
    /// The other fields that the form asks for.
    pub(crate) fields: Vec<FilledField>,
    /// The options of the selects among them, as far as they're known, by the field's id.
    pub(crate) options: BTreeMap<String, Vec<Choice>>,
    /// Whether Jira demands a description.
    pub(crate) wants_description: bool,
}

/// The form as it was sent, to send again under the same intent.
pub(crate) struct FormAgain {
    pub(crate) state: ModalState,
    pub(crate) inputs: CreateInputs,
}

impl CreateInputs {
    /// What somebody filled in. `asked`: the other fields that the form asked for.
    pub(crate) fn read(asked: &[AskedField], values: &InputValues) -> Self {
        Self {
            fields: fields::read(asked, values),
            options: BTreeMap::new(),
            wants_description: false,
            channel: values.selected(CHANNEL).cloned(),
            project: values.selected(PROJECT).cloned(),
            issue_type: values.selected(ISSUE_TYPE).cloned(),
            summary: values.text(SUMMARY).unwrap_or_default().to_owned(),
            description: values.text(DESCRIPTION).unwrap_or_default().to_owned(),
        }
    }
}

impl CreateInputs {
    /// The same on another screen: what was put into a field that is there, too, stays.
    pub(crate) fn on(self, screen: &Screen) -> Self {
        let filling_of = |asked: &AskedField| {
            let known =
                self.fields.iter().find(|field| field.asked.id == asked.id && field.asked.kind == asked.kind);
            known.map(|field| field.filling.clone()).unwrap_or_default()
        };
        let fields =
            screen.asked.iter().map(|asked| FilledField { asked: asked.clone(), filling: filling_of(asked) });
        Self {
            fields: fields.collect(),
            options: screen.options.clone(),
            wants_description: screen.wants_description,
            ..self
        }
    }
}

/// The form for a new ticket, with `notices` at its top.
pub(crate) fn create_view(
    modals: &Modals,
    state: &ModalState,
    inputs: &CreateInputs,
    notices: &[Block],
) -> View {
    let state = &ModalState { asked: fields::nameless(&inputs.fields), ..state.clone() };
    let mut view = View::modal(CREATE_ISSUE, texts::issues::created::CREATE_TITLE)
        .with_submit(texts::issues::forms::CREATE)
        .with_private_metadata(modals.sealed(CREATE_ISSUE, state));
    for notice in notices {
        view.push(modals.section(&state.origin, vec![notice.clone()]));
    }
    let mut project = SelectInput::external(PROJECT, texts::issues::forms::PROJECT).telling_changes();
    let mut issue_type =
        SelectInput::external(ISSUE_TYPE, texts::issues::forms::ISSUE_TYPE).telling_changes();
    if let Some(choice) = &inputs.project {
        project = project.with_initial(choice.clone());
    }
    if let Some(choice) = &inputs.issue_type {
        issue_type = issue_type.with_initial(choice.clone());
    }
    if state.origin.is_nowhere() {
        let channel = SelectInput::channel(CHANNEL, texts::issues::forms::CHANNEL);
        view.push(match &inputs.channel {
            Some(chosen) => channel.with_initial(chosen.clone()),
            None => channel,
        });
    }
    let summary = TextInput::single_line(SUMMARY, texts::issues::forms::SUMMARY)
        .with_max_length(MAX_SUMMARY_LENGTH)
        .with_initial(&inputs.summary);
    let description = TextInput::multi_line(DESCRIPTION, texts::issues::forms::DESCRIPTION)
        .optional_if(!inputs.wants_description)
        .with_initial(&inputs.description);
    view = view.with_block(project).with_block(issue_type).with_block(summary);
    // What has to be filled in stands together, and what people may leave out comes last.
    let (required, optional): (Vec<_>, Vec<_>) =
        inputs.fields.iter().partition(|field| field.asked.is_required);
    let mut room = Room::of_form();
    let mut shown = |fields: Vec<&FilledField>| fields::inputs(fields, &inputs.options, &mut room);
    shown(required).into_iter().for_each(|input| view.push(input));
    view.push(description);
    shown(optional).into_iter().for_each(|input| view.push(input));
    view
}

/// A modal to wait in. Closing it before anything was begun cancels.
pub(crate) fn creating_view(modals: &Modals, state: &ModalState) -> View {
    // What was filled in is in the draft.
    let state = &ModalState { asked: Vec::new(), ..state.clone() };
    View::modal(CREATING_ISSUE, texts::issues::created::CREATE_TITLE)
        .with_close(texts::issues::forms::CLOSE)
        .with_notify_on_close()
        .with_private_metadata(modals.sealed(CREATING_ISSUE, state))
        .with_block(modals.section(&state.origin, vec![sentence(texts::issues::forms::CREATING)]))
}

/// The form while Jira doesn't answer. What is typed into it stays.
pub(crate) fn away_view(
    modals: &Modals,
    state: &ModalState,
    inputs: &CreateInputs,
    error: &JiraError,
) -> View {
    let notices =
        [sentence(&texts::failures::jira::failed(error)), sentence(texts::issues::forms::NOTHING_LOST)];
    let again = ViewButton::new(RELOAD, texts::issues::forms::TRY_AGAIN, "");
    create_view(modals, state, inputs, &notices).with_block(ViewBlock::Actions(vec![again]))
}

/// The form again because Jira doesn't answer: submitting it tries again.
pub(crate) fn to_try_again(form: View) -> View {
    form.with_submit(texts::issues::forms::TRY_AGAIN)
}

/// The form again because the search for duplicates isn't answered. It can be submitted again, or created anyway.
pub(crate) fn unanswered_view(modals: &Modals, state: &ModalState, inputs: &CreateInputs) -> View {
    let notice = sentence(texts::issues::created::SEARCH_UNANSWERED);
    let anyway = ViewButton::new(CREATE_UNCHECKED, texts::issues::created::CREATE_ANYWAY, "");
    to_try_again(create_view(modals, state, inputs, &[notice])).with_block(ViewBlock::Actions(vec![anyway]))
}

/// Shows tickets that may be the same, with a button for each, and "Create anyway", below a notice if there is one.
pub(crate) fn duplicates_view(
    modals: &Modals,
    state: &ModalState,
    summary: &str,
    similar: &[SimilarTicket],
    notice: &[Block],
) -> View {
    let origin = &state.origin;
    let question = Block::Paragraph(texts::issues::created::duplicates(similar.len(), summary));
    let heading = notice.iter().cloned().chain([question]).collect();
    let mut view = View::modal(CREATE_ISSUE_ANYWAY, texts::issues::created::DUPLICATES_TITLE)
        .with_submit(texts::issues::created::CREATE_ANYWAY)
        .with_private_metadata(modals.sealed(CREATE_ISSUE_ANYWAY, state))
        .with_block(modals.section(origin, heading));
    for ticket in similar {
        let SimilarTicket { key, summary, status, assignee, .. } = ticket;
        let lines = texts::issues::created::duplicate(key, summary, status, assignee.as_deref());
        let button = ViewButton::new(LINK_DUPLICATE, texts::issues::created::LINK_THIS, ticket.key.as_str());
        view.push(ViewBlock::section_with_button(modals.mrkdwn(origin, &[Block::Lines(lines)]), button));
    }
    view
}

/// The modal with similar tickets again, with a notice at its top, as far as Jira shows them now.
pub(crate) async fn duplicates_again(
    driver: &Driver,
    modals: &Modals,
    state: &ModalState,
    notice: &str,
) -> FormOutcome {
    let keys: Vec<IssueKey> = state.candidates.iter().filter_map(|key| IssueKey::parse(key).ok()).collect();
    let issues = driver.jira.get_issues(&keys, deadline(LOOK_UP_PATIENCE)).await.unwrap_or_default();
    let shown = |(key, issue): (IssueKey, Option<Issue>)| {
        let has_security_level = issue.as_ref().map(|issue| issue.has_security_level);
        let issue = issue.unwrap_or_else(|| Issue::new(IssueId::new(""), key, "", ""));
        SimilarTicket {
            id: issue.id,
            key: issue.key,
            summary: issue.summary,
            status: issue.status,
            assignee: None,
            has_security_level,
        }
    };
    let issues = issues.into_iter().chain(std::iter::repeat(None));
    let mut similar: Vec<SimilarTicket> = keys.into_iter().zip(issues).map(shown).collect();
    match state.origin.place() {
        Ok(place) => {
            let sight = driver.access.sight(&place.channel, &place.user).await;
            retain_visible(&mut similar, sight).await;
        }
        // Nobody knows what may be shown there.
        Err(_) => similar.clear(),
    }
    let summary = state.summary.as_deref().unwrap_or_default();
    let notice = vec![sentence(notice)];
    let view = duplicates_view(modals, state, summary, &similar, &notice);
    FormOutcome::news(view, notice)
}

/// Reads what somebody filled in, or returns errors beside inputs.
pub(crate) fn read_form(
    state: &ModalState,
    view_id: &str,
    inputs: CreateInputs,
) -> Result<CreateRecord, BTreeMap<String, String>> {
    let mut errors = BTreeMap::new();
    let summary = one_line(&inputs.summary, MAX_TYPED_LENGTH);
    if summary.is_empty() {
        errors.insert(SUMMARY.to_owned(), texts::issues::forms::SUMMARY_MISSING.to_owned());
    } else if summary.encode_utf16().count() > MAX_SUMMARY_LENGTH {
        errors.insert(SUMMARY.to_owned(), texts::issues::forms::summary_too_long(MAX_SUMMARY_LENGTH));
    }
    for FilledField { asked, filling } in &inputs.fields {
        if asked.is_required && filling.is_empty() {
            errors.insert(asked.id.clone(), texts::issues::forms::field_missing(&asked.name));
        }
    }
    let mut chosen = |choice: Option<Choice>, input: &str, missing: &str| {
        if choice.is_none() {
            errors.insert(input.to_owned(), missing.to_owned());
        }
        choice
    };
    let mut origin = state.origin.clone();
    if origin.is_nowhere() {
        let channel = chosen(inputs.channel, CHANNEL, texts::issues::forms::CHANNEL_MISSING);
        origin.channel = channel.map(|choice| choice.value).unwrap_or_default();
    }
    let project = chosen(inputs.project, PROJECT, texts::issues::forms::PROJECT_MISSING);
    let issue_type = chosen(inputs.issue_type, ISSUE_TYPE, texts::issues::forms::ISSUE_TYPE_MISSING);
    match (project, issue_type) {
        (Some(project), Some(issue_type)) if errors.is_empty() => Ok(CreateRecord {
            origin,
            view_id: view_id.to_owned(),
            project_key: project.value,
            project_name: project.label,
            issue_type_id: issue_type.value,
            issue_type_name: issue_type.label,
            summary,
            description: inputs.description,
            reporter: None,
            ticket: None,
            is_tracked: false,
            announcement: Announcement::Due,
            attempts: 0,
            asked_at: None,
            is_repeated: false,
            twins: Vec::new(),
            is_cancelled: false,
            fields: inputs.fields,
        }),
        _ => Err(errors),
    }
}

/// Turns errors by Jira's field names into errors beside the inputs of the create form. Errors that belong to no
/// input are returned separately, by the ids of fields as far as Jira says them. `asked`: the other fields that the
/// form asked for.
pub(crate) fn errors_by_input(
    fields: BTreeMap<String, String>,
    asked: &[FilledField],
) -> (BTreeMap<String, String>, BTreeMap<String, String>) {
    let (mut errors, mut others) = (BTreeMap::new(), BTreeMap::new());
    for (said, reason) in fields {
        let field = field_of(&said);
        let known = asked.iter().map(|filled| &filled.asked).find(|asked| asked.is_called(field));
        let input = match field {
            "project" | "pid" => PROJECT,
            "issuetype" => ISSUE_TYPE,
            "summary" => SUMMARY,
            "description" => DESCRIPTION,
            _ => match known {
                Some(asked) => &asked.id,
                None => {
                    others.insert(field.to_owned(), reason);
                    continue;
                }
            },
        };
        errors.insert(input.to_owned(), reason);
    }
    (errors, others)
}

/// The field that an error is about. Jira names parts of some, and gives one another name than its screen does.
fn field_of(said: &str) -> &str {
    match said {
        "parentId" => "parent",
        _ if said.starts_with("timetracking_") => "timetracking",
        // An option below another, as in `customfield_10020:1`.
        _ => match said.split_once(':') {
            Some((field, part)) if part.bytes().all(|byte| byte.is_ascii_digit()) => field,
            _ => said,
        },
    }
}

pub(crate) fn project_choice(project: &Project) -> Choice {
    // If there's no room for both, it's the name that is cut.
    let room = MAX_OPTION_LABEL.saturating_sub(project.key.len() + " ()".len());
    Choice::new(&project.key, format!("{} ({})", one_line(&project.name, room), project.key))
}

pub(crate) fn issue_type_choice(issue_type: &IssueType) -> Choice {
    Choice::new(&issue_type.id, &issue_type.name)
}
