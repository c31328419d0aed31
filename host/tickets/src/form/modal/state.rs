//! What a modal carries through Slack, sealed. It outlives a process, so new fields have a default and no
//! field ever changes its meaning.

use serde::{Deserialize, Serialize};

use crate::{filled_fields::AskedField, intents::records::Origin};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ModalState {
    pub(crate) intent_id: String,
    pub(crate) origin: Origin,
    /// The tickets that this modal offers for linking. No others can be linked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) candidates: Vec<String>,
    /// The summary of the ticket that those are like.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) summary: Option<String>,
    /// The project chosen in a create modal, because Slack doesn't say it when it asks for that project's
    /// types.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) project: Option<String>,
    /// The issue type chosen in a create modal, for the same reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) issue_type: Option<String>,
    /// The other fields that a create modal asks for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) asked: Vec<AskedField>,
    /// The epic of a stories modal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) epic: Option<String>,
}

impl ModalState {
    /// The state of a modal that nobody has filled in yet.
    pub(crate) fn new(origin: Origin) -> Self {
        Self::of(format!("{:032x}", rand::random::<u128>()), origin)
    }

    /// The state of a modal for an intent that already exists.
    pub(crate) fn of(intent_id: String, origin: Origin) -> Self {
        Self {
            intent_id,
            origin,
            candidates: Vec::new(),
            summary: None,
            project: None,
            issue_type: None,
            asked: Vec::new(),
            epic: None,
        }
    }
}
