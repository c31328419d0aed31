//! The rules for elements inside blocks: buttons, inputs, selects and their options.

use std::collections::HashSet;

use serde_json::Value;

use crate::slack::checks::flaws::{Checker, MAX_ID, TextKind, length};

const MAX_BUTTON_TEXT: usize = 75;
const MAX_BUTTON_VALUE: usize = 2_000;
const MAX_URL: usize = 3_000;
const MAX_PLACEHOLDER: usize = 150;
const MAX_INPUT: u64 = 3_000;
/// The most options of a select or of one of its groups, and the most groups.
pub(super) const MAX_OPTIONS: usize = 100;
const MAX_CHOICES: usize = 10;
const MAX_OVERFLOW: usize = 5;
const MAX_OPTION_TEXT: usize = 75;
const MAX_OPTION_VALUE: usize = 150;

/// The kind of block that an element stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ParentBlock {
    Section,
    Actions,
    Input,
}

pub(super) fn check_element(checker: &mut Checker, at: &str, element: &Value, parent: ParentBlock) {
    let Some(kind) = element["type"].as_str() else {
        return checker.flaw(at, "has no type");
    };
    let is_placed = match kind {
        "button" | "overflow" => parent != ParentBlock::Input,
        "image" => parent == ParentBlock::Section,
        "plain_text_input" | "email_text_input" | "url_text_input" | "number_input" | "rich_text_input"
        | "file_input" => parent == ParentBlock::Input,
        "multi_static_select" | "multi_external_select" => parent != ParentBlock::Actions,
        _ => true,
    };
    if !is_placed {
        checker.flaw(at, format!("is a {kind}, which isn't allowed there"));
    }
    checker.string(at, element, "action_id", MAX_ID);
    checker.flag(at, element, "focus_on_load");
    checker.focused += usize::from(element["focus_on_load"] == true);
    checker.text(at, element, "placeholder", TextKind::Plain, MAX_PLACEHOLDER);
    if let Some(confirm) = element.get("confirm") {
        check_confirm(checker, &format!("{at}/confirm"), confirm);
    }
    match kind {
        "button" => check_button(checker, at, element),
        "image" => check_image(checker, at, element),
        "plain_text_input" => check_plain_text_input(checker, at, element),
        "email_text_input" | "url_text_input" => {
            checker.only(at, element, &known(&["initial_value", "dispatch_action_config"]));
        }
        "number_input" => {
            let own =
                ["initial_value", "dispatch_action_config", "is_decimal_allowed", "min_value", "max_value"];
            checker.only(at, element, &known(&own));
        }
        "datetimepicker" => {
            checker.only(at, element, &known(&["initial_date_time"]));
            checker.number(at, element, "initial_date_time", 1_000_000_000, 9_999_999_999);
        }
        "datepicker" => checker.only(at, element, &known(&["initial_date"])),
        "static_select" => check_select(checker, at, element, &["option_groups", "initial_option"]),
        "multi_static_select" => {
            check_select(checker, at, element, &["option_groups", "initial_options", "max_selected_items"]);
        }
        "external_select" => check_external(checker, at, element, &["initial_option"]),
        "multi_external_select" => {
            check_external(checker, at, element, &["initial_options", "max_selected_items"]);
        }
        "conversations_select" => {
            let own = ["default_to_current_conversation", "filter", "initial_conversation"];
            checker.only(at, element, &known(&own));
            checker.flag(at, element, "default_to_current_conversation");
        }
        "radio_buttons" => check_choices(checker, at, element, "initial_option", MAX_CHOICES),
        "checkboxes" => check_choices(checker, at, element, "initial_options", MAX_CHOICES),
        "overflow" => check_choices(checker, at, element, "options", MAX_OVERFLOW),
        other => checker.flaw(at, format!("is of the unknown type {other:?}")),
    }
}

/// The fields that all inputs have, and the element's own fields.
fn known<'a>(own: &[&'a str]) -> Vec<&'a str> {
    let mut all = vec!["type", "action_id", "placeholder", "focus_on_load"];
    all.extend(own);
    all
}

fn check_button(checker: &mut Checker, at: &str, button: &Value) {
    let fields = ["type", "text", "action_id", "url", "value", "style", "confirm", "accessibility_label"];
    checker.only(at, button, &fields);
    checker.required_text(at, button, "text", TextKind::Plain, MAX_BUTTON_TEXT);
    checker.string(at, button, "value", MAX_BUTTON_VALUE);
    checker.string(at, button, "url", MAX_URL);
    checker.string(at, button, "accessibility_label", MAX_BUTTON_TEXT);
    check_style(checker, at, button);
}

fn check_style(checker: &mut Checker, at: &str, object: &Value) {
    if let Some(style) = object.get("style")
        && style != "primary"
        && style != "danger"
    {
        checker.flaw(&format!("{at}/style"), format!("is {style}"));
    }
}

fn check_confirm(checker: &mut Checker, at: &str, confirm: &Value) {
    checker.only(at, confirm, &["title", "text", "confirm", "deny", "style"]);
    checker.required_text(at, confirm, "title", TextKind::Plain, 100);
    checker.required_text(at, confirm, "text", TextKind::PlainOrMarkup, 300);
    checker.required_text(at, confirm, "confirm", TextKind::Plain, 30);
    checker.required_text(at, confirm, "deny", TextKind::Plain, 30);
    check_style(checker, at, confirm);
}

