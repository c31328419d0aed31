//! What a person finds in blocks: fields to fill in, buttons to press, and texts to read.

use std::collections::BTreeMap;

use serde_json::{Value, json};

/// One thing that can be chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownChoice {
    pub label: String,
    pub value: String,
}

/// An input as a person sees it.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    pub action_id: String,
    pub block_id: String,
    /// The label above it. Outside input blocks, its placeholder.
    pub label: String,
    /// The element's type, such as `plain_text_input`.
    pub kind: String,
    pub is_required: bool,
    /// Its current value: the text, or the labels of the chosen options separated by commas.
    pub value: Option<String>,
    /// The options. Empty for texts, and for a select whose options the bot suggests during typing.
    pub choices: Vec<ShownChoice>,
    /// How many characters must be typed before the bot is asked for options. `None` if it is never asked.
    pub min_query_length: Option<usize>,
    /// The minimum and maximum length of a text, if the bot sets them.
    pub length_limits: (Option<usize>, Option<usize>),
    /// The error from the bot or from Slack.
    pub error: Option<String>,
    /// Whether the bot is notified immediately when it changes.
    pub(crate) is_dispatched: bool,
}

/// A button as a person sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownButton {
    pub label: String,
    pub action_id: String,
    pub block_id: String,
    pub value: Option<String>,
    /// The text of the section next to it. In a row of buttons, the text of the block before the row.
    pub beside: String,
    /// The whole element.
    pub(crate) element: Value,
}

impl ShownButton {
    /// What Slack asks before the press counts, if anything.
    pub fn question(&self) -> Option<&str> {
        self.element["confirm"]["text"]["text"].as_str()
    }
}

/// An element, the block it is in, and the text that distinguishes it.
struct Found<'a> {
    element: &'a Value,
    block: &'a Value,
    beside: &'a str,
}

fn elements(blocks: &[Value]) -> Vec<Found<'_>> {
    let mut found = Vec::new();
    let mut before = "";
    for block in blocks {
        let text = block["text"]["text"].as_str().unwrap_or_default();
        let single = block.get("element").or(block.get("accessory"));
        let row = block["elements"].as_array().filter(|_| block["type"] == "actions");
        let beside = if row.is_some() { before } else { text };
        found.extend(single.into_iter().chain(row.into_iter().flatten()).map(|element| Found {
            element,
            block,
            beside,
        }));
        if !text.is_empty() {
            before = text;
        }
    }
    found
}

/// The buttons, in order.
pub fn buttons(blocks: &[Value]) -> Vec<ShownButton> {
    let is_button = |found: &Found<'_>| found.element["type"] == "button";
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    elements(blocks)
        .into_iter()
        .filter(is_button)
        .map(|Found { element, block, beside }| ShownButton {
            label: text(&element["text"]["text"]),
            action_id: text(&element["action_id"]),
            block_id: text(&block["block_id"]),
            value: element["value"].as_str().map(str::to_owned),
            beside: beside.to_owned(),
            element: element.clone(),
        })
        .collect()
}

/// The fields, in order, with their values in `state` (`{block_id: {action_id: …}}`).
pub(crate) fn fields(blocks: &[Value], state: &Value, errors: &BTreeMap<String, String>) -> Vec<Field> {
    let mut fields = Vec::new();
    for Found { element, block, .. } in elements(blocks) {
        if initial_state(element).is_none() {
            continue;
        }
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let number = |name: &str| element[name].as_u64().and_then(|number| usize::try_from(number).ok());
        let (action_id, block_id) = (text(&element["action_id"]), text(&block["block_id"]));
        let is_input = block["type"] == "input";
        let label = if is_input { &block["label"] } else { &element["placeholder"] };
        let kind = text(&element["type"]);
        fields.push(Field {
            label: text(&label["text"]),
            is_required: is_input && block["optional"] != true,
            value: shown_value(&state[&block_id][&action_id]),
            choices: choices(element),
            min_query_length: kind
                .contains("external_select")
                .then(|| number("min_query_length").unwrap_or(3)),
            length_limits: (number("min_length"), number("max_length")),
            error: errors.get(&block_id).cloned(),
            is_dispatched: !is_input || block["dispatch_action"] == true,
            action_id,
            block_id,
            kind,
        });
    }
    fields
}

