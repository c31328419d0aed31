//! Notes before a message is sent that it is, and afterwards what became of it.

use std::time::Duration;

use crate::notices::change::Change;
use maro_domain::issue::IssueId;
use maro_slack::web_api::notices::PostFailure;
use maro_store::{
    database::error::DatabaseError,
    notices::{Became, ClaimedChannel, HeadUpdate, Notices, Outcome, ReplyUpdate, Sending, ThreadUpdate},
};

/// After a message was changed rather than sent.
pub(super) const SHORT_PAUSE: Duration = Duration::from_millis(200);

/// How a message ended: its timestamp or what went wrong, and how long to pause now, with the reason if Slack takes none.
pub(super) struct Posted {
    pub(super) result: Result<String, PostFailure>,
    pub(super) pause: Duration,
    pub(super) paused_for: Option<String>,
}

impl Posted {
    fn became(&self) -> Became<'_> {
        match &self.result {
            Ok(ts) => Became::Sent(ts),
            // The next worker looks whether it's there.
            Err(failure) if failure.may_be_posted => Became::Unconfirmed,
            Err(_) => Became::Waiting,
        }
    }
}

/// What is noted of one claimed channel.
pub(super) struct Record<'a> {
    pub(super) notices: &'a dyn Notices,
    pub(super) claimed: &'a ClaimedChannel,
    pub(super) holder: i64,
}

impl Record<'_> {
    /// A message with these changes is about to be sent. `false`: it mustn't be.
    pub(super) async fn begin(&self, ids: &[i64]) -> Result<bool, DatabaseError> {
        self.notices.begin(&self.claimed.channel, self.holder, Sending { notices: ids, head_of: None }).await
    }

    /// A thread's head line is about to be sent.
    pub(super) async fn begin_head(&self, issue: &IssueId) -> Result<bool, DatabaseError> {
        let sending = Sending { notices: &[], head_of: Some(issue) };
        self.notices.begin(&self.claimed.channel, self.holder, sending).await
    }

    /// Gives the channel back.
    pub(super) async fn finish(&self, outcome: Outcome<'_>) -> Result<(), DatabaseError> {
        self.notices.finish(&self.claimed.channel, self.holder, &outcome, false).await
    }

    /// Keeps the channel.
    pub(super) async fn keep(&self, outcome: Outcome<'_>) -> Result<(), DatabaseError> {
        self.notices.finish(&self.claimed.channel, self.holder, &outcome, true).await
    }

    /// An answer in a thread, or a message by itself that begins one.
    pub(super) async fn told(
        &self,
        change: &Change<'_>,
        posted: &Posted,
        head: HeadUpdate<'_>,
    ) -> Result<(), DatabaseError> {
        let has_choice = !self.claimed.is_introduced;
        let is_new = true;
        let reply = posted.result.as_ref().ok();
        let from = change.status().map_or("", |part| part.from.as_str());
        let reply = reply.map(|ts| ReplyUpdate { ts, from, is_new, has_choice });
        let thread = Some(ThreadUpdate { issue: change.issue_id(), head, reply });
        let introduces = posted.result.is_ok();
        self.settle(&change.ids, posted, Outcome { thread, introduces, ..Outcome::default() }).await
    }

    /// The rest of the outcome of a message is `outcome`.
    pub(super) async fn settle(
        &self,
        ids: &[i64],
        posted: &Posted,
        outcome: Outcome<'_>,
    ) -> Result<(), DatabaseError> {
        let Posted { pause, paused_for, .. } = posted;
        let (became, paused_for) = (posted.became(), paused_for.as_deref());
        self.finish(Outcome { notices: ids, became, pause: *pause, paused_for, ..outcome }).await
    }

    /// The head is gone, so there will be another.
    pub(super) async fn forget_head(&self, change: &Change<'_>) -> Result<(), DatabaseError> {
        let thread = ThreadUpdate { issue: change.issue_id(), head: HeadUpdate::Forget, reply: None };
        let (notices, thread) = (&*change.ids, Some(thread));
        self.finish(Outcome { notices, thread, pause: SHORT_PAUSE, ..Outcome::default() }).await
    }
}
