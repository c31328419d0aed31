//! Tells a channel what is next, one message at most.

use std::time::Duration;

use tokio::time::Instant;

use crate::{
    change::{Change, add, merge},
    digests::{content::Digest, schedule::zone_named, waiting::DigestWaits},
    filter::Sifted,
    issues_as_jira_shows_now::MAX_AGE,
    messages::Messages,
    next_message::{Step, next},
    pace::{PACE, pause_after},
    send_log::{Posted, Record, SHORT_PAUSE},
    slack_poster::{HeadLine, Poster, shut_out},
    telling_the_tracker,
};
use maro_domain::issue::Issue;
use maro_process::telemetry::error_chain;
use maro_slack::{
    outgoing::message::Message,
    web_api::posting_once::{Mark, PostFailure},
};
use maro_store::{
    database::error::DatabaseError,
    notices::{
        Became, ClaimedChannel, Head, HeadUpdate, LastReply, Outcome, Recent, ReplyUpdate, ThreadUpdate,
        Waiting,
    },
};

/// How often head lines are brought up to date: Slack takes some fifty changes of messages a minute.
const HEAD_PACE: Duration = Duration::from_millis(1_200);

/// How many are brought up to date at a time.
const MAX_HEADS: usize = 5;

/// One claimed channel, and what it takes to tell something there.
pub(crate) struct Teller<'a> {
    pub(crate) claimed: &'a ClaimedChannel,
    pub(crate) messages: Messages<'a>,
    pub(crate) poster: Poster<'a>,
    pub(crate) record: Record<'a>,
    /// After what time that may be known which isn't now.
    pub(crate) pause: Duration,
    pub(crate) waits: &'a DigestWaits,
}

