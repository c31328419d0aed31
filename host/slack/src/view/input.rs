//! Inputs of a view: texts and selects.
//!
//! An input's id is both its block id and its action id, so one name serves to find its value and to show an
//! error beside it.

use serde_json::{Value, json};

use crate::view::plain_text::{bounded_id, cut, plain_text};

/// The longest label, and the longest hint, of an input.
const MAX_LABEL: usize = 2_000;

/// The longest text that an input accepts.
const MAX_TEXT: usize = 3_000;

/// The longest label of an option.
pub const MAX_OPTION_LABEL: usize = 75;

/// The longest value of an option, in bytes, so that it never has too many characters.
const MAX_OPTION_VALUE_BYTES: usize = 150;

/// The most options in one list.
const MAX_OPTIONS: usize = 100;

/// An option of a select.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// What comes back, at most 150 bytes.
    pub value: String,
    /// What is shown, cut at 75 characters.
    pub label: String,
}

impl Choice {
    pub fn new(value: impl Into<String>, label: impl Into<String>) -> Self {
        Self { value: value.into(), label: label.into() }
    }

    /// `None` if the value is empty or too long: if cut, it would be another value.
    pub(super) fn to_json(&self) -> Option<Value> {
        if !(1..=MAX_OPTION_VALUE_BYTES).contains(&self.value.len()) {
            return None;
        }
        Some(json!({ "text": plain_text(&self.label, MAX_OPTION_LABEL), "value": self.value }))
    }
}

/// The option with the same value, as long as it's shown. Its name may have been cut, or changed in Jira.
pub(super) fn among<'a>(choices: &'a [Choice], wanted: &Choice) -> Option<&'a Choice> {
    choices.iter().take(MAX_OPTIONS).find(|choice| choice.value == wanted.value)
}

fn set(element: &mut Value, name: &str, value: Option<Value>) {
    if let Some(value) = value {
        element[name] = value;
    }
}

/// The options that Slack's limits allow, at most 100.
pub(crate) fn options(choices: &[Choice]) -> Vec<Value> {
    choices.iter().filter_map(Choice::to_json).take(MAX_OPTIONS).collect()
}

/// What every input has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Frame {
    id: String,
    label: String,
    hint: Option<String>,
    optional: bool,
    tells_changes: bool,
}

impl Frame {
    pub(super) fn new(id: String, label: String) -> Self {
        Self { id, label, hint: None, optional: false, tells_changes: false }
    }

    /// Lets people submit without it.
    pub(super) fn optional_if(mut self, is_optional: bool) -> Self {
        self.optional = is_optional;
        self
    }

    pub(super) fn to_json(&self, mut element: Value) -> Value {
        element["action_id"] = json!(bounded_id(&self.id));
        let mut block = json!({
            "type": "input",
            "block_id": bounded_id(&self.id),
            "label": plain_text(&self.label, MAX_LABEL),
            "element": element,
            "optional": self.optional,
        });
        if let Some(hint) = &self.hint {
            block["hint"] = plain_text(hint, MAX_LABEL);
        }
        if self.tells_changes {
            block["dispatch_action"] = json!(true);
        }
        block
    }
}

/// The settings that both kinds of input share.
macro_rules! frame_settings {
    () => {
        /// The text below the input.
        #[must_use]
        pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
            self.frame.hint = Some(hint.into());
            self
        }

        /// Lets people submit without it.
        #[must_use]
        pub fn optional(mut self) -> Self {
            self.frame.optional = true;
            self
        }

        /// Lets people submit without it, or not.
        #[must_use]
        pub fn optional_if(mut self, is_optional: bool) -> Self {
            self.frame = self.frame.optional_if(is_optional);
            self
        }
    };
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextInput {
    frame: Frame,
    multiline: bool,
    initial: String,
    max_length: usize,
}

