//! The open modals: one stack per person, changed by the bot's calls and by what people do.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use serde_json::{Value, json};

use crate::slack::{
    modals::{form, modal::Modal},
    random::random_text,
    shown::changes::Changes,
    workspace::Workspace,
};
use maro_domain::ids::UserId;

/// How many views Slack allows in a stack.
const MAX_STACK: usize = 3;

/// How an update identifies its view.
#[derive(Debug, Clone, Copy)]
pub(crate) enum ViewName<'a> {
    Id(&'a str),
    ExternalId(&'a str),
}

impl ViewName<'_> {
    fn names(self, modal: &Modal) -> bool {
        match self {
            Self::Id(id) => modal.id() == id,
            Self::ExternalId(id) => modal.view["external_id"] == id,
        }
    }
}

#[derive(Debug)]
pub(crate) struct Views {
    stacks: Mutex<BTreeMap<UserId, Vec<Modal>>>,
    /// What is in people's Home tabs.
    homes: Mutex<BTreeMap<UserId, Value>>,
    changes: Arc<Changes>,
}

impl Views {
    pub(crate) fn new(changes: Arc<Changes>) -> Self {
        Self { stacks: Mutex::default(), homes: Mutex::default(), changes }
    }

    /// Shows something in a person's Home tab.
    pub(crate) fn publish(&self, user: &UserId, view: Value) {
        self.homes.lock().unwrap_or_else(PoisonError::into_inner).insert(user.clone(), view);
        self.changes.note();
    }

    pub(crate) fn home(&self, user: &UserId) -> Option<Value> {
        self.homes.lock().unwrap_or_else(PoisonError::into_inner).get(user).cloned()
    }

    /// Opens a modal. It replaces any that the person has open.
    pub(crate) fn open(
        &self,
        workspace: &Workspace,
        user: &UserId,
        asked: &Value,
    ) -> Result<Value, &'static str> {
        let mut stacks = self.stacks();
        refuse_taken_external_id(&stacks, asked, None)?;
        let view = complete(workspace, asked, None, None);
        stacks.insert(user.clone(), vec![fresh(user.as_str(), view.clone(), asked)]);
        drop(stacks);
        self.changes.note();
        Ok(view)
    }

    /// Opens a modal on top of those that the person has open.
    pub(crate) fn push(
        &self,
        workspace: &Workspace,
        user: &UserId,
        asked: &Value,
    ) -> Result<Value, &'static str> {
        let mut stacks = self.stacks();
        refuse_taken_external_id(&stacks, asked, None)?;
        let stack = stacks.get_mut(user).ok_or("not_found")?;
        if stack.len() >= MAX_STACK {
            return Err("push_limit_reached");
        }
        let view = complete(workspace, asked, None, stack.last());
        stack.push(fresh(user.as_str(), view.clone(), asked));
        drop(stacks);
        self.changes.note();
        Ok(view)
    }

    /// Replaces the content of an open view. If a hash is given, only if the view still has that hash.
    pub(crate) fn update(
        &self,
        workspace: &Workspace,
        name: ViewName<'_>,
        hash: Option<&str>,
        asked: &Value,
    ) -> Result<Value, &'static str> {
        let mut stacks = self.stacks();
        let found = stacks.values().flatten().find(|modal| name.names(modal)).ok_or("not_found")?;
        if hash.is_some_and(|hash| hash != found.hash()) {
            return Err("hash_conflict");
        }
        let id = found.id().to_owned();
        refuse_taken_external_id(&stacks, asked, Some(&id))?;
        let modal = stacks.values_mut().flatten().find(|modal| modal.id() == id).ok_or("not_found")?;
        let view = complete(workspace, asked, Some(modal), None);
        *modal = fresh(&modal.user, view.clone(), asked);
        drop(stacks);
        self.changes.note();
        Ok(view)
    }

    /// The modal that the person sees.
    pub(crate) fn top(&self, user: &UserId) -> Option<Modal> {
        self.stacks().get(user)?.last().cloned()
    }

    /// Changes an open view in place. `false` if it is no longer open.
    pub(crate) fn change(&self, id: &str, change: impl FnOnce(&mut Modal)) -> bool {
        let is_there =
            self.stacks().values_mut().flatten().find(|modal| modal.id() == id).map(change).is_some();
        self.changes.note();
        is_there
    }

    /// Removes one view. The one below it is visible again.
    pub(crate) fn remove(&self, id: &str) {
        let mut stacks = self.stacks();
        stacks.values_mut().for_each(|stack| stack.retain(|modal| modal.id() != id));
        stacks.retain(|_, stack| !stack.is_empty());
        drop(stacks);
        self.changes.note();
    }

    /// Removes all of a person's views and returns them, topmost first.
    pub(crate) fn clear(&self, user: &UserId) -> Vec<Modal> {
        let stack = self.stacks().remove(user).unwrap_or_default();
        self.changes.note();
        stack.into_iter().rev().collect()
    }

    /// No code panics while holding the lock.
    fn stacks(&self) -> MutexGuard<'_, BTreeMap<UserId, Vec<Modal>>> {
        self.stacks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn fresh(user: &str, view: Value, asked: &Value) -> Modal {
    Modal {
        user: user.to_owned(),
        view,
        payload: Arc::new(asked.clone()),
        errors: BTreeMap::new(),
        notice: None,
    }
}

