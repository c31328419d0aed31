//! Modals: MARO's own small description of them, and their Block Kit form.
//!
//! Slack rejects a whole view if a single text is too long. So everything here keeps to its limits by
//! construction: texts are cut with `…`, and surplus blocks are dropped. The limits are from
//! <https://docs.slack.dev/reference/views/modal-views> and the pages about blocks and elements. Lengths are
//! in UTF-16 units.

pub mod button;
pub mod field;
pub mod home;
pub mod input;
pub(crate) mod plain_text;

use serde_json::{Value, json};

use crate::{
    outgoing::render::Mrkdwn,
    view::{
        button::ViewButton,
        field::FieldInput,
        input::{SelectInput, TextInput},
        plain_text::{bounded_id, plain_text},
    },
};

/// The longest title, and the longest label of the submit and close buttons.
const MAX_TITLE: usize = 24;

/// The longest `private_metadata`.
const MAX_PRIVATE_METADATA: usize = 3_000;

/// The most blocks in a view.
const MAX_BLOCKS: usize = 100;

/// The longest text in a section or context element.
const MAX_TEXT: usize = 3_000;

/// The most elements in a context block.
const MAX_CONTEXT_ELEMENTS: usize = 10;

/// Slack rejects a view that has inputs but no submit button.
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
        button: Option<ViewButton>,
    },
    /// Small print: one line of up to ten texts.
    Context(Vec<Mrkdwn>),
    TextInput(TextInput),
    SelectInput(SelectInput),
    FieldInput(FieldInput),
    /// A row of at most 25 buttons.
    Actions(Vec<ViewButton>),
    Divider,
}

impl View {
    /// An empty modal that can only be closed. `callback_id` identifies it when it comes back.
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

    /// Adds a submit button. Its label has at most 24 characters.
    #[must_use]
    pub fn with_submit(mut self, label: impl Into<String>) -> Self {
        self.submit = Some(label.into());
        self
    }

    /// Labels the close button, which is otherwise called "Cancel".
    #[must_use]
    pub fn with_close(mut self, label: impl Into<String>) -> Self {
        self.close = Some(label.into());
        self
    }

    /// What comes back with everything that happens in the modal: at most 3,000 characters, made by
    /// [`crate::sealed::Sealer::seal`]. If it is too long, it is left out, because half of it would be useless.
    #[must_use]
    pub fn with_private_metadata(mut self, metadata: impl Into<String>) -> Self {
        self.private_metadata = metadata.into();
        self
    }

    /// Asks Slack to report if the modal is closed without being submitted.
    #[must_use]
    pub fn with_notify_on_close(mut self) -> Self {
        self.notify_on_close = true;
        self
    }

    /// Adds a block at the end. Only the first 100 blocks are shown.
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

    /// The view in the format of Slack's methods and answers.
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

    pub fn section_with_button(text: Mrkdwn, button: ViewButton) -> Self {
        Self::Section { text, button: Some(button) }
    }

    fn is_input(&self) -> bool {
        matches!(self, Self::TextInput(_) | Self::SelectInput(_) | Self::FieldInput(_))
    }

    /// `None` for an empty block, which Slack would reject.
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
            Self::FieldInput(input) => input.to_json(),
            Self::Actions(buttons) => return ViewButton::row(buttons),
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

impl From<FieldInput> for ViewBlock {
    fn from(input: FieldInput) -> Self {
        Self::FieldInput(input)
    }
}

fn mrkdwn(text: &Mrkdwn) -> Value {
    // Verbatim keeps Slack from linking what only looks like a channel, a person or an address.
    json!({ "type": "mrkdwn", "text": text.clone().bounded(MAX_TEXT).as_str(), "verbatim": true })
}