impl TextInput {
    pub fn single_line(id: impl Into<String>, label: impl Into<String>) -> Self {
        Self {
            frame: Frame::new(id.into(), label.into()),
            multiline: false,
            initial: String::new(),
            max_length: MAX_TEXT,
        }
    }

    pub fn multi_line(id: impl Into<String>, label: impl Into<String>) -> Self {
        Self { multiline: true, ..Self::single_line(id, label) }
    }

    frame_settings!();

    /// The initial text, cut at the input's longest text.
    #[must_use]
    pub fn with_initial(mut self, text: impl Into<String>) -> Self {
        self.initial = text.into();
        self
    }

    /// How many characters may be typed: 1 to 3,000, which is also the default.
    #[must_use]
    pub fn with_max_length(mut self, max_length: usize) -> Self {
        self.max_length = max_length.clamp(1, MAX_TEXT);
        self
    }

    pub(super) fn to_json(&self) -> Value {
        let mut element = json!({
            "type": "plain_text_input",
            "multiline": self.multiline,
            "max_length": self.max_length,
        });
        let initial = cut(&self.initial, self.max_length);
        if !initial.is_empty() {
            let single_line = || initial.replace(['\r', '\n'], " ");
            element["initial_value"] = if self.multiline { json!(initial) } else { json!(single_line()) };
        }
        self.frame.to_json(element)
    }
}

/// Where the options of a select come from.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Options {
    /// Slack asks MARO for them, with what was typed.
    External,
    Fixed(Vec<Choice>),
    /// The channels that the person can see.
    Channels,
}

/// An input to choose one of several options.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SelectInput {
    frame: Frame,
    options: Options,
    initial: Option<Choice>,
}

impl SelectInput {
    /// The options are MARO's answer to [`crate::interaction::OptionsWanted`], even before anything is typed.
    pub fn external(id: impl Into<String>, label: impl Into<String>) -> Self {
        Self { frame: Frame::new(id.into(), label.into()), options: Options::External, initial: None }
    }

    /// The options are the public and private channels that the person can see. The value is the channel's
    /// id. Unless another is preselected, the current one is.
    pub fn channel(id: impl Into<String>, label: impl Into<String>) -> Self {
        Self { frame: Frame::new(id.into(), label.into()), options: Options::Channels, initial: None }
    }

    /// The options are the first 100 of these.
    pub fn fixed(id: impl Into<String>, label: impl Into<String>, choices: Vec<Choice>) -> Self {
        Self { frame: Frame::new(id.into(), label.into()), options: Options::Fixed(choices), initial: None }
    }

    frame_settings!();

    /// The option that is preselected. If the options are fixed and this isn't one of them, none is. What they are
    /// called doesn't matter.
    #[must_use]
    pub fn with_initial(mut self, choice: Choice) -> Self {
        self.initial = Some(choice);
        self
    }

    /// Asks Slack to report each change, as [`crate::interaction::Interaction::OptionChosen`].
    #[must_use]
    pub fn telling_changes(mut self) -> Self {
        self.frame.tells_changes = true;
        self
    }

    pub(super) fn to_json(&self) -> Value {
        let mut element = match &self.options {
            Options::External => json!({ "type": "external_select", "min_query_length": 0 }),
            Options::Channels => json!({
                "type": "conversations_select",
                "filter": { "include": ["public", "private"], "exclude_bot_users": true },
            }),
            Options::Fixed(choices) => json!({ "type": "static_select", "options": options(choices) }),
        };
        match (&self.options, &self.initial) {
            (Options::Channels, Some(channel)) => element["initial_conversation"] = json!(channel.value),
            (Options::Channels, None) => element["default_to_current_conversation"] = json!(true),
            (_, None) => {}
            (Options::External, Some(initial)) => set(&mut element, "initial_option", initial.to_json()),
            (Options::Fixed(choices), Some(initial)) => {
                let initial = among(choices, initial).and_then(Choice::to_json);
                set(&mut element, "initial_option", initial);
            }
        }
        self.frame.to_json(element)
    }
}