fn refuse_taken_external_id(
    stacks: &BTreeMap<UserId, Vec<Modal>>,
    asked: &Value,
    but: Option<&str>,
) -> Result<(), &'static str> {
    let Some(id) = asked["external_id"].as_str().filter(|id| !id.is_empty()) else { return Ok(()) };
    let is_taken = stacks
        .values()
        .flatten()
        .any(|modal| ViewName::ExternalId(id).names(modal) && Some(modal.id()) != but);
    if is_taken { Err("duplicate_external_id") } else { Ok(()) }
}

/// The view object that Slack creates from the bot's request: it replaces `replaced`, or goes on top of
/// `below`.
fn complete(workspace: &Workspace, asked: &Value, replaced: Option<&Modal>, below: Option<&Modal>) -> Value {
    let id = replaced
        .map_or_else(|| format!("V0{}", random_text(9).to_uppercase()), |modal| modal.id().to_owned());
    let blocks = completed_blocks(asked["blocks"].as_array().map_or(&[], Vec::as_slice));
    let nothing = json!({});
    let state =
        form::state_values(&blocks, replaced.map_or(&nothing, |modal| &modal.view["state"]["values"]));
    let text = |name: &str| asked[name].as_str().unwrap_or_default();
    let flag = |name: &str| asked[name].as_bool().unwrap_or_default();
    let above = |name: &str| replaced.map(|modal| modal.view[name].clone());
    let root = above("root_view_id").or(below.map(|modal| modal.view["root_view_id"].clone()));
    let previous = above("previous_view_id").or(below.map(|modal| modal.view["id"].clone()));
    json!({
        "id": id,
        "team_id": workspace.team_id,
        "type": "modal",
        "title": completed_text(&asked["title"]),
        "submit": completed_text(&asked["submit"]),
        "close": completed_text(&asked["close"]),
        "blocks": blocks,
        "private_metadata": text("private_metadata"),
        "callback_id": text("callback_id"),
        "external_id": text("external_id"),
        "state": { "values": state },
        "hash": format!("{}.{}", rand::random_range(1_000_000_000..2_000_000_000_u64), random_text(8)),
        "clear_on_close": flag("clear_on_close"),
        "notify_on_close": flag("notify_on_close"),
        "submit_disabled": flag("submit_disabled"),
        "root_view_id": root.unwrap_or_else(|| json!(id)),
        "previous_view_id": previous.unwrap_or_default(),
        "app_id": workspace.app_id,
        "app_installed_team_id": workspace.team_id,
        "bot_id": workspace.bot_id,
    })
}

/// Blocks as Slack sends them on: each has an id, and the defaults of texts are filled in.
pub(crate) fn completed_blocks(blocks: &[Value]) -> Vec<Value> {
    let mut blocks: Vec<Value> = blocks.iter().map(completed_text).collect();
    for block in &mut blocks {
        give_id(block, "block_id");
        for name in ["element", "accessory"] {
            block.get_mut(name).into_iter().for_each(|element| give_id(element, "action_id"));
        }
        if block["type"] == "actions" {
            let elements = block["elements"].as_array_mut();
            elements.into_iter().flatten().for_each(|element| give_id(element, "action_id"));
        }
    }
    blocks
}

fn give_id(object: &mut Value, name: &str) {
    if object.get(name).is_none() && object.is_object() {
        object[name] = json!(random_text(5));
    }
}

/// The value with `emoji` and `verbatim` filled in for each text object in it.
fn completed_text(value: &Value) -> Value {
    match value {
        Value::Array(entries) => entries.iter().map(completed_text).collect(),
        Value::Object(fields) => {
            let mut fields: serde_json::Map<_, _> =
                fields.iter().map(|(name, value)| (name.clone(), completed_text(value))).collect();
            let default = match fields.get("type").and_then(Value::as_str) {
                Some("plain_text") => Some(("emoji", true)),
                Some("mrkdwn") => Some(("verbatim", false)),
                _ => None,
            };
            if let Some((name, value)) = default {
                fields.entry(name).or_insert(json!(value));
            }
            Value::Object(fields)
        }
        other => other.clone(),
    }
}
