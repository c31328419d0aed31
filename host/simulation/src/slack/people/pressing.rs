//! Presses buttons in modals and in messages.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::slack::{
    modals::form::{self, ShownButton},
    people::{act_error::ActError, messages},
    shown::history::ShownMessage,
    state::WorkspaceState,
    to_bot::{delivery, parcel::Parcel, payloads},
};
use maro_domain::issue::IssueKey;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Press {
    label: String,
    /// Whether the label can only be an action id.
    is_action_id: bool,
    nth: Option<usize>,
    beside: Option<String>,
    block_id: Option<String>,
}

impl Press {
    /// The button with this label. If there is none, the one with this action id.
    pub fn button(label: &str) -> Self {
        Self { label: label.to_owned(), is_action_id: false, nth: None, beside: None, block_id: None }
    }

    /// The button with this action id.
    pub fn action(action_id: &str) -> Self {
        Self { is_action_id: true, ..Self::button(action_id) }
    }

    /// If there are several, the one with this number, counting from 1.
    #[must_use]
    pub fn nth(self, nth: usize) -> Self {
        Self { nth: Some(nth), ..self }
    }

    /// If there are several, the one next to (or in a row below) text that contains this.
    #[must_use]
    pub fn beside(self, text: &str) -> Self {
        Self { beside: Some(text.to_owned()), ..self }
    }

    /// If there are several, the one in the block with this id.
    #[must_use]
    pub fn in_block(self, block_id: &str) -> Self {
        Self { block_id: Some(block_id.to_owned()), ..self }
    }

    pub(crate) fn find(&self, blocks: &[Value]) -> Result<ShownButton, ActError> {
        let all = form::buttons(blocks);
        let by = |name: fn(&ShownButton) -> &str| -> Vec<&ShownButton> {
            let is_there = |button: &&ShownButton| {
                self.beside.as_ref().is_none_or(|text| button.beside.contains(text))
                    && self.block_id.as_ref().is_none_or(|id| button.block_id == *id)
            };
            all.iter().filter(|button| name(button) == self.label).filter(is_there).collect()
        };
        let mut found = if self.is_action_id { Vec::new() } else { by(|button| &button.label) };
        if found.is_empty() {
            found = by(|button| &button.action_id);
        }
        if let ([first, _, ..], None) = (&found[..], self.nth) {
            let mut words =
                first.beside.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '-');
            let key = words.find(|word| IssueKey::parse(word).is_ok());
            let beside = key.unwrap_or("TEXT").to_owned();
            return Err(ActError::ManyButtons { label: self.label.clone(), count: found.len(), beside });
        }
        let index = self.nth.unwrap_or(1).checked_sub(1);
        index.and_then(|index| found.get(index)).map(|button| (*button).clone()).ok_or_else(|| {
            let labels: Vec<_> = all.iter().map(|button| button.label.as_str()).collect();
            let known = if labels.is_empty() {
                "There are no buttons.".to_owned()
            } else {
                format!("Choose from {}.", labels.join(", "))
            };
            ActError::NoButton { label: self.label.clone(), known }
        })
    }
}

impl From<&str> for Press {
    fn from(label: &str) -> Self {
        Self::button(label)
    }
}

pub(crate) async fn in_modal(shared: &WorkspaceState, user: &str, press: &Press) -> Result<(), ActError> {
    send(shared, payload(shared, user, press)?).await
}

/// What is sent if the person presses a button in their modal.
pub(crate) fn payload(shared: &WorkspaceState, user: &str, press: &Press) -> Result<Value, ActError> {
    let (person, modal) = shared.person_and_modal(user)?;
    let button = press.find(modal.blocks())?;
    let action = payloads::button_action(shared, &button);
    Ok(payloads::modal_action(shared, person, &modal, action))
}

pub(crate) async fn in_message(
    shared: &WorkspaceState,
    user: &str,
    message: &ShownMessage,
    press: &Press,
) -> Result<(), ActError> {
    let person = shared.person(user)?;
    let button = press.find(&message.blocks)?;
    let action = payloads::button_action(shared, &button);
    let (_, url) = messages::open_response_url(shared, person, message, Some(&message.ts));
    send(shared, payloads::message_action(shared, person, message, &url, action)).await
}

async fn send(shared: &WorkspaceState, payload: Value) -> Result<(), ActError> {
    let answer = delivery::deliver(shared, &Parcel::Interaction(payload)).await;
    answer.map(drop).map_err(ActError::Unanswered)
}
