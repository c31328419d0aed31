//! An issue on a channel's list, and the outcomes of changing that list.

use jiff::Timestamp;

use crate::{
    ids::{ChannelId, UserId},
    issue::{IssueId, IssueKey, StatusCategory},
};

/// What stands in the place of a status when Jira no longer shows the issue: it was deleted, or the bot may
/// not see it any more. The next answer of Jira that has the issue replaces it.
pub const MISSING_STATUS: &str = "not found in Jira";

/// What stands in the place of the status of an issue that may not be shown on this list.
pub const WITHHELD_STATUS: &str = "not shown here";

/// Whether this stands in the place of a status.
pub fn is_no_status(status: &str) -> bool {
    status == MISSING_STATUS || status == WITHHELD_STATUS
}

/// Why an issue is on a channel's list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// Somebody typed `/maro track`.
    Command,
    /// The bot created the ticket.
    Created,
    /// Somebody linked an existing ticket instead of creating a duplicate.
    DuplicateLink,
    /// The bot created the story under an epic.
    EpicStory,
}

impl Source {
    /// The name under which the source is stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Command => "command",
            Self::Created => "created",
            Self::DuplicateLink => "duplicate_link",
            Self::EpicStory => "epic_story",
        }
    }

    /// The source stored under `name`, if there is one.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Command, Self::Created, Self::DuplicateLink, Self::EpicStory]
            .into_iter()
            .find(|source| source.as_str() == name)
    }
}

/// One row of a channel's list. Summary and status are what Jira last said; the status is
/// [`MISSING_STATUS`] if Jira said that there is no such issue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrackedIssue {
    pub key: IssueKey,
    pub issue_id: Option<IssueId>,
    pub tracked_at: Timestamp,
    /// `None` if another tool wrote the row and named nobody that Slack knows.
    pub tracked_by: Option<UserId>,
    pub source: Source,
    pub last_synced_at: Option<Timestamp>,
    pub last_jira_status: Option<String>,
    pub last_jira_summary: Option<String>,
    pub last_jira_category: StatusCategory,
    /// The key that the row had before Jira moved the issue.
    pub former_key: Option<IssueKey>,
    /// Whether Jira shows it only to some people. `None` if Jira wasn't asked.
    pub has_security_level: Option<bool>,
}

/// A part of a channel's list, oldest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrackedPage {
    pub issues: Vec<TrackedIssue>,
    /// Whether the list goes on after these.
    pub more: bool,
}

/// Which part of a list to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageRequest {
    pub offset: u32,
    pub limit: u32,
}

/// Which issues of a list to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListFilter<'a> {
    All,
    /// Not done, as far as Jira last said.
    Open,
    Done,
    /// Tracked by this person.
    TrackedBy(&'a UserId),
    /// Tracked by this person, or one of these issues, which are assigned to them.
    Mine(&'a UserId, &'a [IssueId]),
}

/// A channel's list in two numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListSummary {
    pub channel: ChannelId,
    /// How many issues it has.
    pub count: u32,
    /// How many of these aren't done, as far as Jira last said.
    pub open: u32,
}

/// A part of the issues that fit a filter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilteredPage {
    pub page: TrackedPage,
    /// How many issues fit.
    pub count: u32,
    /// How many of these aren't done, as far as Jira last said.
    pub open: u32,
}

/// What `track` did for one issue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TrackOutcome {
    /// On the list now, and was not before. Of many concurrent calls for one issue exactly one says so.
    Tracked,
    AlreadyTracked,
}

impl TrackOutcome {
    pub fn new(is_new: bool) -> Self {
        if is_new { Self::Tracked } else { Self::AlreadyTracked }
    }
}

/// What `untrack` did for one key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UntrackOutcome {
    Untracked,
    NotTracked,
}

/// What came of removing keys from a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Removal {
    /// One for each key, in order.
    pub outcomes: Vec<UntrackOutcome>,
    /// The list's first [`Removal::ROWS`] rows, if none of the keys was on it and the database said both at once:
    /// after removing nothing, one asks what is there. When Jira was last asked isn't read.
    pub list: Option<TrackedPage>,
}

impl Removal {
    pub const ROWS: u32 = 200;
}

impl UntrackOutcome {
    pub fn new(was_tracked: bool) -> Self {
        if was_tracked { Self::Untracked } else { Self::NotTracked }
    }
}
