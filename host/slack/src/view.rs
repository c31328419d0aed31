//! Modals: MARO's own small description of one, and its Block Kit form.
//!
//! Slack refuses a view whole for one text that is too long, so everything here stays within its limits by
//! construction: texts are cut with `…`, surplus blocks are dropped. The limits are those of
//! <https://docs.slack.dev/reference/views/modal-views> and the pages of the blocks and elements. Lengths
//! count UTF-16 units.

pub mod button;
pub mod input;
pub(crate) mod plain_text;

use serde_json::{Value, json};

use crate::{
    render::Mrkdwn,
    view::{
        button::Button,
        input::{SelectInput, TextInput},
        plain_text::{bounded_id, plain_text},
    },
};

/// The longest title, and label of the buttons to submit and to close.
const MAX_TITLE: usize = 24;

/// The longest `private_metadata`.
const MAX_PRIVATE_METADATA: usize = 3_000;

/// The most blocks of a view.
const MAX_BLOCKS: usize = 100;

/// The longest text of a section, and of a context element.
const MAX_TEXT: usize = 3_000;

/// The most elements of a context block.
const MAX_CONTEXT_ELEMENTS: usize = 10;

/// Slack refuses a view that has inputs and nothing to submit them with.
const SUBMIT: &str = "Submit";

/// A modal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct View {
    callback_id: String,
    title: String,
    submit: Option<String>,
    close: Option<String>,
    private_metadata: String,
    notify_on_close: bool,
    blocks: Vec<ViewBlock>,
}

/// A part of a modal, from top to bottom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ViewBlock {
    Section {
        text: Mrkdwn,
        button: Option<Button>,
    },
    /// Small print: one line of up to ten texts.
    Context(Vec<Mrkdwn>),
    TextInput(TextInput),
    SelectInput(SelectInput),
    /// A row of at most 25 buttons.
    Actions(Vec<Button>),
    Divider,
}

impl View {
    /// An empty modal that can only be closed. `callback_id` tells, when it comes back, which one it was.
    pub fn modal(callback_id: impl Into<String>, title: impl Into<String>) -> Self {
        Self {
            callback_id: callback_id.into(),
            title: title.into(),
            submit: None,
            close: None,
            private_metadata: String::new(),
            notify_on_close: false,
            blocks: Vec::new(),
        }
    }

    /// Shows a button to submit, with at most 24 characters.
    #[must_use]
    pub fn with_submit(mut self, label: impl Into<String>) -> Self {
        self.submit = Some(label.into());
        self
    }

    /// Names the button to close, which Slack calls "Cancel" otherwise.
    #[must_use]
    pub fn with_close(mut self, label: impl Into<String>) -> Self {
        self.close = Some(label.into());
        self
    }

    /// What comes back with everything that happens in the modal: at most 3,000 characters, made by
    /// [`crate::sealed::Sealer::seal`]. Too long a one is left out, for half of it is of no use.
    #[must_use]
    pub fn with_private_metadata(mut self, metadata: impl Into<String>) -> Self {
        self.private_metadata = metadata.into();
        self
    }

    /// Has Slack tell when the modal is closed without being submitted.
    #[must_use]
    pub fn with_notify_on_close(mut self) -> Self {
        self.notify_on_close = true;
        self
    }

    /// Adds a block at the end. Beyond 100, blocks are not shown.
    #[must_use]
    pub fn with_block(mut self, block: impl Into<ViewBlock>) -> Self {
        self.push(block);
        self
    }

    /// As [`View::with_block`], in place.
    pub fn push(&mut self, block: impl Into<ViewBlock>) {
        self.blocks.push(block.into());
    }

    pub fn callback_id(&self) -> &str {
        &self.callback_id
    }

    /// The view as Slack's methods and answers take it.
    pub fn to_json(&self) -> Value {
        let blocks: Vec<_> = self.blocks.iter().filter_map(ViewBlock::to_json).take(MAX_BLOCKS).collect();
        let mut view = json!({
            "type": "modal",
            "callback_id": bounded_id(&self.callback_id),
            "title": plain_text(&self.title, MAX_TITLE),
            "blocks": blocks,
        });
        let has_inputs = self.blocks.iter().any(ViewBlock::is_input);
        if let Some(submit) = self.submit.as_deref().or(has_inputs.then_some(SUBMIT)) {
            view["submit"] = plain_text(submit, MAX_TITLE);
        }
        if let Some(close) = &self.close {
            view["close"] = plain_text(close, MAX_TITLE);
        }
        if !self.private_metadata.is_empty() && self.private_metadata.len() <= MAX_PRIVATE_METADATA {
            view["private_metadata"] = json!(self.private_metadata);
        }
        if self.notify_on_close {
            view["notify_on_close"] = json!(true);
        }
        view
    }
}

impl ViewBlock {
    pub fn section(text: Mrkdwn) -> Self {
        Self::Section { text, button: None }
    }

    /// A section with a button at its right.
    pub fn section_with_button(text: Mrkdwn, button: Button) -> Self {
        Self::Section { text, button: Some(button) }
    }

    fn is_input(&self) -> bool {
        matches!(self, Self::TextInput(_) | Self::SelectInput(_))
    }

    /// `None` for what Slack would refuse because there is nothing in it.
    fn to_json(&self) -> Option<Value> {
        Some(match self {
            Self::Section { text, button } => {
                let mut section = json!({ "type": "section", "text": mrkdwn(text) });
                if let Some(button) = button {
                    section["accessory"] = button.to_json();
                }
                section
            }
            Self::Context(texts) if texts.is_empty() => return None,
            Self::Context(texts) => {
                let elements: Vec<_> = texts.iter().take(MAX_CONTEXT_ELEMENTS).map(mrkdwn).collect();
                json!({ "type": "context", "elements": elements })
            }
            Self::TextInput(input) => input.to_json(),
            Self::SelectInput(input) => input.to_json(),
            Self::Actions(buttons) => return Button::row(buttons),
            Self::Divider => json!({ "type": "divider" }),
        })
    }
}

impl From<TextInput> for ViewBlock {
    fn from(input: TextInput) -> Self {
        Self::TextInput(input)
    }
}

impl From<SelectInput> for ViewBlock {
    fn from(input: SelectInput) -> Self {
        Self::SelectInput(input)
    }
}

fn mrkdwn(text: &Mrkdwn) -> Value {
    // Verbatim keeps Slack from linking what merely looks like a channel, a person or an address.
    json!({ "type": "mrkdwn", "text": text.clone().bounded(MAX_TEXT).as_str(), "verbatim": true })
}
