//! A modal as it comes back from Slack: which one it is, and the values of its inputs.

use std::collections::BTreeMap;

use crate::view::input::Choice;

/// A modal at the time when somebody did something in it. `private_metadata` passed through Slack, so open it
/// with [`crate::sealed::Sealer::open`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ViewState {
    /// Identifies the modal to `views.update`.
    pub id: String,
    /// Changes with each update.
    pub hash: String,
    pub callback_id: String,
    pub private_metadata: String,
    pub values: InputValues,
}

/// The values of the inputs by action id, whatever block they are in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct InputValues {
    values: BTreeMap<String, InputValue>,
    labels: BTreeMap<String, String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum InputValue {
    Text(String),
    Selected(Choice),
    Several(Vec<Choice>),
}

impl InputValues {
    pub(super) fn new(values: BTreeMap<String, InputValue>, labels: BTreeMap<String, String>) -> Self {
        Self { values, labels }
    }

    /// What an input is called in the modal. `None` if it is missing.
    pub fn label(&self, block_id: &str) -> Option<&str> {
        self.labels.get(block_id).map(String::as_str)
    }

    /// What was typed, or the day or time that was chosen. `None` if the input is empty or missing.
    pub fn text(&self, action_id: &str) -> Option<&str> {
        match self.values.get(action_id)? {
            InputValue::Text(text) => Some(text),
            InputValue::Selected(_) | InputValue::Several(_) => None,
        }
    }

    /// The options that were chosen where several may be. Empty if none was, or the input is missing.
    pub fn several(&self, action_id: &str) -> &[Choice] {
        match self.values.get(action_id) {
            Some(InputValue::Several(choices)) => choices,
            _ => &[],
        }
    }

    /// What was chosen, with the label that was shown. `None` if nothing was, or the input is missing.
    pub fn selected(&self, action_id: &str) -> Option<&Choice> {
        match self.values.get(action_id)? {
            InputValue::Selected(choice) => Some(choice),
            InputValue::Text(_) | InputValue::Several(_) => None,
        }
    }
}