/// The options in a select or in a bot's suggestion.
pub(crate) fn options(object: &Value) -> Vec<Value> {
    let groups = object["option_groups"].as_array().into_iter().flatten();
    std::iter::once(object)
        .chain(groups)
        .flat_map(|group| group["options"].as_array().into_iter().flatten().cloned())
        .collect()
}

pub(crate) fn choices(object: &Value) -> Vec<ShownChoice> {
    options(object).iter().map(choice).collect()
}

pub(crate) fn choice(option: &Value) -> ShownChoice {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    ShownChoice { label: text(&option["text"]["text"]), value: text(&option["value"]) }
}

/// What a person sees in a field with this state.
fn shown_value(state: &Value) -> Option<String> {
    if let Some(text) = state["value"].as_str() {
        return Some(text.to_owned());
    }
    if state["selected_option"].is_object() {
        return Some(choice(&state["selected_option"]).label);
    }
    if let Some(seconds) = state["selected_date_time"].as_i64() {
        return Some(seconds.to_string());
    }
    if let Some(date) = state["selected_date"].as_str() {
        return Some(date.to_owned());
    }
    if let Some(conversation) = state["selected_conversation"].as_str() {
        return Some(conversation.to_owned());
    }
    let many = state["selected_options"].as_array().filter(|options| !options.is_empty())?;
    Some(many.iter().map(|option| choice(option).label).collect::<Vec<_>>().join(", "))
}

/// What `view.state.values` contains for an untouched element. `None` for elements without a value.
pub(crate) fn initial_state(element: &Value) -> Option<Value> {
    let kind = element["type"].as_str()?;
    let initial = |name: &str, missing: Value| element.get(name).cloned().unwrap_or(missing);
    Some(match kind {
        "plain_text_input" | "email_text_input" | "url_text_input" | "number_input" => {
            json!({ "type": kind, "value": initial("initial_value", Value::Null) })
        }
        "static_select" | "external_select" | "radio_buttons" => {
            json!({ "type": kind, "selected_option": initial("initial_option", Value::Null) })
        }
        "datetimepicker" => {
            json!({ "type": kind, "selected_date_time": initial("initial_date_time", Value::Null) })
        }
        "datepicker" => json!({ "type": kind, "selected_date": initial("initial_date", Value::Null) }),
        "conversations_select" => {
            json!({ "type": kind, "selected_conversation": initial("initial_conversation", Value::Null) })
        }
        "multi_static_select" | "multi_external_select" | "checkboxes" => {
            json!({ "type": kind, "selected_options": initial("initial_options", json!([])) })
        }
        _ => return None,
    })
}

/// `view.state.values` for the blocks. Values in `before` for the same block and action are kept, as Slack
/// does when a modal is updated.
pub(crate) fn state_values(blocks: &[Value], before: &Value) -> Value {
    let mut values = json!({});
    for Found { element, block, .. } in elements(blocks) {
        let (Some(block_id), Some(action_id)) = (block["block_id"].as_str(), element["action_id"].as_str())
        else {
            continue;
        };
        let Some(initial) = initial_state(element) else { continue };
        let kept = &before[block_id][action_id];
        let is_kept = kept["type"] == initial["type"];
        values[block_id][action_id] = if is_kept { kept.clone() } else { initial };
    }
    values
}

/// The text objects in blocks, in order, without labels, buttons and options.
pub fn text_objects(blocks: &[Value]) -> Vec<&Value> {
    let mut objects = Vec::new();
    for block in blocks {
        let fields = block["fields"].as_array().into_iter().flatten();
        let context = block["elements"].as_array().filter(|_| block["type"] == "context");
        let own = block.get("text").into_iter().chain(fields).chain(context.into_iter().flatten());
        objects.extend(own.filter(|object| object["text"].is_string()));
    }
    objects
}
