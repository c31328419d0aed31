//! A modal as plain lines: its title, fields, buttons and errors.

use maro_simulation::slack::{
    modals::{form::Field, modal::Modal},
    shown::terminal::{block_lines, visible},
    workspace::Names,
};

/// The lines that a terminal shows for a modal. A field is `name: value [what it accepts]`. Buttons are in
/// brackets; the ones that submit and close come last.
pub fn modal_text(modal: &Modal, names: &Names) -> String {
    let mut lines = vec![format!("Modal: {}", modal.title())];
    let (fields, buttons) = (modal.fields(), modal.buttons());
    for block in modal.blocks() {
        let id = &block["block_id"];
        lines.extend(block_lines(block, names));
        for field in fields.iter().filter(|field| *id == field.block_id.as_str()) {
            lines.extend(field_lines(field));
        }
        for button in buttons.iter().filter(|button| *id == button.block_id.as_str()) {
            lines.push(format!("  [{}]", button.label));
        }
    }
    let submit = modal.submit_label().into_iter();
    let last: Vec<_> = submit.chain([modal.close_label()]).map(|label| format!("[{label}]")).collect();
    lines.push(last.join(" "));
    lines.extend(modal.notice.clone());
    visible(&lines.join("\n"))
}

fn field_lines(field: &Field) -> Vec<String> {
    let is_alike = |label: &str| label.to_lowercase().replace(' ', "_") == field.action_id;
    let name = if field.label.is_empty() || is_alike(&field.label) {
        field.action_id.clone()
    } else {
        format!("{} ({})", field.action_id, field.label)
    };
    let mut wants = vec![if field.is_required { "required" } else { "optional" }.to_owned()];
    if !field.choices.is_empty() {
        let labels: Vec<_> = field.choices.iter().map(|choice| choice.label.as_str()).collect();
        wants.push(format!("one of {}", labels.join(", ")));
    }
    if field.min_query_length.is_some() {
        wants.push("type to choose".to_owned());
    }
    let value = field.value.as_deref().unwrap_or_default();
    let (first, rest) = value.split_once('\n').unwrap_or((value, ""));
    let space = if first.is_empty() { "" } else { " " };
    let mut lines = vec![format!("{name}:{space}{first} [{}]", wants.join("; "))];
    lines.extend(rest.lines().map(|line| format!("  {line}")));
    lines.extend(field.error.iter().map(|error| format!("  ! {error}")));
    lines
}
