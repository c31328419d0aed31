//! Buttons, in views and below messages.

use serde_json::{Value, json};

use crate::view::plain_text::{bounded_id, plain_text};

/// The longest label; on a narrow screen some 30 characters show.
const MAX_LABEL: usize = 75;

/// The longest value, in bytes, which are never fewer than characters.
const MAX_VALUE_BYTES: usize = 2_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ButtonStyle {
    Primary,
    Danger,
}

/// The most buttons of one row.
const MAX_ROW: usize = 25;

/// Something to press.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Button {
    action_id: String,
    label: String,
    value: String,
    style: Option<ButtonStyle>,
}

impl Button {
    /// `action_id` tells what was pressed, `value` on what. A value beyond 2,000 bytes is left out, for
    /// half of it is of no use: make it with [`crate::sealed::Sealer::seal_for_button`].
    pub fn new(action_id: impl Into<String>, label: impl Into<String>, value: impl Into<String>) -> Self {
        Self { action_id: action_id.into(), label: label.into(), value: value.into(), style: None }
    }

    #[must_use]
    pub fn with_style(mut self, style: ButtonStyle) -> Self {
        self.style = Some(style);
        self
    }

    /// The block that shows a row of at most 25 buttons; `None` for none at all, which Slack refuses.
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
        match self.style {
            Some(ButtonStyle::Primary) => button["style"] = json!("primary"),
            Some(ButtonStyle::Danger) => button["style"] = json!("danger"),
            None => {}
        }
        button
    }
}
