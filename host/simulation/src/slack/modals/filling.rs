//! Fills in the fields of a modal. Where the bot suggests options, it is asked for them.

use serde_json::{Value, json};

use crate::slack::{
    checks::view::suggestion_flaws,
    modals::{
        form::{self, Field, ShownChoice},
        modal::Modal,
    },
    people::act_error::ActError,
    state::WorkspaceState,
    to_bot::{delivery, parcel::Parcel, payloads},
    workspace::Person,
};

pub(crate) async fn fill(
    shared: &WorkspaceState,
    user: &str,
    values: &[(&str, &str)],
) -> Result<Modal, ActError> {
    for (name, value) in values {
        let (person, modal) = shared.person_and_modal(user)?;
        let field = find(&modal, name)?;
        let state = state_for(shared, person, &modal, &field, value).await?;
        shared.views.change(modal.id(), |modal| {
            modal.view["state"]["values"][&field.block_id][&field.action_id] = state.clone();
        });
        // For a text field, Slack notifies the bot only when Enter is pressed.
        if field.is_dispatched && !is_text(&field.kind) {
            dispatch(shared, person, modal.id(), &field, &state).await?;
        }
    }
    Ok(shared.person_and_modal(user)?.1)
}

pub(crate) async fn suggestions(
    shared: &WorkspaceState,
    user: &str,
    name: &str,
    typed: &str,
) -> Result<Vec<ShownChoice>, ActError> {
    let (person, modal) = shared.person_and_modal(user)?;
    let field = find(&modal, name)?;
    let options = suggest(shared, person, &modal, &field, typed).await?;
    Ok(options.iter().map(form::choice).collect())
}

fn find(modal: &Modal, name: &str) -> Result<Field, ActError> {
    modal.field(name).ok_or_else(|| {
        let names: Vec<_> = modal.fields().into_iter().map(|field| field.action_id).collect();
        let known = if names.is_empty() {
            "It has no fields.".to_owned()
        } else {
            format!("It has {}.", names.join(", "))
        };
        ActError::NoField { title: modal.title().to_owned(), name: name.to_owned(), known }
    })
}

fn is_text(kind: &str) -> bool {
    matches!(kind, "plain_text_input" | "email_text_input" | "url_text_input" | "number_input")
}

/// What `view.state.values` contains for the field once the value is typed or chosen.
async fn state_for(
    shared: &WorkspaceState,
    person: &Person,
    modal: &Modal,
    field: &Field,
    value: &str,
) -> Result<Value, ActError> {
    let kind = &field.kind;
    match kind.as_str() {
        kind if is_text(kind) => {
            let text = if value.is_empty() { Value::Null } else { json!(value) };
            Ok(json!({ "type": kind, "value": text }))
        }
        "static_select" | "external_select" | "radio_buttons" => {
            let option = if value.is_empty() {
                Value::Null
            } else {
                choose(shared, person, modal, field, value).await?
            };
            Ok(json!({ "type": kind, "selected_option": option }))
        }
        "datetimepicker" => Ok(json!({ "type": kind, "selected_date_time": value.parse::<i64>().ok() })),
        "datepicker" => {
            let date = if value.is_empty() { Value::Null } else { json!(value) };
            Ok(json!({ "type": kind, "selected_date": date }))
        }
        "conversations_select" => {
            let place = shared.workspace.place(value.trim_start_matches('#'), person);
            Ok(
                json!({ "type": kind, "selected_conversation": place.map(|place| place.id.as_str().to_owned()) }),
            )
        }
        "multi_static_select" | "multi_external_select" | "checkboxes" => {
            let mut options = Vec::new();
            for part in value.split(',').map(str::trim).filter(|part| !part.is_empty()) {
                options.push(choose(shared, person, modal, field, part).await?);
            }
            Ok(json!({ "type": kind, "selected_options": options }))
        }
        _ => Err(ActError::NotFillable { field: field.action_id.clone(), kind: kind.clone() }),
    }
}

