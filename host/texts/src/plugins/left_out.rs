//! What of a plugin's reply isn't shown as its author wrote it, and why: for the log, and for `maro plugin run`.

pub const NEEDS_BOTH: &str = "each needs a label and a command";

pub fn command_too_long(most: usize) -> String {
    format!("a command has {most} characters at most")
}

/// Slack asks before a press that runs the command of another plugin.
pub fn not_askable(most: usize) -> String {
    format!("the command of another plugin has {most} characters at most, and none that are invisible")
}

pub fn too_many_in_a_row(most: usize) -> String {
    format!("Slack shows {most} in one row")
}

pub fn too_large(most_confirmed: usize) -> String {
    format!(
        "Slack shows 50 blocks and some 12,000 characters in one message, where a row of buttons and each item with a \
         button are blocks, and a question before a press counts; the command of another plugin has {most_confirmed} \
         characters at most"
    )
}

/// A sentence without its end.
pub fn buttons(missing: usize, of: usize, why: &str) -> String {
    let plural = if of == 1 { "" } else { "s" };
    let are = if missing == 1 { "isn't" } else { "aren't" };
    format!("{missing} of {of} button{plural} {are} shown: {why}")
}

pub fn labels_cut(number: usize, most: usize) -> String {
    format!("{} cut to {most} characters", were(number, "button's label", "buttons' labels"))
}

pub fn questions_cut(number: usize, most: usize) -> String {
    format!(
        "{} cut to {most} characters",
        were(number, "question before a press", "questions before a press")
    )
}

pub fn not_keys(number: usize) -> String {
    format!("{} shown as text: it isn't an issue's key", were(number, "issue", "issues"))
}

pub fn not_people(number: usize) -> String {
    format!("{} shown as text: it isn't a person's id", were(number, "person", "people"))
}

pub fn not_dates(number: usize) -> String {
    format!("{} shown as a number: it's after the year 9999", were(number, "date", "dates"))
}

fn were(number: usize, one: &str, many: &str) -> String {
    if number == 1 { format!("1 {one} was") } else { format!("{number} {many} were") }
}
