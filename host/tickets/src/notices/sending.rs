//! Sends the next message of a channel, and notes what became of it.

use std::time::Duration;

use crate::{
    notices::{
        plan::{Change, Step, merge, next},
        sifting::Sifted,
    },
    texts::notices as texts,
};
use maro_domain::{
    ids::{ChannelId, UserId},
    reply::{Block, Button, Maker, Reply, Span, Visibility},
};
use maro_process::telemetry::error_chain;
use maro_slack::{
    message::Message,
    render::Renderer,
    web_api::{SlackWebApi, error::ApiError, notices::PostFailure},
};
use maro_store::{
    database::error::DatabaseError,
    notices::{
        Became, ClaimedChannel, HeadUpdate, LastReply, Mode, Notices, Outcome, Recent, ReplyUpdate, Sending,
        ThreadUpdate, Told,
    },
};

/// Slack takes about one message a second in a channel.
const PACE: Duration = Duration::from_secs(1);

/// After a message was changed rather than sent.
const SHORT_PAUSE: Duration = Duration::from_millis(200);

/// While Slack can't be reached.
const OUTAGE_PAUSE: Duration = Duration::from_secs(5);

/// The first pause after Slack has refused a message, and the longest.
const REFUSED_PAUSE: Duration = Duration::from_secs(15);
const MAX_REFUSED_PAUSE: Duration = Duration::from_secs(300);

/// How many issues a message about many shows.
const MAX_LINES: usize = 20;

/// One claimed channel, and what it takes to send something there.
pub(super) struct Sender<'a> {
    pub(super) notices: &'a dyn Notices,
    pub(super) slack: &'a SlackWebApi,
    pub(super) renderer: &'a Renderer,
    pub(super) claimed: &'a ClaimedChannel,
    pub(super) holder: i64,
}