/// The option with this label or value. If the bot suggests options, this types less and less of it until the
/// option is suggested, as a person would.
async fn choose(
    shared: &WorkspaceState,
    person: &Person,
    modal: &Modal,
    field: &Field,
    wanted: &str,
) -> Result<Value, ActError> {
    let mut offered = Vec::new();
    if field.min_query_length.is_none() {
        offered = own_options(modal, field);
    } else {
        let first_word = wanted.split_whitespace().next().unwrap_or_default();
        let mut attempts = vec![wanted, first_word, ""];
        attempts.dedup();
        for typed in attempts {
            offered = suggest(shared, person, modal, field, typed).await?;
            if let Some(option) = pick(&offered, wanted) {
                return Ok(option);
            }
            if let [only] = &offered[..]
                && typed == wanted
            {
                return Ok(only.clone());
            }
        }
    }
    pick(&offered, wanted).ok_or_else(|| {
        let labels: Vec<_> = offered.iter().map(|option| form::choice(option).label).collect();
        let offered = if labels.is_empty() { "nothing".to_owned() } else { labels.join(", ") };
        ActError::NoChoice { field: field.action_id.clone(), wanted: wanted.to_owned(), offered }
    })
}

fn pick(offered: &[Value], wanted: &str) -> Option<Value> {
    let is = |option: &&Value, same: fn(&str, &str) -> bool| {
        let ShownChoice { label, value } = form::choice(option);
        same(&label, wanted) || same(&value, wanted)
    };
    let exact = offered.iter().find(|option| is(option, |one, other| one == other));
    exact.or_else(|| offered.iter().find(|option| is(option, str::eq_ignore_ascii_case))).cloned()
}

/// The options listed in the field itself.
fn own_options(modal: &Modal, field: &Field) -> Vec<Value> {
    let is_own = |element: &&Value| element["action_id"] == field.action_id;
    let block = modal.blocks().iter().find(|block| block["block_id"] == field.block_id);
    let Some(block) = block else { return Vec::new() };
    let single = block.get("element").or(block.get("accessory"));
    let row = block["elements"].as_array().into_iter().flatten();
    single.into_iter().chain(row).find(is_own).map(form::options).unwrap_or_default()
}

async fn suggest(
    shared: &WorkspaceState,
    person: &Person,
    modal: &Modal,
    field: &Field,
    typed: &str,
) -> Result<Vec<Value>, ActError> {
    let Some(min) = field.min_query_length else {
        return Ok(own_options(modal, field));
    };
    if typed.chars().count() < min {
        return Ok(Vec::new());
    }
    let payload = payloads::block_suggestion(shared, person, modal, field, typed);
    let answer =
        delivery::deliver(shared, &Parcel::Interaction(payload)).await.map_err(ActError::Unanswered)?;
    let bad = |problem: String| {
        shared.history.report(format!("The answer to a block_suggestion is invalid: {problem}"));
        ActError::BadSuggestion { field: field.action_id.clone(), problem }
    };
    let answer = answer.json().ok_or_else(|| bad("it isn't JSON".to_owned()))?;
    let flaws = suggestion_flaws(&answer);
    if let Some(flaw) = flaws.first() {
        return Err(bad(flaw.to_string()));
    }
    Ok(form::options(&answer))
}

/// Notifies the bot immediately that a field was changed.
async fn dispatch(
    shared: &WorkspaceState,
    person: &Person,
    view_id: &str,
    field: &Field,
    state: &Value,
) -> Result<(), ActError> {
    let Some(modal) = shared.views.top(&person.id).filter(|modal| modal.id() == view_id) else {
        return Ok(());
    };
    let action = payloads::field_action(shared, field, state);
    let payload = payloads::modal_action(shared, person, &modal, action);
    let answer = delivery::deliver(shared, &Parcel::Interaction(payload)).await;
    answer.map(drop).map_err(ActError::Unanswered)
}
