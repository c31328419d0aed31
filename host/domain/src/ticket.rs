//! Tickets that MARO creates: what is asked of Jira, and what it answers.

use crate::{
    issue::{IssueId, IssueKey},
    rich_text::RichText,
    screen::FieldValue,
};

/// A Jira project, as far as somebody chooses one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Project {
    pub key: String,
    pub name: String,
}

/// A kind of issue in one project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssueType {
    pub id: String,
    pub name: String,
    /// Its English name before anybody translated it, if Jira tells.
    pub untranslated_name: Option<String>,
    /// `1` and above are epics and their like, `0` stories and tasks, `-1` sub-tasks.
    pub hierarchy_level: i32,
}

/// What "story" is called in the languages that Jira itself is translated to.
const STORY_NAMES: [&str; 22] = [
    "story",
    "user story",
    "historia",
    "historia de usuario",
    "historyjka",
    "histoire",
    "récit",
    "história",
    "storia",
    "geschichte",
    "verhaal",
    "berättelse",
    "historie",
    "brukerhistorie",
    "tarina",
    "příběh",
    "történet",
    "история",
    "ストーリー",
    "스토리",
    "故事",
    "使用者故事",
];

/// What "bug" is called there.
const BUG_NAMES: [&str; 20] = [
    "bug",
    "błąd",
    "fehler",
    "bogue",
    "anomalie",
    "error",
    "erro",
    "defect",
    "defecto",
    "fout",
    "bugg",
    "fejl",
    "feil",
    "virhe",
    "chyba",
    "hiba",
    "ошибка",
    "バグ",
    "버그",
    "缺陷",
];

impl IssueType {
    /// How far this is from what people call a story, by all that is known of it: 0 is one.
    pub fn distance_from_story(&self) -> u8 {
        let (shown, untranslated) = (self.name.to_lowercase(), self.untranslated_name());
        match untranslated.as_deref() {
            Some("story") => 0,
            None if STORY_NAMES.contains(&shown.as_str()) => 1,
            // A site that has renamed a type has not translated it.
            Some(_) if shown == "story" => 1,
            _ if shown.contains("story") => 2,
            _ if self.is_bug() => 5,
            Some("task") => 3,
            None if shown == "task" => 3,
            _ => 4,
        }
    }

    /// Whether it is for what doesn't work.
    pub fn is_bug(&self) -> bool {
        let name = self.untranslated_name().unwrap_or_else(|| self.name.to_lowercase());
        BUG_NAMES.contains(&name.as_str())
    }

    fn untranslated_name(&self) -> Option<String> {
        self.untranslated_name.as_ref().map(|name| name.to_lowercase())
    }
}

/// A ticket that somebody wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewTicket {
    pub project_key: String,
    pub issue_type_id: String,
    /// One line of at most 255 characters.
    pub summary: String,
    pub description: RichText,
    /// The account of the person who wants it, if it's to be the reporter and Jira allows that.
    pub reporter: Option<String>,
    /// Whether it has no words of the person's, so that the ticket may be created without it.
    pub is_description_optional: bool,
    /// What else was filled in, by the field's id.
    pub fields: Vec<(String, FieldValue)>,
    /// Marks the ticket in Jira, so that one whose creation was not confirmed can be found again.
    pub intent_id: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreatedTicket {
    pub id: IssueId,
    pub key: IssueKey,
}

/// A ticket that may be about the same as a new one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SimilarTicket {
    pub id: IssueId,
    pub key: IssueKey,
    pub summary: String,
    pub status: String,
    pub assignee: Option<String>,
    /// Whether Jira shows it only to some people. `None` where Jira has not said it.
    pub has_security_level: Option<bool>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_story_is_known_under_any_name() {
        let kind = |name: &str, untranslated: Option<&str>| IssueType {
            id: "1".to_owned(),
            name: name.to_owned(),
            untranslated_name: untranslated.map(str::to_owned),
            hierarchy_level: 0,
        };
        let nearest = |kinds: &[(&'static str, Option<&'static str>)]| {
            kinds.iter().min_by_key(|(name, english)| kind(name, *english).distance_from_story()).unwrap().0
        };
        let polish = [("Błąd", Some("Bug")), ("Zadanie", Some("Task")), ("Historia", Some("Story"))];
        assert_eq!(nearest(&polish), "Historia");
        assert_eq!(nearest(&[("Fehler", None), ("Aufgabe", None), ("Story", None)]), "Story");
        assert_eq!(nearest(&[("バグ", None), ("タスク", None), ("ストーリー", None)]), "ストーリー");
        assert_eq!(nearest(&[("Bug", None), ("Task", None), ("User story", None)]), "User story");
        // Nothing is called a story: anything before a bug.
        assert_eq!(nearest(&[("Bug", None), ("Improvement", None), ("Task", None)]), "Task");
        assert_eq!(nearest(&[("Błąd", Some("Bug")), ("Pomysł", Some("Idea"))]), "Pomysł");
        assert_eq!(nearest(&[("Bug", None)]), "Bug");
    }
}