pub(super) fn check_image(checker: &mut Checker, at: &str, image: &Value) {
    checker.only(at, image, &["type", "image_url", "slack_file", "alt_text"]);
    checker.required_string(at, image, "alt_text", 2_000);
    checker.string(at, image, "image_url", MAX_URL);
}

fn check_plain_text_input(checker: &mut Checker, at: &str, input: &Value) {
    let own = ["initial_value", "multiline", "min_length", "max_length", "dispatch_action_config"];
    checker.only(at, input, &known(&own));
    checker.flag(at, input, "multiline");
    checker.number(at, input, "min_length", 0, MAX_INPUT);
    checker.number(at, input, "max_length", 1, MAX_INPUT);
    let max = input["max_length"].as_u64().unwrap_or(MAX_INPUT);
    match input.get("initial_value") {
        None => {}
        Some(Value::String(text)) if length(text) as u64 > max => {
            checker.flaw(
                &format!("{at}/initial_value"),
                format!("has {} characters, at most {max}", length(text)),
            );
        }
        Some(Value::String(_)) => {}
        Some(_) => checker.flaw(&format!("{at}/initial_value"), "isn't a string"),
    }
}

fn check_select(checker: &mut Checker, at: &str, select: &Value, own: &[&str]) {
    let mut fields = known(own);
    fields.extend(["options", "confirm"]);
    checker.only(at, select, &fields);
    if select.get("options").is_some() == select.get("option_groups").is_some() {
        checker.flaw(at, "must have either options or option_groups");
    }
    check_options_or_groups(checker, at, select, 1);
    check_initial(checker, at, select);
}

fn check_external(checker: &mut Checker, at: &str, select: &Value, own: &[&str]) {
    let mut fields = known(own);
    fields.extend(["min_query_length", "confirm"]);
    checker.only(at, select, &fields);
    checker.number(at, select, "min_query_length", 0, 3_000);
    for (at, option) in initial_options(at, select) {
        check_option(checker, &at, option, TextKind::Plain);
    }
}

fn check_choices(checker: &mut Checker, at: &str, element: &Value, initial: &str, max: usize) {
    checker.only(at, element, &["type", "action_id", "options", "confirm", "focus_on_load", initial]);
    for (index, option) in checker.array(at, element, "options", (1, max)).iter().enumerate() {
        check_option(checker, &format!("{at}/options/{index}"), option, TextKind::PlainOrMarkup);
    }
    check_initial(checker, at, element);
}

/// The options of a select or of a suggestion: `options` or `option_groups`, each with at least `min`
/// entries.
pub(super) fn check_options_or_groups(checker: &mut Checker, at: &str, object: &Value, min: usize) {
    if object.get("options").is_some() {
        check_options(checker, at, object, min);
    }
    if object.get("option_groups").is_some() {
        let groups = checker.array(at, object, "option_groups", (min, MAX_OPTIONS));
        for (index, group) in groups.iter().enumerate() {
            let at = format!("{at}/option_groups/{index}");
            checker.only(&at, group, &["label", "options"]);
            checker.required_text(&at, group, "label", TextKind::Plain, MAX_OPTION_TEXT);
            check_options(checker, &at, group, min);
        }
    }
}

fn check_options(checker: &mut Checker, at: &str, object: &Value, min: usize) {
    let mut values = HashSet::new();
    let options = checker.array(at, object, "options", (min, MAX_OPTIONS));
    for (index, option) in options.iter().enumerate() {
        let at = format!("{at}/options/{index}");
        check_option(checker, &at, option, TextKind::Plain);
        if let Some(value) = option["value"].as_str()
            && !values.insert(value)
        {
            checker.flaw(&at, format!("has the value {value:?} of another option"));
        }
    }
}

fn check_option(checker: &mut Checker, at: &str, option: &Value, kind: TextKind) {
    checker.only(at, option, &["text", "value", "description", "url"]);
    checker.required_text(at, option, "text", kind, MAX_OPTION_TEXT);
    checker.required_string(at, option, "value", MAX_OPTION_VALUE);
    checker.text(at, option, "description", kind, MAX_OPTION_TEXT);
}

/// `initial_option` and the entries of `initial_options`, each with its JSON pointer.
fn initial_options<'a>(at: &str, element: &'a Value) -> Vec<(String, &'a Value)> {
    let one = element.get("initial_option").map(|option| (format!("{at}/initial_option"), option));
    let many = element["initial_options"].as_array().into_iter().flatten().enumerate();
    one.into_iter()
        .chain(many.map(|(index, option)| (format!("{at}/initial_options/{index}"), option)))
        .collect()
}

/// Initial choices must each equal one of the options.
fn check_initial(checker: &mut Checker, at: &str, element: &Value) {
    let groups = element["option_groups"].as_array().into_iter().flatten();
    let offered: Vec<&Value> = std::iter::once(element)
        .chain(groups)
        .flat_map(|group| group["options"].as_array().into_iter().flatten())
        .collect();
    for (at, option) in initial_options(at, element) {
        if !offered.contains(&option) {
            checker.flaw(&at, "isn't one of the options");
        }
    }
}
