//! Submits and closes modals, and does what the bot's answer to a submission says.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::slack::{
    checks::view::view_flaws,
    modals::{form::Field, modal::Modal, views::ViewName},
    people::act_error::{ActError, SubmitOutcome},
    state::WorkspaceState,
    to_bot::{
        delivery,
        parcel::{BotAnswer, NoAnswer, Parcel},
        payloads,
    },
    workspace::Person,
};

/// What Slack shows in a modal if the bot didn't accept its submission.
pub const TROUBLE: &str = "We had some trouble connecting. Try again?";

pub(crate) async fn submit(shared: &WorkspaceState, user: &str) -> Result<SubmitOutcome, ActError> {
    let (person, modal) = ready(shared, user)?;
    if let Some(incomplete) = refuse_incomplete(shared, &modal) {
        return Ok(incomplete);
    }
    Ok(send(shared, person, &modal).await)
}

pub(crate) async fn submit_twice(
    shared: &WorkspaceState,
    user: &str,
) -> Result<[SubmitOutcome; 2], ActError> {
    let (person, modal) = ready(shared, user)?;
    if let Some(incomplete) = refuse_incomplete(shared, &modal) {
        return Ok([incomplete.clone(), incomplete]);
    }
    let (first, second) = tokio::join!(send(shared, person, &modal), send(shared, person, &modal));
    Ok([first, second])
}

pub(crate) fn payload(shared: &WorkspaceState, user: &str) -> Result<Value, ActError> {
    let (person, modal) = ready(shared, user)?;
    Ok(payloads::view_submission(shared, person, &modal))
}

fn ready<'a>(shared: &'a WorkspaceState, user: &str) -> Result<(&'a Person, Modal), ActError> {
    let (person, modal) = shared.person_and_modal(user)?;
    if modal.submit_label().is_none() {
        return Err(ActError::NoSubmit { title: modal.title().to_owned() });
    }
    Ok((person, modal))
}

/// Slack doesn't send a modal if something in it is missing or too long. It shows an error instead.
fn refuse_incomplete(shared: &WorkspaceState, modal: &Modal) -> Option<SubmitOutcome> {
    let objection = |field: &Field| {
        let length = field.value.as_deref().map_or(0, |value| value.encode_utf16().count());
        match field.length_limits {
            _ if length == 0 && field.is_required => Some("Please complete this required field.".to_owned()),
            (Some(min), _) if length > 0 && length < min => {
                Some(format!("Please enter at least {min} characters."))
            }
            (_, Some(max)) if length > max => Some(format!("Please enter no more than {max} characters.")),
            _ => None,
        }
    };
    let errors: BTreeMap<_, _> =
        modal.fields().iter().filter_map(|field| Some((field.block_id.clone(), objection(field)?))).collect();
    if errors.is_empty() {
        return None;
    }
    shared.views.change(modal.id(), |modal| modal.errors.clone_from(&errors));
    Some(SubmitOutcome::Incomplete(errors))
}

async fn send(shared: &WorkspaceState, person: &Person, modal: &Modal) -> SubmitOutcome {
    shared.views.change(modal.id(), |modal| {
        modal.errors.clear();
        modal.notice = None;
    });
    let payload = payloads::view_submission(shared, person, modal);
    let answer = delivery::deliver(shared, &Parcel::Interaction(payload)).await;
    match obey(shared, person, modal, answer) {
        Ok(outcome) => outcome,
        Err(problem) => {
            if let Some(problem) = problem {
                shared.history.report(format!("The answer to a view_submission is invalid: {problem}"));
            }
            shared.views.change(modal.id(), |modal| modal.notice = Some(TROUBLE.to_owned()));
            SubmitOutcome::Failed(TROUBLE.to_owned())
        }
    }
}

/// Does what the bot's answer says. The error says what is wrong with the answer, if there was one.
fn obey(
    shared: &WorkspaceState,
    person: &Person,
    modal: &Modal,
    answer: Result<BotAnswer, NoAnswer>,
) -> Result<SubmitOutcome, Option<String>> {
    let answer = answer.map_err(|_| None)?;
    if answer.is_empty() {
        shared.views.remove(modal.id());
        return Ok(SubmitOutcome::Closed);
    }
    let answer = answer.json().ok_or_else(|| Some("it isn't JSON".to_owned()))?;
    match answer["response_action"].as_str() {
        None if answer.as_object().is_some_and(serde_json::Map::is_empty) => {
            shared.views.remove(modal.id());
            Ok(SubmitOutcome::Closed)
        }
        Some("clear") => {
            shared.views.clear(&person.id);
            Ok(SubmitOutcome::Closed)
        }
        Some("errors") => take_errors(shared, modal, &answer["errors"]),
        Some("update") => {
            let view = checked_view(&answer["view"])?;
            // A modal that was closed in the meantime stays closed.
            let updated = shared.views.update(&shared.workspace, ViewName::Id(modal.id()), None, view);
            Ok(shown(shared, person, updated.is_ok()).map_or(SubmitOutcome::Closed, SubmitOutcome::Updated))
        }
        Some("push") => {
            let view = checked_view(&answer["view"])?;
            let pushed = shared.views.push(&shared.workspace, &person.id, view);
            pushed.map_err(|word| Some(word.to_owned()))?;
            Ok(shown(shared, person, true).map_or(SubmitOutcome::Closed, SubmitOutcome::Pushed))
        }
        _ => Err(Some(format!("response_action is {}", answer["response_action"]))),
    }
}

fn shown(shared: &WorkspaceState, person: &Person, is_open: bool) -> Option<Modal> {
    shared.views.top(&person.id).filter(|_| is_open)
}

fn checked_view(view: &Value) -> Result<&Value, Option<String>> {
    let flaws: Vec<_> = view_flaws(view).iter().map(ToString::to_string).collect();
    if flaws.is_empty() { Ok(view) } else { Err(Some(flaws.join(" "))) }
}

fn take_errors(
    shared: &WorkspaceState,
    modal: &Modal,
    errors: &Value,
) -> Result<SubmitOutcome, Option<String>> {
    let errors: BTreeMap<String, String> = serde_json::from_value(errors.clone())
        .map_err(|_| Some("errors doesn't map ids to texts".to_owned()))?;
    if errors.is_empty() {
        return Err(Some("errors is empty".to_owned()));
    }
    let is_input = |id: &String| {
        modal.blocks().iter().any(|block| block["type"] == "input" && block["block_id"] == id.as_str())
    };
    if let Some(id) = errors.keys().find(|id| !is_input(id)) {
        return Err(Some(format!("errors contains {id:?}, which isn't an input block")));
    }
    shared.views.change(modal.id(), |modal| modal.errors.clone_from(&errors));
    Ok(SubmitOutcome::Errors(errors))
}

pub(crate) async fn close(shared: &WorkspaceState, user: &str) -> Result<(), ActError> {
    let (person, modal) = shared.person_and_modal(user)?;
    let is_cleared = modal.view["clear_on_close"] == true;
    let closed = if is_cleared {
        shared.views.clear(&person.id)
    } else {
        shared.views.remove(modal.id());
        vec![modal]
    };
    for modal in closed.iter().filter(|modal| modal.view["notify_on_close"] == true) {
        let payload = payloads::view_closed(shared, person, modal, is_cleared);
        if let Err(why) = delivery::deliver(shared, &Parcel::Interaction(payload)).await {
            shared.history.report(format!("A view_closed wasn't acknowledged: {why}."));
        }
    }
    Ok(())
}
