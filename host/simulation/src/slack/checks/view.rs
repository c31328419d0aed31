//! The rules for modals, and for the options that the bot suggests in one.

use serde_json::Value;

use crate::slack::checks::{
    blocks::{Surface, check_blocks},
    elements::check_options_or_groups,
    flaws::{Checker, Flaw, MAX_ID, TextKind},
};

const MAX_BLOCKS: usize = 100;
const MAX_TITLE: usize = 24;
const MAX_PRIVATE_METADATA: usize = 3_000;
/// Slack documents 250 KB for a view.
pub const MAX_VIEW_BYTES: usize = 250_000;

const FIELDS: [&str; 11] = [
    "type",
    "title",
    "blocks",
    "close",
    "submit",
    "private_metadata",
    "callback_id",
    "clear_on_close",
    "notify_on_close",
    "external_id",
    "submit_disabled",
];

/// What Slack would refuse in a modal, with pointers below `/view`. Empty if Slack would show it.
pub fn view_flaws(view: &Value) -> Vec<Flaw> {
    let mut checker = Checker::default();
    let at = "/view";
    if !view.is_object() {
        checker.flaw(at, "isn't an object");
        return checker.flaws;
    }
    checker.only(at, view, &FIELDS);
    if view["type"] != "modal" {
        checker.flaw(&format!("{at}/type"), "must be modal");
    }
    checker.required_text(at, view, "title", TextKind::Plain, MAX_TITLE);
    checker.text(at, view, "submit", TextKind::Plain, MAX_TITLE);
    checker.text(at, view, "close", TextKind::Plain, MAX_TITLE);
    // An empty string counts as missing.
    for (name, max) in
        [("private_metadata", MAX_PRIVATE_METADATA), ("callback_id", MAX_ID), ("external_id", MAX_ID)]
    {
        if view.get(name).is_some_and(|text| text != "") {
            checker.string(at, view, name, max);
        }
    }
    for name in ["clear_on_close", "notify_on_close", "submit_disabled"] {
        checker.flag(at, view, name);
    }
    if view.get("blocks").is_none() {
        checker.flaw(at, "has no blocks");
    }
    let blocks = checker.array(at, view, "blocks", (1, MAX_BLOCKS));
    check_blocks(&mut checker, "/view/blocks", blocks, Surface::Modal);
    let has_input = blocks.iter().any(|block| block["type"] == "input");
    if has_input && view.get("submit").is_none() {
        checker.flaw(at, "must define submit to use an input block");
    }
    if checker.focused > 1 {
        checker.flaw(at, format!("has {} elements with focus_on_load", checker.focused));
    }
    checker.flaws
}

/// What Slack would refuse in a Home tab, with pointers below `/view`.
pub fn home_flaws(view: &Value) -> Vec<Flaw> {
    let mut checker = Checker::default();
    let at = "/view";
    checker.only(at, view, &["type", "blocks", "private_metadata", "callback_id", "external_id"]);
    if view["type"] != "home" {
        checker.flaw(&format!("{at}/type"), "must be home");
    }
    let blocks = checker.array(at, view, "blocks", (1, MAX_BLOCKS));
    check_blocks(&mut checker, "/view/blocks", blocks, Surface::Modal);
    checker.flaws
}

/// What Slack would refuse in the answer to a `block_suggestion`.
pub fn suggestion_flaws(answer: &Value) -> Vec<Flaw> {
    let mut checker = Checker::default();
    checker.only("", answer, &["options", "option_groups"]);
    if answer.get("options").is_some() == answer.get("option_groups").is_some() {
        checker.flaw("", "must have either options or option_groups");
    }
    check_options_or_groups(&mut checker, "", answer, 0);
    checker.flaws
}
