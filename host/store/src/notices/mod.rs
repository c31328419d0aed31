//! What channels are told of changes: what each wants to hear, the changes that wait to be told, and the threads in
//! which they are.
//!
//! Owns the tables `channel_notices`, `notice_outbox`, `notice_threads`, `own_changes`, `done_issues` and
//! `shown_links`. A change is written by `enqueue.rs` of each database, in the transaction that changes the row of
//! the list. Those tables are the queue, too: a worker claims channels for a few seconds, and of several replicas
//! each gets others. The times of the queue are the database's own, since the clocks of replicas differ.

use std::time::Duration;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use crate::database::error::DatabaseError;
use maro_domain::{
    author::Author,
    ids::{ChannelId, UserId},
    issue::{IssueId, IssueKey},
};

mod mode;
pub(crate) mod note;
pub(crate) mod observed;
mod outcome;
pub(crate) mod own_change;
pub(crate) mod postgres;
pub(crate) mod sqlite;
mod stored;
pub(crate) mod timing;

pub use mode::Mode;
pub use outcome::{Became, Fate, HeadUpdate, Outcome, ReplyUpdate, Sending, ThreadUpdate};
pub use own_change::OwnChange;
pub use timing::CLAIM;

/// A channel with changes to tell, claimed for one worker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimedChannel {
    pub channel: ChannelId,
    pub mode: Mode,
    /// Whether the channel knows that notices can be turned on and off.
    pub is_introduced: bool,
    /// How often in a row Slack has refused a message.
    pub pauses: u32,
    /// The last message about many issues, if there was one.
    pub bulk: Option<Recent>,
    /// The name of the time zone of its digest, if it's known.
    pub zone: Option<String>,
    /// Oldest first.
    pub notices: Vec<Waiting>,
}

/// Why Slack takes no messages in a channel, and how many changes wait there.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Paused {
    pub reason: String,
    pub waiting: u32,
}

/// A message that later changes may be added to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recent {
    pub ts: String,
    pub age: Duration,
}

/// What a notice is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Status,
    Assignee,
    Priority,
    Sprint,
    /// New comments: how many, and the id of the last.
    Comments,
    /// An issue that has been done for long.
    Finished,
    /// How to turn notices on.
    Introduction,
    /// A change of status that nobody is told of. It changes the head line of the issue's thread. It's kept rather
    /// than waiting, as what a digest tells is: a release that doesn't know of it leaves it alone, where it would
    /// tell it as a change of status.
    Head,
}

impl Kind {
    const ALL: [Self; 8] = [
        Self::Status,
        Self::Assignee,
        Self::Priority,
        Self::Sprint,
        Self::Comments,
        Self::Finished,
        Self::Introduction,
        Self::Head,
    ];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Status => "status",
            Self::Assignee => "assignee",
            Self::Priority => "priority",
            Self::Sprint => "sprint",
            Self::Comments => "comments",
            Self::Finished => "finished",
            Self::Introduction => "introduction",
            Self::Head => "head",
        }
    }

    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

/// One thing of an issue that changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    pub kind: Kind,
    /// Of comments, how many there are.
    pub from: String,
    /// Of comments, the id of the last.
    pub to: String,
    pub set_by: Option<String>,
}

impl Part {
    /// Whether it was taken back.
    pub fn is_void(&self) -> bool {
        self.kind != Kind::Comments && self.from == self.to
    }
}

/// A change that wasn't told yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    pub id: i64,
    pub issue_id: IssueId,
    pub key: IssueKey,
    pub part: Part,
    /// When MARO saw it. `None` if that can't be read.
    pub at: Option<Timestamp>,
    /// Whether it was being sent when its worker lost sight of it.
    pub is_unconfirmed: bool,
    /// When that was, by the database's clock. `None`: nobody has noted it.
    pub begun_at: Option<Timestamp>,
    /// The message that it was being added to then, if it wasn't to be a new one.
    pub added_to: Option<String>,
    /// Whether the channel wants to hear nothing of its issue.
    pub is_muted: bool,
    /// Whether the issue is on the list.
    pub is_tracked: bool,
    /// Its status there. `None` if that isn't known.
    pub listed_status: Option<String>,
    /// Who put it there. `None` if Slack knows nobody of that name.
    pub tracked_by: Option<UserId>,
    pub thread: Thread,
}

/// A change that was told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    pub key: IssueKey,
    pub part: Part,
}

/// Where an issue's changes are told.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Thread {
    pub head: Head,
    pub reply: Option<LastReply>,
}

impl Thread {
    /// The timestamp of the message that begins it, if that is known.
    pub fn head_ts(&self) -> Option<&str> {
        match &self.head {
            Head::Known { ts, .. } => Some(ts),
            Head::None | Head::Uncertain => None,
        }
    }
}

/// The message that begins a thread.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Head {
    #[default]
    None,
    /// It may have been sent.
    Uncertain,
    Known {
        ts: String,
        /// Whether it is a head line, which is kept up to date.
        is_line: bool,
    },
}

/// The last change that was told in a thread.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastReply {
    pub message: Recent,
    /// The status before it.
    pub from: String,
    /// Whether there are buttons under it.
    pub has_choice: bool,
}

/// When a channel gets its digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DigestSetting {
    /// `daily 9:00`
    pub schedule: String,
    /// The name of a time zone; `None` if nobody's is known, which is UTC then.
    pub zone: Option<String>,
    /// The next time.
    pub due_at: Timestamp,
}

