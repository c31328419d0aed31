//! The rules for blocks. Almost all of them are the same in messages and modals.

use std::collections::HashSet;

use serde_json::Value;

use crate::slack::checks::{
    elements::{ParentBlock, check_element, check_image},
    flaws::{Checker, MAX_ID, TextKind},
};
const MAX_SECTION_TEXT: usize = 3_000;
const MAX_FIELDS: usize = 10;
const MAX_FIELD_TEXT: usize = 2_000;
const MAX_HEADER_TEXT: usize = 150;
const MAX_CONTEXT_ELEMENTS: usize = 10;
const MAX_ACTIONS: usize = 25;
const MAX_LABEL: usize = 2_000;

/// Where blocks are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Surface {
    Message,
    Modal,
}

/// Checks the blocks at the JSON pointer `at`.
pub(super) fn check_blocks(checker: &mut Checker, at: &str, blocks: &[Value], surface: Surface) {
    let mut ids = HashSet::new();
    for (index, block) in blocks.iter().enumerate() {
        let at = format!("{at}/{index}");
        checker.string(&at, block, "block_id", MAX_ID);
        if let Some(id) = block["block_id"].as_str()
            && !ids.insert(id)
        {
            checker.flaw(&at, format!("has the block_id {id:?} of another block"));
        }
        check_block(checker, &at, block, surface);
    }
}

fn check_block(checker: &mut Checker, at: &str, block: &Value, surface: Surface) {
    match block["type"].as_str() {
        Some("section") => check_section(checker, at, block),
        Some("divider") => checker.only(at, block, &["type", "block_id"]),
        Some("header") => {
            checker.only(at, block, &["type", "block_id", "text"]);
            checker.required_text(at, block, "text", TextKind::Plain, MAX_HEADER_TEXT);
        }
        Some("context") => {
            checker.only(at, block, &["type", "block_id", "elements"]);
            let elements = checker.array(at, block, "elements", (1, MAX_CONTEXT_ELEMENTS));
            for (index, element) in elements.iter().enumerate() {
                let at = format!("{at}/elements/{index}");
                if element["type"] == "image" {
                    check_image(checker, &at, element);
                } else {
                    checker.text_object(&at, element, TextKind::PlainOrMarkup, MAX_SECTION_TEXT);
                }
            }
        }
        Some("actions") => {
            checker.only(at, block, &["type", "block_id", "elements"]);
            let elements = checker.array(at, block, "elements", (1, MAX_ACTIONS));
            let mut ids = HashSet::new();
            for (index, element) in elements.iter().enumerate() {
                let at = format!("{at}/elements/{index}");
                check_element(checker, &at, element, ParentBlock::Actions);
                if let Some(id) = element["action_id"].as_str()
                    && !ids.insert(id)
                {
                    checker.flaw(&at, format!("has the action_id {id:?} of another element of its block"));
                }
            }
        }
        Some("input") => check_input(checker, at, block, surface),
        Some("image") => {
            checker.only(at, block, &["type", "block_id", "alt_text", "image_url", "slack_file", "title"]);
            checker.text(at, block, "title", TextKind::Plain, MAX_LABEL);
            checker.required_string(at, block, "alt_text", MAX_LABEL);
        }
        Some(other) => checker.flaw(at, format!("is of the unknown type {other:?}")),
        None => checker.flaw(at, "has no type"),
    }
}

fn check_section(checker: &mut Checker, at: &str, block: &Value) {
    checker.only(at, block, &["type", "block_id", "text", "fields", "accessory", "expand"]);
    if block.get("text").is_none() && block.get("fields").is_none() {
        checker.flaw(at, "has neither text nor fields");
    }
    checker.flag(at, block, "expand");
    checker.text(at, block, "text", TextKind::PlainOrMarkup, MAX_SECTION_TEXT);
    if block.get("fields").is_some() {
        let fields = checker.array(at, block, "fields", (1, MAX_FIELDS));
        for (index, field) in fields.iter().enumerate() {
            let at = format!("{at}/fields/{index}");
            checker.text_object(&at, field, TextKind::PlainOrMarkup, MAX_FIELD_TEXT);
        }
    }
    if let Some(accessory) = block.get("accessory") {
        check_element(checker, &format!("{at}/accessory"), accessory, ParentBlock::Section);
    }
}

fn check_input(checker: &mut Checker, at: &str, block: &Value, surface: Surface) {
    if surface == Surface::Message {
        return checker.flaw(at, "is an input block, which MARO's messages don't have");
    }
    checker.only(at, block, &["type", "block_id", "label", "element", "dispatch_action", "hint", "optional"]);
    checker.required_text(at, block, "label", TextKind::Plain, MAX_LABEL);
    checker.text(at, block, "hint", TextKind::Plain, MAX_LABEL);
    checker.flag(at, block, "optional");
    checker.flag(at, block, "dispatch_action");
    match block.get("element") {
        Some(element) => check_element(checker, &format!("{at}/element"), element, ParentBlock::Input),
        None => checker.flaw(at, "has no element"),
    }
}
