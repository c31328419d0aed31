//! A modal as it comes back: which one it is, and what stands in its inputs.

use std::collections::BTreeMap;

use crate::view::input::Choice;

/// A modal at the time somebody did something in it. `private_metadata` passed through Slack and is to be
/// opened with [`crate::sealed::Sealer::open`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ViewState {
    /// Names the modal to `views.update`.
    pub id: String,
    /// Changes with each update.
    pub hash: String,
    pub callback_id: String,
    pub private_metadata: String,
    pub values: InputValues,
}

/// What stands in the inputs, found by action id in whichever block.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct InputValues {
    values: BTreeMap<String, InputValue>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum InputValue {
    Text(String),
    Selected(Choice),
}

impl InputValues {
    pub(super) fn new(values: BTreeMap<String, InputValue>) -> Self {
        Self { values }
    }

    /// What was typed. `None` if the input is empty or not there.
    pub fn text(&self, action_id: &str) -> Option<&str> {
        match self.values.get(action_id)? {
            InputValue::Text(text) => Some(text),
            InputValue::Selected(_) => None,
        }
    }

    /// What was chosen, with its label as it was shown. `None` if nothing is, or the input is not there.
    pub fn selected(&self, action_id: &str) -> Option<&Choice> {
        match self.values.get(action_id)? {
            InputValue::Selected(choice) => Some(choice),
            InputValue::Text(_) => None,
        }
    }
}
