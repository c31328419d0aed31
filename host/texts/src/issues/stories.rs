//! For people who create stories under an epic, and for their channel.

use crate::{command, issues::created::titled, text};
use maro_domain::{issue::IssueKey, reply::Span};

pub const TITLE: &str = "Create stories";
pub const LABEL: &str = "Stories (one per line)";
pub const RETRY: &str = "Retry failed stories";
pub const NONE_ENTERED: &str = "Enter at least one story.";
pub const CREATED: &str = "Created:";
pub const FAILED: &str = "Couldn't create:";
pub const EPIC_UNCONFIRMED: &str = "Jira didn't confirm it.";
/// For a line that Jira gives no reason for.
pub const NO_REASON: &str = "Jira gave no reason.";

/// After `/maro stories` without the key of an epic.
pub fn which_epic() -> Vec<Span> {
    vec![text("Which epic? For example, "), command("stories SCRUM-101")]
}

/// Above the form.
pub fn new_under(epic: &IssueKey, summary: &str) -> Vec<Span> {
    let mut spans = vec![text("New stories under ")];
    spans.extend(titled(epic, summary));
    spans
}

/// Below the form's one input. Slack takes no more than `room` characters in one input.
pub fn hint(max_length: usize, room: usize) -> String {
    format!(
        "One title per line, up to {max_length} characters each. There's room for {room} characters in all; if you have \
         more, create these first and then open the form again for the rest."
    )
}

/// Above the form, which has no room for the last of the lines that were typed behind the epic.
pub fn left_out(count: usize) -> String {
    let lines = if count == 1 { "line".to_owned() } else { format!("{count} lines") };
    format!(
        "There's no room for the last {lines}. Create these first and then open the form again for the rest."
    )
}

/// After a command that names several epics.
pub fn one_epic_at_a_time(epics: &[IssueKey]) -> Vec<Span> {
    let mut spans = vec![text("You can add stories to one epic at a time, but you named ")];
    for (number, epic) in epics.iter().enumerate() {
        let separator = if number == 0 {
            ""
        } else if number + 1 == epics.len() {
            " and "
        } else {
            ", "
        };
        spans.extend([text(separator), Span::Issue(epic.clone())]);
    }
    spans.push(text("."));
    spans
}

/// Lines that were entered more than once.
pub fn repeated(titles: &[String]) -> String {
    format!("Entered more than once, so created once: {}.", titles.join("; "))
}

pub fn line_too_long(number: usize, max_length: usize) -> String {
    format!("Line {number} is longer than {max_length} characters.")
}

pub fn too_many(count: usize, max: usize) -> String {
    format!("You entered {count} stories; the limit is {max} at a time.")
}

/// To the channel, with the list in the thread below it.
pub fn created_many_under(count: usize, epic: Span) -> Vec<Span> {
    vec![text(format!("Created {count} stories under ")), epic, text(". They're listed in the thread.")]
}

/// To the channel, above the list of what was created.
pub fn created_under(count: usize, epic: Span) -> Vec<Span> {
    let created = if count == 1 {
        "Created a story under ".to_owned()
    } else {
        format!("Created {count} stories under ")
    };
    vec![text(created), epic, text(":")]
}

/// The same, if Jira didn't put them there.
pub fn created_beside(count: usize, epic: Span) -> Vec<Span> {
    let created = if count == 1 {
        "Created a story, but it isn't under ".to_owned()
    } else {
        format!("Created {count} stories, but they aren't under ")
    };
    vec![text(created), epic, text(" yet:")]
}

/// To the person; `reason` is in Jira's own words.
pub fn not_under_epic(epic: &str, reason: &str) -> String {
    format!("Jira didn't put the new stories under {epic}: {reason} Move them there in Jira.")
}

pub fn created(key: &IssueKey, title: &str) -> Vec<Span> {
    titled(key, title)
}

pub fn failed(title: &str, reason: &str) -> Vec<Span> {
    vec![Span::Strong(title.to_owned()), text(format!(": {reason}"))]
}

/// The project has no issue type for stories.
pub fn no_story_type(project: &str) -> String {
    format!("MARO can't create stories in the {project} project.")
}

pub fn not_an_epic(key: &str, type_name: &str) -> String {
    let article = if type_name.starts_with(['A', 'E', 'I', 'O', 'U']) { "an" } else { "a" };
    format!("{key} is {article} {type_name}, not an epic, so you can't add stories to it.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_story_is_not_several() {
        let epic = || text("SCRUM-1");
        assert_eq!(created_under(1, epic())[0], text("Created a story under "));
        assert_eq!(created_under(2, epic())[0], text("Created 2 stories under "));
        assert_eq!(created_beside(1, epic())[0], text("Created a story, but it isn't under "));
        assert_eq!(created_beside(2, epic())[0], text("Created 2 stories, but they aren't under "));
    }
}
