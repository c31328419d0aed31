//! A modal as a person sees it.

use std::{collections::BTreeMap, sync::Arc};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::slack::modals::form::{self, Field, ShownButton};

/// A person's topmost modal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Modal {
    /// The id of the person.
    pub user: String,
    /// The view as Slack sends it to the bot, with its `state`.
    pub view: Value,
    /// The view as the bot sent it.
    #[serde(skip)]
    pub payload: Arc<Value>,
    /// Errors from the bot or from Slack itself since the last submission, by block id.
    pub errors: BTreeMap<String, String>,
    /// What Slack says above the buttons, for example that it had trouble connecting.
    pub notice: Option<String>,
}

impl Modal {
    pub fn id(&self) -> &str {
        self.text_at("/id")
    }

    /// Changes with each update.
    pub fn hash(&self) -> &str {
        self.text_at("/hash")
    }

    pub fn callback_id(&self) -> &str {
        self.text_at("/callback_id")
    }

    pub fn private_metadata(&self) -> &str {
        self.text_at("/private_metadata")
    }

    pub fn title(&self) -> &str {
        self.text_at("/title/text")
    }

    /// The label of the submit button, if there is one.
    pub fn submit_label(&self) -> Option<&str> {
        self.view.pointer("/submit/text").and_then(Value::as_str)
    }

    /// The label of the close button. Slack's own if the bot sets none.
    pub fn close_label(&self) -> &str {
        let own = if self.submit_label().is_some() { "Cancel" } else { "Close" };
        self.view.pointer("/close/text").and_then(Value::as_str).unwrap_or(own)
    }

    pub fn blocks(&self) -> &[Value] {
        self.view["blocks"].as_array().map_or(&[], Vec::as_slice)
    }

    pub fn fields(&self) -> Vec<Field> {
        form::fields(self.blocks(), &self.view["state"]["values"], &self.errors)
    }

    /// Finds a field by action id, block id, or label, ignoring the label's case.
    pub fn field(&self, name: &str) -> Option<Field> {
        let matches = |field: &Field| field.action_id == name || field.block_id == name;
        let fields = self.fields();
        let exact = fields.iter().find(|field| matches(field));
        exact.or_else(|| fields.iter().find(|field| field.label.eq_ignore_ascii_case(name))).cloned()
    }

    /// A field's value, as a person reads it. `None` if it is empty or missing.
    pub fn value(&self, name: &str) -> Option<String> {
        self.field(name)?.value
    }

    /// A field's error.
    pub fn error(&self, name: &str) -> Option<String> {
        self.field(name)?.error
    }

    /// The buttons among its blocks, without those that submit and close it.
    pub fn buttons(&self) -> Vec<ShownButton> {
        form::buttons(self.blocks())
    }

    /// The texts among its blocks, one per line, in Slack's markup.
    pub fn text(&self) -> String {
        let objects = form::text_objects(self.blocks());
        objects.iter().filter_map(|object| object["text"].as_str()).collect::<Vec<_>>().join("\n")
    }

    /// Whether a person can do anything but close it.
    pub fn is_interactive(&self) -> bool {
        self.submit_label().is_some() || !self.buttons().is_empty() || !self.fields().is_empty()
    }

    fn text_at(&self, pointer: &str) -> &str {
        self.view.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
    }
}
