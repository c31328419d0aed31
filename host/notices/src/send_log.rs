//! Notes before a message is sent that it is, and afterwards what became of it.

use std::time::Duration;

use tokio::time::Instant;

use crate::{change::Change, slack_poster::Poster};
use maro_domain::issue::{IssueId, IssueKey};
use maro_process::telemetry::error_chain;
use maro_slack::web_api::posting_once::PostFailure;
use maro_store::{
    database::error::DatabaseError,
    notices::{
        Became, CLAIM, ClaimedChannel, Fate, HeadUpdate, Notices, Outcome, ReplyUpdate, Sending, ThreadUpdate,
    },
};

/// After a message was changed rather than sent.
pub(crate) const SHORT_PAUSE: Duration = Duration::from_millis(200);

/// How often it's looked for what others made of a message, and how long to wait in between.
const FATE_LOOKS: u32 = 60;
const FATE_PAUSE: Duration = Duration::from_secs(1);

/// How often it's tried to note what became of a message, and how long to wait in between.
const NOTE_LOOKS: u32 = 5;
const NOTE_PAUSE: Duration = Duration::from_secs(2);

/// How a message ended: its timestamp or what went wrong, and how long to pause now, with the reason if Slack takes
/// none.
pub(crate) struct Posted {
    pub(crate) result: Result<String, PostFailure>,
    pub(crate) pause: Duration,
    pub(crate) paused_for: Option<String>,
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
pub(crate) struct Record<'a> {
    pub(crate) notices: &'a dyn Notices,
    pub(crate) claimed: &'a ClaimedChannel,
    pub(crate) holder: i64,
    pub(crate) poster: Poster<'a>,
}