impl Teller<'_> {
    /// Tells one message at most.
    pub(crate) async fn tell(&self, sifted: Sifted<'_>) -> Result<(), DatabaseError> {
        for (reason, ids) in &sifted.withheld {
            tracing::info!(
                channel = self.claimed.channel.as_str(),
                notices = ids.len(),
                reason,
                "withheld changes"
            );
            let outcome = Outcome { notices: ids, became: Became::Withheld(reason), ..Outcome::default() };
            self.record.keep(outcome).await?;
        }
        if !sifted.introductions.is_empty() {
            return self.introduce(&sifted.introductions).await;
        }
        match next(self.claimed, merge(&sifted.told), &sifted.finished) {
            None if !sifted.heads.is_empty() => self.renew_heads(&sifted.heads).await,
            None => {
                let pause = if sifted.is_partial { self.pause } else { Duration::ZERO };
                self.record.finish(Outcome { pause, ..Outcome::default() }).await
            }
            Some(Step::Drop(ids)) => {
                let became = Became::Withheld("taken back");
                self.record.finish(Outcome { notices: &ids, became, ..Outcome::default() }).await
            }
            Some(Step::Digest(_)) if sifted.is_partial && self.waits.waits(&self.claimed.channel) => {
                self.record.finish(Outcome { pause: self.pause, ..Outcome::default() }).await
            }
            Some(Step::Digest(digest)) => self.tell_digest(&digest).await,
            Some(Step::Many(changes, recent)) => self.tell_many(&changes, recent).await,
            Some(Step::Head(change)) => self.begin_thread(&change).await,
            Some(Step::Edit(change, reply)) => self.correct(&change, reply).await,
            Some(Step::Reply(change, head, is_line)) => self.answer(&change, head, is_line).await,
            Some(Step::Alone(change)) => self.tell_alone(&change).await,
        }
    }

    async fn introduce(&self, ids: &[i64]) -> Result<(), DatabaseError> {
        if !self.record.begin(ids).await? {
            return Ok(());
        }
        let posted = self.post(None, &self.messages.introduction(), Mark::Notices(ids)).await;
        let introduces = posted.result.is_ok();
        self.record.settle(ids, &posted, Outcome { introduces, ..Outcome::default() }).await
    }

    /// What waits of a channel that reads digests.
    async fn tell_digest(&self, digest: &Digest<'_>) -> Result<(), DatabaseError> {
        self.waits.end(&self.claimed.channel);
        if !self.record.begin(&digest.ids).await? {
            return Ok(());
        }
        let message = self.messages.digest(digest, &zone_named(self.claimed.zone.as_deref()).0);
        let posted = self.post(None, &message, Mark::Notices(&digest.ids)).await;
        self.record.settle(&digest.ids, &posted, Outcome::default()).await
    }

    /// The message that begins an issue's thread. The change itself is next.
    async fn begin_thread(&self, change: &Change<'_>) -> Result<(), DatabaseError> {
        let issue = change.issue_id();
        if !self.record.begin_head(issue).await? {
            return Ok(());
        }
        let posted = self.post(None, &self.messages.head(change.issue), Mark::Head(issue.as_str())).await;
        self.record.settle_head(issue, &posted).await
    }

    /// Brings head lines of these issues up to date, a few at a time: what Jira shows of them is asked for each time.
    /// Each waits until Slack has taken it. If it's gone, the next change that is told finds out.
    async fn renew_heads(&self, heads: &[(&Waiting, &Issue)]) -> Result<(), DatabaseError> {
        let began = Instant::now();
        let (mut renewed, mut pause) = (Vec::new(), SHORT_PAUSE);
        for (notice, issue) in heads {
            if renewed.contains(&&issue.id) {
                continue;
            }
            if renewed.len() >= MAX_HEADS || began.elapsed() >= MAX_AGE {
                break;
            }
            if let Head::Known { ts, is_line: true } = &notice.thread.head {
                if let HeadLine::Old(failure) = self.poster.update_head(ts, &self.messages.head(issue)).await
                {
                    pause = pause_after(&failure, self.claimed.pauses).0;
                    break;
                }
                pause += HEAD_PACE;
            }
            renewed.push(&issue.id);
        }
        let ids = heads.iter().filter(|(_, issue)| renewed.contains(&&issue.id)).map(|(head, _)| head.id);
        let (notices, became) = (&*ids.collect::<Vec<i64>>(), Became::Withheld("within its category"));
        self.record.finish(Outcome { notices, became, pause, ..Outcome::default() }).await
    }

    /// A new answer in a thread.
    async fn answer(&self, change: &Change<'_>, head: &str, is_line: bool) -> Result<(), DatabaseError> {
        let mut old_heads = None;
        if is_line {
            match self.poster.update_head(head, &self.messages.head(change.issue)).await {
                HeadLine::Gone => return self.begin_again(change, is_line).await,
                HeadLine::Old(_) => old_heads = change.head_line(),
                HeadLine::Settled => {}
            }
        }
        if !self.record.begin(&change.ids).await? {
            return Ok(());
        }
        let posted = self.post(Some(head), &self.first(change), Mark::Notices(&change.ids)).await;
        if posted.result.as_ref().is_err_and(|failure| failure.error.is_message_gone()) {
            return self.begin_again(change, is_line).await;
        }
        self.record.told(change, &posted, HeadUpdate::Keep, old_heads.as_slice()).await
    }

    /// What begins a thread is gone, so there will be a head line. If it was one and nothing was ever told below it,
    /// Slack may find none of them: another would fare no better, and they would follow one another without end.
    async fn begin_again(&self, change: &Change<'_>, is_line: bool) -> Result<(), DatabaseError> {
        match is_line && change.thread.reply.is_none() {
            true => self.tell_alone(change).await,
            false => self.record.forget_head(change).await,
        }
    }

    /// A message by itself, since nobody knows whether there is a head line. It begins the thread from now on.
    async fn tell_alone(&self, change: &Change<'_>) -> Result<(), DatabaseError> {
        if !self.record.begin(&change.ids).await? {
            return Ok(());
        }
        let posted = self.post(None, &self.first(change), Mark::Notices(&change.ids)).await;
        let head = match &posted.result {
            Ok(ts) => HeadUpdate::Set { ts, is_line: false },
            Err(_) => HeadUpdate::Keep,
        };
        self.record.told(change, &posted, head, &[]).await
    }

    /// Changes the last answer.
    async fn correct(&self, change: &Change<'_>, reply: &LastReply) -> Result<(), DatabaseError> {
        let (channel, ts) = (&self.claimed.channel, reply.message.ts.as_str());
        if !self.record.begin_adding(&change.ids, ts).await? {
            return Ok(());
        }
        // All that is in the message, and what was just begun to be added.
        let mut parts = Vec::new();
        for told in self.record.notices.told_in(channel, ts).await? {
            add(&mut parts, told.part);
        }
        change.catch_up(&mut parts);
        let message = self.messages.change(change.issue, &parts, reply.has_choice);
        if let Err(failure) = self.poster.update(ts, &message).await {
            let issue = change.issue_id();
            let forgotten = ThreadUpdate { issue, head: HeadUpdate::Keep, reply: ReplyUpdate::Forget };
            let forgotten = Outcome { thread: Some(forgotten), ..Outcome::default() };
            return self.not_added(&[change], &failure, forgotten).await;
        }
        let (is_new, has_choice) = (false, reply.has_choice);
        let reply = ReplyUpdate::Set { ts, from: &reply.from, is_new, has_choice };
        let thread = Some(ThreadUpdate { issue: change.issue_id(), head: HeadUpdate::Keep, reply });
        let (notices, became, pause) = (&*change.ids, Became::Sent(ts), SHORT_PAUSE);
        let head = change.head_line();
        let old_heads = head.as_slice();
        self.record.finish(Outcome { notices, became, thread, old_heads, pause, ..Outcome::default() }).await
    }

    /// A message wasn't changed, or it isn't known whether it was. If nothing can be added to it any more, it's
    /// `forgotten`, and what it doesn't tell is told by another. What Slack has certainly not added may go into
    /// another one, too. All else is added once more: that tells nothing twice.
    async fn not_added(
        &self,
        changes: &[&Change<'_>],
        failure: &PostFailure,
        forgotten: Outcome<'_>,
    ) -> Result<(), DatabaseError> {
        let (channel, error) = (self.claimed.channel.as_str(), error_chain(failure));
        tracing::info!(
            channel,
            error,
            "couldn't edit a message; it's tried again, or the change goes into a later one"
        );
        let was_begun = |change: &&&Change<'_>| change.added_to.is_some();
        let ids = |changes: Vec<&&Change<'_>>| -> Vec<i64> {
            changes.into_iter().flat_map(|change| change.ids.iter().copied()).collect()
        };
        let (is_gone, is_fixed) = (failure.error.is_message_gone(), failure.error.is_message_fixed());
        if is_gone || is_fixed {
            let (begun, new): (Vec<_>, Vec<_>) =
                changes.iter().partition(|change| is_fixed && was_begun(change));
            // They may be there to be read.
            let (begun, became) = (ids(begun), Became::Lost);
            self.record.keep(Outcome { notices: &begun, became, ..Outcome::default() }).await?;
            let (notices, pause) = (&*ids(new), SHORT_PAUSE);
            return self.record.finish(Outcome { notices, pause, ..forgotten }).await;
        }
        let is_done_again = failure.may_be_posted || changes.iter().any(|change| was_begun(&change));
        let notices = if is_done_again { Vec::new() } else { ids(changes.iter().collect()) };
        let (pause, paused_for) = pause_after(failure, self.claimed.pauses);
        let paused_for = paused_for.as_deref();
        self.record.finish(Outcome { notices: &notices, pause, paused_for, ..Outcome::default() }).await
    }

    /// One message about many issues, or the last one with more in it.
    async fn tell_many(&self, changes: &[Change<'_>], recent: Option<&Recent>) -> Result<(), DatabaseError> {
        let ids: Vec<i64> = changes.iter().flat_map(|change| change.ids.clone()).collect();
        // Those that have a thread.
        let heads: Vec<_> = changes.iter().filter_map(Change::head_line).collect();
        let Some(Recent { ts, .. }) = recent else {
            if !self.record.begin(&ids).await? {
                return Ok(());
            }
            let message = self.messages.many(changes);
            let posted = self.post(None, &message, Mark::Notices(&ids)).await;
            let bulk = posted.result.as_ref().ok().map(|ts| (ts.as_str(), true));
            let introduces = bulk.is_some();
            let old_heads = if introduces { &*heads } else { &[] };
            let outcome = Outcome { bulk, introduces, old_heads, ..Outcome::default() };
            return self.record.settle(&ids, &posted, outcome).await;
        };
        if !self.record.begin_adding(&ids, ts).await? {
            return Ok(());
        }
        let told = self.record.notices.told_in(&self.claimed.channel, ts).await?;
        if let Err(failure) = self.poster.update(ts, &self.messages.many_told(told, changes)).await {
            let changes: Vec<_> = changes.iter().collect();
            let forgotten = Outcome { forgets_bulk: true, ..Outcome::default() };
            return self.not_added(&changes, &failure, forgotten).await;
        }
        let (became, pause, old_heads) = (Became::Sent(ts), PACE, &*heads);
        self.record.finish(Outcome { notices: &ids, became, pause, old_heads, ..Outcome::default() }).await
    }

    /// A change that is told in a message of its own.
    fn first(&self, change: &Change<'_>) -> Message {
        self.messages.change(change.issue, &change.parts, !self.claimed.is_introduced)
    }

    /// Where MARO may not write, the person who tracked the issue is told once how to change that.
    async fn post(&self, thread: Option<&str>, message: &Message, mark: Mark<'_>) -> Posted {
        let pauses = self.claimed.pauses;
        let result = self.poster.post(thread, message, mark).await;
        let (pause, paused_for) = match &result {
            Ok(_) => (PACE, None),
            Err(failure) => {
                if pauses == 0
                    && let Some(is_in) = shut_out(failure)
                {
                    let (messages, notices) = (&self.messages, &self.claimed.notices);
                    telling_the_tracker::tell(self.poster, messages, notices, mark, is_in).await;
                }
                pause_after(failure, pauses)
            }
        };
        Posted { result, pause, paused_for }
    }
}