impl Sender<'_> {
    /// Sends one message at most.
    pub(super) async fn send(&self, sifted: Sifted<'_>) -> Result<(), DatabaseError> {
        for (reason, ids) in &sifted.withheld {
            tracing::info!(
                channel = self.claimed.channel.as_str(),
                notices = ids.len(),
                reason,
                "changes aren't told"
            );
            let outcome = Outcome { notices: ids, became: Became::Withheld(reason), ..Outcome::default() };
            self.notices.finish(&self.claimed.channel, self.holder, &outcome, true).await?;
        }
        if !sifted.introductions.is_empty() {
            return self.introduce(&sifted.introductions).await;
        }
        match next(self.claimed, merge(&sifted.told)) {
            None => self.finish(Outcome::default()).await,
            Some(Step::Drop(ids)) => {
                let became = Became::Withheld("taken back");
                self.finish(Outcome { notices: &ids, became, ..Outcome::default() }).await
            }
            Some(Step::Many(changes, recent)) => self.tell_many(&changes, recent).await,
            Some(Step::Head(change)) => self.begin_thread(&change).await,
            Some(Step::Edit(change, reply)) => self.correct(&change, reply).await,
            Some(Step::Reply(change, head, is_line)) => self.answer(&change, head, is_line).await,
            Some(Step::Alone(change)) => self.tell_alone(&change).await,
        }
    }

    async fn introduce(&self, ids: &[i64]) -> Result<(), DatabaseError> {
        let button = Block::Buttons(vec![button(texts::TURN_ON, Mode::Status)]);
        let message = self.message(vec![Block::Paragraph(texts::introduction()), button]);
        if self.begin(ids).await? {
            let posted = self.post(None, &message).await;
            self.told(ids, &posted, |_| Outcome { introduces: true, ..Outcome::default() }).await?;
        }
        Ok(())
    }

    /// The message that begins an issue's thread. The change itself is next.
    async fn begin_thread(&self, change: &Change<'_>) -> Result<(), DatabaseError> {
        let sending = Sending { notices: &[], head_of: Some(change.issue_id()) };
        if !self.notices.begin(&self.claimed.channel, self.holder, sending).await? {
            return Ok(());
        }
        let posted = self.post(None, &self.head(change)).await;
        let head = match &posted {
            Ok(ts) => HeadUpdate::Set { ts, is_line: true },
            Err(failure) if failure.may_be_posted => HeadUpdate::Keep,
            Err(_) => HeadUpdate::Forget,
        };
        let thread = Some(ThreadUpdate { issue: change.issue_id(), head, reply: None });
        let (pause, paused_for) = match &posted {
            Ok(_) => (PACE, None),
            Err(failure) => self.after(failure, change).await,
        };
        let paused_for = paused_for.as_deref();
        self.finish(Outcome { thread, pause, paused_for, ..Outcome::default() }).await
    }

    /// A new answer in a thread.
    async fn answer(&self, change: &Change<'_>, head: &str, is_line: bool) -> Result<(), DatabaseError> {
        if is_line {
            let updated = self.slack.update_message(&self.claimed.channel, head, &self.head(change)).await;
            match updated {
                Err(error) if error.is_message_gone() => return self.forget_head(change).await,
                Err(error) => {
                    tracing::debug!(error = error_chain(&error), "a head line wasn't kept up to date")
                }
                Ok(()) => {}
            }
        }
        if !self.begin(&change.ids).await? {
            return Ok(());
        }
        let message = self.change(change, change.from, !self.claimed.is_introduced);
        let posted = self.post(Some(head), &message).await;
        if let Err(failure) = &posted
            && failure.error.is_message_gone()
        {
            return self.forget_head(change).await;
        }
        self.settle(change, &posted, HeadUpdate::Keep).await
    }

    /// A message by itself, since nobody knows whether there is a head line. It begins the thread from now on.
    async fn tell_alone(&self, change: &Change<'_>) -> Result<(), DatabaseError> {
        if !self.begin(&change.ids).await? {
            return Ok(());
        }
        let posted = self.post(None, &self.change(change, change.from, !self.claimed.is_introduced)).await;
        let head = match &posted {
            Ok(ts) => HeadUpdate::Set { ts, is_line: false },
            Err(_) => HeadUpdate::Keep,
        };
        self.settle(change, &posted, head).await
    }

    /// Changes the last answer.
    async fn correct(&self, change: &Change<'_>, reply: &LastReply) -> Result<(), DatabaseError> {
        let (channel, ts) = (&self.claimed.channel, reply.message.ts.as_str());
        if !self.begin(&change.ids).await? {
            return Ok(());
        }
        let message = self.change(change, &reply.from, reply.has_choice);
        if let Err(error) = self.slack.update_message(channel, ts, &message).await {
            // What can't be changed is told anew, once it's too old to be changed.
            tracing::info!(
                channel = channel.as_str(),
                error = error_chain(&error),
                "a notice wasn't corrected"
            );
            let pause = if error.is_message_gone() { super::plan::EDITABLE } else { OUTAGE_PAUSE };
            return self.finish(Outcome { notices: &change.ids, pause, ..Outcome::default() }).await;
        }
        if let maro_store::notices::Head::Known { ts: head, is_line: true } = &change.thread.head
            && let Err(error) = self.slack.update_message(channel, head, &self.head(change)).await
        {
            tracing::debug!(error = error_chain(&error), "a head line wasn't kept up to date");
        }
        let has_choice = reply.has_choice;
        let reply = ReplyUpdate { ts, from: &reply.from, is_new: false, has_choice };
        let thread =
            Some(ThreadUpdate { issue: change.issue_id(), head: HeadUpdate::Keep, reply: Some(reply) });
        let (notices, became) = (&*change.ids, Became::Sent(ts));
        self.finish(Outcome { notices, became, thread, pause: SHORT_PAUSE, ..Outcome::default() }).await
    }

    /// One message about many issues, or the last one with more in it.
    async fn tell_many(&self, changes: &[Change<'_>], recent: Option<&Recent>) -> Result<(), DatabaseError> {
        let channel = &self.claimed.channel;
        let before = match recent {
            Some(recent) => self.notices.told_in(channel, &recent.ts).await?,
            None => Vec::new(),
        };
        let ids: Vec<i64> = changes.iter().flat_map(|change| change.ids.clone()).collect();
        if !self.begin(&ids).await? {
            return Ok(());
        }
        let message = self.message(many(&before, changes));
        let Some(Recent { ts, .. }) = recent else {
            let posted = self.post(None, &message).await;
            return self
                .told(&ids, &posted, |ts| Outcome {
                    bulk: Some((ts, true)),
                    introduces: true,
                    ..Outcome::default()
                })
                .await;
        };
        let outcome = match self.slack.update_message(channel, ts, &message).await {
            Ok(()) => Outcome { became: Became::Sent(ts), pause: PACE, ..Outcome::default() },
            Err(error) if error.is_message_gone() => {
                Outcome { pause: super::plan::EDITABLE, ..Outcome::default() }
            }
            Err(_) => Outcome { pause: OUTAGE_PAUSE, ..Outcome::default() },
        };
        self.finish(Outcome { notices: &ids, ..outcome }).await
    }

    async fn settle(
        &self,
        change: &Change<'_>,
        posted: &Result<String, PostFailure>,
        head: HeadUpdate<'_>,
    ) -> Result<(), DatabaseError> {
        let has_choice = !self.claimed.is_introduced;
        let (pause, paused_for) = match posted {
            Ok(_) => (PACE, None),
            Err(failure) => self.after(failure, change).await,
        };
        let became = became(posted);
        let reply =
            posted.as_ref().ok().map(|ts| ReplyUpdate { ts, from: change.from, is_new: true, has_choice });
        let thread = Some(ThreadUpdate { issue: change.issue_id(), head, reply });
        let introduces = posted.is_ok();
        let (notices, paused_for) = (&*change.ids, paused_for.as_deref());
        self.finish(Outcome { notices, became, thread, introduces, pause, paused_for, bulk: None }).await
    }

    /// As [`Sender::settle`], of a message that is about no single issue.
    async fn told<'t>(
        &self,
        ids: &'t [i64],
        posted: &'t Result<String, PostFailure>,
        then: impl FnOnce(&'t str) -> Outcome<'t>,
    ) -> Result<(), DatabaseError> {
        let outcome = posted.as_ref().map_or_else(|_| Outcome::default(), |ts| then(ts));
        let (pause, paused_for) = match posted {
            Ok(_) => (PACE, None),
            Err(failure) => pause_after(failure, self.claimed.pauses),
        };
        let (became, paused_for) = (became(posted), paused_for.as_deref());
        self.finish(Outcome { notices: ids, became, pause, paused_for, ..outcome }).await
    }

    /// The head is gone, so there will be another.
    async fn forget_head(&self, change: &Change<'_>) -> Result<(), DatabaseError> {
        let thread = ThreadUpdate { issue: change.issue_id(), head: HeadUpdate::Forget, reply: None };
        let (notices, thread) = (&*change.ids, Some(thread));
        self.finish(Outcome { notices, thread, pause: SHORT_PAUSE, ..Outcome::default() }).await
    }

    /// How long to pause, and why Slack takes no messages, if it doesn't. Tells the person who tracked the issue how to
    /// change that, once.
    async fn after(&self, failure: &PostFailure, change: &Change<'_>) -> (Duration, Option<String>) {
        let not_in = matches!(failure.error, ApiError::NotInChannel | ApiError::ChannelNotFound);
        let tracker = self.claimed.notices.iter().find(|notice| change.ids.contains(&notice.id));
        if let Some(user) = tracker.and_then(|notice| notice.tracked_by.as_ref())
            && not_in
            && self.claimed.pauses == 0
        {
            self.tell_person(user).await;
        }
        pause_after(failure, self.claimed.pauses)
    }

    async fn tell_person(&self, user: &UserId) {
        let blocks = vec![Block::Paragraph(texts::not_in_channel())];
        let reply = Reply { visibility: Visibility::Caller, blocks };
        let message = self.renderer.render(&reply, &self.claimed.channel, user);
        let posted = self.slack.post_notice(&ChannelId::of_person(user), None, &message).await;
        if let Err(failure) = posted {
            tracing::info!(user = user.as_str(), error = error_chain(&failure), "a person wasn't told");
        }
    }

    async fn begin(&self, ids: &[i64]) -> Result<bool, DatabaseError> {
        let sending = Sending { notices: ids, head_of: None };
        self.notices.begin(&self.claimed.channel, self.holder, sending).await
    }

    async fn finish(&self, outcome: Outcome<'_>) -> Result<(), DatabaseError> {
        self.notices.finish(&self.claimed.channel, self.holder, &outcome, false).await
    }

    async fn post(&self, thread: Option<&str>, message: &Message) -> Result<String, PostFailure> {
        let channel = &self.claimed.channel;
        let posted = self.slack.post_notice(channel, thread, message).await.map(|ts| ts.0);
        posted.inspect_err(|failure| {
            let may_be_posted = failure.may_be_posted;
            tracing::info!(
                channel = channel.as_str(),
                may_be_posted,
                error = error_chain(&failure.error),
                "Slack didn't take a notice"
            );
        })
    }

    fn head(&self, change: &Change<'_>) -> Message {
        let issue = change.issue;
        self.message(vec![Block::Paragraph(texts::head(&issue.key, &issue.summary, change.to))])
    }

    fn change(&self, change: &Change<'_>, from: &str, has_choice: bool) -> Message {
        let line = texts::change(&change.issue.key, from, change.to, change.set_by);
        let mut blocks = vec![Block::Paragraph(line)];
        if has_choice {
            blocks.push(choice());
        }
        self.message(blocks)
    }

    fn message(&self, blocks: Vec<Block>) -> Message {
        let reply = Reply { visibility: Visibility::Channel, blocks };
        // Nobody in particular: the texts name no caller.
        let nobody = UserId::parse("U0").expect("it's an id");
        self.renderer.render(&reply, &self.claimed.channel, &nobody)
    }
}