/// How many issues one digest offers for removal. One command takes as many.
pub(crate) const MAX_OFFERED: i64 = 50;

/// A digest whose time has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueDigest {
    pub channel: ChannelId,
    pub schedule: String,
    pub zone: Option<String>,
    /// As it's stored, to tell whether another replica has begun it.
    pub due_at: String,
    pub now: Timestamp,
}

/// What channels are told. SQLite and PostgreSQL behave the same: one suite tests both.
#[async_trait]
pub trait Notices: Send + Sync {
    /// What a channel wants to hear.
    async fn mode(&self, channel: &ChannelId) -> Result<Mode, DatabaseError>;

    /// Why Slack took no message when it was last given one there. `None` if it takes them, as far as is known.
    async fn paused(&self, channel: &ChannelId) -> Result<Option<Paused>, DatabaseError>;

    /// Sets what the author's channel wants to hear. `false` if that is what it was, and the channel knew it.
    async fn set_mode(&self, author: &Author, mode: Mode, now: Timestamp) -> Result<bool, DatabaseError>;

    /// When a channel gets its digest, if it ever chose one.
    async fn digest(&self, channel: &ChannelId) -> Result<Option<DigestSetting>, DatabaseError>;

    /// Has the author's channel get digests from now on. `false` if it got them on that schedule before.
    async fn set_digest(
        &self,
        author: &Author,
        setting: &DigestSetting,
        now: Timestamp,
    ) -> Result<bool, DatabaseError>;

    /// The digests whose time has come by the database's clock, which is the same for all replicas, or will have come
    /// when that is `ahead` further. 100 at most.
    async fn due_digests(&self, ahead: SignedDuration) -> Result<Vec<DueDigest>, DatabaseError>;

    /// Puts what a digest tells into the queue, and moves its time on to `next`. Issues that are known to have been
    /// done since before `done_before` are in it, once. `false` if another replica has begun it.
    async fn begin_digest(
        &self,
        due: &DueDigest,
        next: Timestamp,
        done_before: Timestamp,
        now: Timestamp,
    ) -> Result<bool, DatabaseError>;

    /// Silences an issue on the list of the author's channel, or lets it be heard again. `false` if it was so, or the
    /// issue isn't on the list.
    async fn mute(
        &self,
        author: &Author,
        key: &IssueKey,
        is_muted: bool,
        now: Timestamp,
    ) -> Result<bool, DatabaseError>;

    /// The message that begins an issue's thread in a channel, unless another is known.
    async fn begin_thread(&self, channel: &ChannelId, issue: &IssueId, ts: &str)
    -> Result<(), DatabaseError>;

    /// MARO is about to change something of an issue, or has ended doing so. What changes of that in between is told to
    /// nobody. Of several changes at the same time, each ends for itself.
    async fn note_own_change(&self, change: &OwnChange, is_over: bool) -> Result<(), DatabaseError>;

    /// Whether messages of a channel that mention issue keys alone are answered.
    async fn answers_keys(&self, channel: &ChannelId) -> Result<bool, DatabaseError>;

    /// Sets that for the author's channel. `false` if it was so.
    async fn set_answers_keys(
        &self,
        author: &Author,
        answers: bool,
        now: Timestamp,
    ) -> Result<bool, DatabaseError>;

    /// Notes that a link to an issue is shown in a channel. `false` if one was shown there within that time.
    async fn claim_shown_issue(
        &self,
        channel: &ChannelId,
        key: &IssueKey,
        within: Duration,
    ) -> Result<bool, DatabaseError>;

    /// Slack didn't show it.
    async fn release_shown_issue(&self, channel: &ChannelId, key: &IssueKey) -> Result<(), DatabaseError>;

    /// How long until a channel can be claimed. `None` if nothing is waiting.
    async fn next_due(&self) -> Result<Option<Duration>, DatabaseError>;

    /// Claims at most `limit` channels whose time has come, for `holder`, which is another for each call. What an
    /// earlier holder was sending is unconfirmed. Only channels whose time came `overdue` ago are claimed: the others
    /// are another replica's.
    async fn claim(
        &self,
        holder: i64,
        limit: u32,
        overdue: Duration,
    ) -> Result<Vec<ClaimedChannel>, DatabaseError>;

    /// What the message with this timestamp tells, in the order in which it changed.
    async fn told_in(&self, channel: &ChannelId, ts: &str) -> Result<Vec<Told>, DatabaseError>;

    /// Notes that a message is about to be sent. `false` if the channel isn't the holder's any more, or wants to hear
    /// something else by now: then it mustn't be.
    async fn begin(
        &self,
        channel: &ChannelId,
        holder: i64,
        sending: Sending<'_>,
    ) -> Result<bool, DatabaseError>;

    /// Notes what became of a claimed channel, and gives it back unless `keeps` is true. `false` if the channel isn't
    /// the holder's any more: then nothing was noted.
    async fn finish(
        &self,
        channel: &ChannelId,
        holder: i64,
        outcome: &Outcome<'_>,
        keeps: bool,
    ) -> Result<bool, DatabaseError>;

    /// What others made of a message that was sent as the one with this timestamp when the claim was over.
    async fn fate(&self, channel: &ChannelId, sent: Sending<'_>, ts: &str) -> Result<Fate, DatabaseError>;

    /// Forgets what was told before that, the links that were shown before yesterday, and what is known of issues
    /// that are on no list any more. A little at a time, so that nobody waits for it.
    async fn forget_before(&self, before: Timestamp) -> Result<(), DatabaseError>;
}