impl Record<'_> {
    /// A message with these changes is about to be sent. `false`: it mustn't be, and the channel was given back.
    pub(crate) async fn begin(&self, ids: &[i64]) -> Result<bool, DatabaseError> {
        self.begin_sending(Sending { notices: ids, ..Sending::default() }).await
    }

    /// These changes are about to be added to the message with this timestamp.
    pub(crate) async fn begin_adding(&self, ids: &[i64], ts: &str) -> Result<bool, DatabaseError> {
        self.begin_sending(Sending { notices: ids, changes: Some(ts), ..Sending::default() }).await
    }

    /// A thread's head line is about to be sent.
    pub(crate) async fn begin_head(&self, issue: &IssueId) -> Result<bool, DatabaseError> {
        self.begin_sending(Sending { head_of: Some(issue), ..Sending::default() }).await
    }

    async fn begin_sending(&self, sending: Sending<'_>) -> Result<bool, DatabaseError> {
        let asked = Instant::now();
        let sending = Sending { mode: Some(self.claimed.mode), ..sending };
        let begun = self.notices.begin(&self.claimed.channel, self.holder, sending).await;
        if matches!(begun, Ok(false)) {
            // What people have turned off meanwhile is sifted out next.
            self.finish(Outcome::default()).await?;
            return Ok(false);
        }
        if begun.is_ok() && asked.elapsed() <= CLAIM / 2 {
            return Ok(true);
        }
        // The process slept meanwhile, and the claim may be over before the message is there. Or it isn't known
        // whether that was noted: it would count as lost later, and is known not to be sent.
        let forgotten = |issue| ThreadUpdate { issue, head: HeadUpdate::Forget, reply: ReplyUpdate::Keep };
        let notices = if sending.changes.is_some() { &[][..] } else { sending.notices };
        let thread = sending.head_of.map(forgotten);
        self.finish(Outcome { notices, thread, pause: SHORT_PAUSE, ..Outcome::default() }).await?;
        begun.map(|_| false)
    }

    /// The claim begins again.
    pub(crate) async fn hold(&self) -> Result<(), DatabaseError> {
        self.notices.begin(&self.claimed.channel, self.holder, Sending::default()).await.map(drop)
    }

    /// Gives the channel back.
    pub(crate) async fn finish(&self, outcome: Outcome<'_>) -> Result<(), DatabaseError> {
        self.notices.finish(&self.claimed.channel, self.holder, &outcome, false).await.map(drop)
    }

    /// Keeps the channel.
    pub(crate) async fn keep(&self, outcome: Outcome<'_>) -> Result<(), DatabaseError> {
        self.notices.finish(&self.claimed.channel, self.holder, &outcome, true).await.map(drop)
    }

    /// An answer in a thread, or a message by itself that begins one. `old_heads`: its head line, if that is to be
    /// changed.
    pub(crate) async fn told(
        &self,
        change: &Change<'_>,
        posted: &Posted,
        head: HeadUpdate<'_>,
        old_heads: &[(&IssueId, &IssueKey)],
    ) -> Result<(), DatabaseError> {
        let has_choice = !self.claimed.is_introduced;
        let is_new = true;
        let reply = posted.result.as_ref().ok();
        let from = change.status().map_or("", |part| part.from.as_str());
        let reply = reply.map_or(ReplyUpdate::Keep, |ts| ReplyUpdate::Set { ts, from, is_new, has_choice });
        let thread = Some(ThreadUpdate { issue: change.issue_id(), head, reply });
        let introduces = posted.result.is_ok();
        let old_heads = if introduces { old_heads } else { &[] };
        let outcome = Outcome { thread, introduces, old_heads, ..Outcome::default() };
        self.settle(&change.ids, posted, outcome).await
    }

    /// The rest of the outcome of a message is `outcome`.
    pub(crate) async fn settle(
        &self,
        ids: &[i64],
        posted: &Posted,
        outcome: Outcome<'_>,
    ) -> Result<(), DatabaseError> {
        let sent = Sending { notices: ids, ..Sending::default() };
        self.settle_sent(sent, posted, Outcome { notices: ids, became: posted.became(), ..outcome }).await
    }

    /// A head line.
    pub(crate) async fn settle_head(&self, issue: &IssueId, posted: &Posted) -> Result<(), DatabaseError> {
        let head = match &posted.result {
            Ok(ts) => HeadUpdate::Set { ts, is_line: true },
            Err(failure) if failure.may_be_posted => HeadUpdate::Keep,
            Err(_) => HeadUpdate::Forget,
        };
        let thread = Some(ThreadUpdate { issue, head, reply: ReplyUpdate::Keep });
        let sent = Sending { head_of: Some(issue), ..Sending::default() };
        self.settle_sent(sent, posted, Outcome { thread, ..Outcome::default() }).await
    }

    async fn settle_sent(
        &self,
        sent: Sending<'_>,
        posted: &Posted,
        outcome: Outcome<'_>,
    ) -> Result<(), DatabaseError> {
        let Posted { result, pause, paused_for } = posted;
        let outcome = Outcome { pause: *pause, paused_for: paused_for.as_deref(), ..outcome };
        let is_held = self.note_surely(&outcome).await?;
        match result {
            Ok(ts) if !is_held => self.withdraw(sent, ts).await,
            _ => Ok(()),
        }
    }

    /// Notes what became of a message, and again if the database doesn't answer for a moment: what isn't noted is
    /// lost, or has to be looked for.
    async fn note_surely(&self, outcome: &Outcome<'_>) -> Result<bool, DatabaseError> {
        let mut looks = 0;
        loop {
            looks += 1;
            match self.notices.finish(&self.claimed.channel, self.holder, outcome, false).await {
                Err(error) if looks < NOTE_LOOKS => {
                    tracing::debug!(error = error_chain(&error), "what became of a message isn't noted yet");
                    tokio::time::sleep(NOTE_PAUSE).await;
                }
                noted => return noted,
            }
        }
    }

    /// The process slept before the message was sent, and its claim was over: another worker may have told the same.
    /// As soon as it's known that one has, this message is taken back.
    async fn withdraw(&self, sent: Sending<'_>, ts: &str) -> Result<(), DatabaseError> {
        for _ in 0..FATE_LOOKS {
            match self.notices.fate(&self.claimed.channel, sent, ts).await? {
                Fate::Open => tokio::time::sleep(FATE_PAUSE).await,
                Fate::ToldElsewhere => {
                    self.poster.delete(ts).await;
                    return Ok(());
                }
                Fate::Told | Fate::Untold => return Ok(()),
            }
        }
        Ok(())
    }

    /// The head is gone, so there will be another.
    pub(crate) async fn forget_head(&self, change: &Change<'_>) -> Result<(), DatabaseError> {
        let thread =
            ThreadUpdate { issue: change.issue_id(), head: HeadUpdate::Forget, reply: ReplyUpdate::Keep };
        let (notices, thread) = (&*change.ids, Some(thread));
        self.finish(Outcome { notices, thread, pause: SHORT_PAUSE, ..Outcome::default() }).await
    }
}