fn became<'a>(posted: &'a Result<String, PostFailure>) -> Became<'a> {
    match posted {
        Ok(ts) => Became::Sent(ts),
        Err(failure) if failure.may_be_posted => Became::Lost,
        Err(_) => Became::Waiting,
    }
}

/// How long to pause, and why Slack takes no messages, if it doesn't.
fn pause_after(failure: &PostFailure, pauses: u32) -> (Duration, Option<String>) {
    match &failure.error {
        _ if failure.may_be_posted => (PACE, None),
        ApiError::RateLimited { retry_after } => ((*retry_after).max(PACE), None),
        error if error.is_outage() => (OUTAGE_PAUSE, None),
        error => {
            let pause = REFUSED_PAUSE.saturating_mul(1 << pauses.min(8)).min(MAX_REFUSED_PAUSE);
            (pause, Some(error.to_string()))
        }
    }
}

/// The lines about many issues: those that were told before, and those that come to them.
fn many(before: &[Told], changes: &[Change<'_>]) -> Vec<Block> {
    let told = before
        .iter()
        .map(|told| (&told.key, texts::change(&told.key, &told.from, &told.to, told.set_by.as_deref())));
    let new = changes.iter().map(|change| {
        let key = &change.issue.key;
        (key, texts::change(key, change.from, change.to, change.set_by))
    });
    let lines: Vec<(_, Vec<Span>)> = told.chain(new).collect();
    let mut blocks = vec![Block::Paragraph(texts::many(lines.len()))];
    blocks.push(Block::items(lines.iter().take(MAX_LINES).map(|(_, line)| line.clone())));
    if lines.len() > MAX_LINES {
        blocks.push(Block::Paragraph(texts::more(lines.len() - MAX_LINES)));
    }
    blocks.push(choice());
    blocks
}

/// Below the first notice of a channel, and below those about many issues.
fn choice() -> Block {
    Block::Buttons(vec![button(texts::FEWER, Mode::Done), button(texts::OFF, Mode::Off)])
}

fn button(label: &str, mode: Mode) -> Button {
    Button {
        label: label.to_owned(),
        command: format!("notify {}", mode.as_str()),
        turns_page: false,
        maker: Maker::Host,
        question: None,
        is_confirmed_first: false,
    }
}
