//! Buttons in modals.

use serde_json::{Value, json};

use crate::view::plain_text::{bounded_id, plain_text};

/// The longest label. A narrow screen shows about 30 characters.
const MAX_LABEL: usize = 75;

/// The longest value, in bytes, so that it never has too many characters.
const MAX_VALUE_BYTES: usize = 2_000;

/// The most buttons in one row.
pub const MAX_ROW: usize = 25;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ViewButton {
    action_id: String,
    label: String,
    value: String,
}

impl ViewButton {
    /// `action_id` says what to do, and `value` with what. A value of more than 2,000 bytes is left out,
    /// because half of it would be useless: make it with [`crate::sealed::Sealer::seal_for_button`].
    pub fn new(action_id: impl Into<String>, label: impl Into<String>, value: impl Into<String>) -> Self {
        Self { action_id: action_id.into(), label: label.into(), value: value.into() }
    }

    /// A block with a row of at most 25 buttons; `None` if there are none, which Slack would reject.
    pub(crate) fn row(buttons: &[Self]) -> Option<Value> {
        let elements: Vec<_> = buttons.iter().take(MAX_ROW).map(Self::to_json).collect();
        (!elements.is_empty()).then(|| json!({ "type": "actions", "elements": elements }))
    }

    pub(super) fn to_json(&self) -> Value {
        let mut button = json!({
            "type": "button",
            "action_id": bounded_id(&self.action_id),
            "text": plain_text(&self.label, MAX_LABEL),
        });
        if !self.value.is_empty() && self.value.len() <= MAX_VALUE_BYTES {
            button["value"] = json!(self.value);
        }
        button
    }
}
