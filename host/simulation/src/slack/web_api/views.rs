//! `views.open`, `views.update`, `views.push`.

use serde_json::{Value, json};

use crate::slack::{
    checks::view::{MAX_VIEW_BYTES, home_flaws, view_flaws},
    modals::views::ViewName,
    state::WorkspaceState,
    web_api::{
        arguments::text,
        result::{ApiResult, Refused},
    },
};

pub(super) fn open(shared: &WorkspaceState, arguments: &Value) -> ApiResult {
    let view = checked(arguments)?;
    let trigger = text(arguments, "trigger_id").ok_or("invalid_trigger_id")?;
    let user = shared.triggers.exchange(trigger, shared.settings.clock.now())?;
    Ok(json!({ "view": shared.views.open(&shared.workspace, &user, view)? }))
}

pub(super) fn push(shared: &WorkspaceState, arguments: &Value) -> ApiResult {
    let view = checked(arguments)?;
    let trigger = text(arguments, "trigger_id").ok_or("invalid_trigger_id")?;
    let user = shared.triggers.exchange(trigger, shared.settings.clock.now())?;
    Ok(json!({ "view": shared.views.push(&shared.workspace, &user, view)? }))
}

pub(super) fn update(shared: &WorkspaceState, arguments: &Value) -> ApiResult {
    let view = checked(arguments)?;
    let name = match (text(arguments, "view_id"), text(arguments, "external_id")) {
        (Some(id), _) => ViewName::Id(id),
        (None, Some(id)) => ViewName::ExternalId(id),
        (None, None) => return Err(invalid("[ERROR] must provide view_id or external_id".to_owned())),
    };
    let hash = text(arguments, "hash");
    Ok(json!({ "view": shared.views.update(&shared.workspace, name, hash, view)? }))
}

pub(super) fn publish(shared: &WorkspaceState, arguments: &Value) -> ApiResult {
    let view =
        arguments.get("view").ok_or_else(|| invalid("[ERROR] missing required field: view".to_owned()))?;
    let user = text(arguments, "user_id").ok_or("user_not_found")?;
    let person = shared.workspace.person(user).ok_or("user_not_found")?;
    let messages: Vec<_> = home_flaws(view).iter().map(|flaw| flaw.to_message()).collect();
    if !messages.is_empty() {
        return Err(Refused { messages, ..Refused::from("invalid_arguments") });
    }
    shared.views.publish(&person.id, view.clone());
    Ok(json!({ "view": view }))
}

fn checked(arguments: &Value) -> Result<&Value, Refused> {
    let Some(view) = arguments.get("view") else {
        return Err(invalid("[ERROR] missing required field: view".to_owned()));
    };
    if view.to_string().len() > MAX_VIEW_BYTES {
        return Err("view_too_large".into());
    }
    let messages: Vec<_> = view_flaws(view).iter().map(|flaw| flaw.to_message()).collect();
    if messages.is_empty() {
        Ok(view)
    } else {
        Err(Refused { messages, ..Refused::from("invalid_arguments") })
    }
}

fn invalid(message: String) -> Refused {
    Refused { messages: vec![message], ..Refused::from("invalid_arguments") }
}
