//! The screen for new issues of one type in one project: its fields, and what somebody put into them.

use jiff::Timestamp;

use crate::{issue::IssueKey, rich_text::RichText};

/// How many options of one field are kept.
pub const MAX_OPTIONS: usize = 10_000;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScreenField {
    /// `summary`, `customfield_10050`.
    pub id: String,
    /// One line of at most 100 characters, as the site calls it: `Severity`.
    pub name: String,
    pub is_required: bool,
    /// Whether Jira fills it in itself, or MARO does.
    pub has_default: bool,
    pub kind: FieldKind,
}

/// What can be put into a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FieldKind {
    /// One line.
    Line,
    /// Lines with formatting.
    Text,
    Number,
    /// A day.
    Date,
    /// A day and a time of it.
    DateTime,
    /// One of these.
    Select(Vec<FieldOption>),
    /// Some of these.
    MultiSelect(Vec<FieldOption>),
    /// Some of these, each with a box of its own.
    Checkboxes(Vec<FieldOption>),
    /// Somebody with an account.
    User,
    /// Some of those who have one.
    Users,
    /// The issue that the new one belongs to.
    Parent,
    /// The same on Data Center, where a field of its own holds the epic's key.
    EpicLink,
    /// Words of anybody's choice.
    Labels,
    /// One of the sprints of the project's boards.
    Sprint,
    /// A group of accounts.
    Group,
    /// Some of those.
    Groups,
    /// How much work it is: `3d 4h`.
    Estimate,
    /// Anything else, which only Jira's own form can ask for.
    Other,
}

/// Stands between the ids of an option and of one below it, which are one option to people. No id has it.
pub const BELOW: char = '/';

/// One of the things that can be chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldOption {
    pub id: String,
    /// One line of at most 100 characters.
    pub name: String,
}

/// What somebody put into a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FieldValue {
    Line(String),
    Text(RichText),
    /// As it was typed, such as `4.5`.
    Number(String),
    /// `2026-11-30`.
    Date(String),
    DateTime(Timestamp),
    /// The id of an option.
    Option(String),
    /// The ids of an option, and of one of those below it.
    Cascade {
        parent: String,
        child: String,
    },
    Options(Vec<String>),
    /// The id of an account.
    User(String),
    Users(Vec<String>),
    Labels(Vec<String>),
    Parent(IssueKey),
    EpicLink(IssueKey),
    /// The number of a sprint.
    Sprint(u64),
    /// The name of a group.
    Group(String),
    Groups(Vec<String>),
    /// `3d 4h`.
    Estimate(String),
}

/// A sprint that issues can be put into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sprint {
    pub id: u64,
    /// One line of at most 100 characters.
    pub name: String,
    /// Whether it has begun and isn't over.
    pub is_active: bool,
}
