//! Everything that people and plugins want from Jira takes the same seven steps, so that it happens exactly
//! once.
//!
//! 1. *Begin.* The intent is saved. If several callers begin the same one, only one of them continues.
//! 2. *Ask.* The intent is saved as `begun` before Jira is asked, so that after a crash it is known that Jira
//!    may have done it.
//! 3. *Look.* What Jira doesn't confirm is looked for by its mark: while its answer is waited for, and after
//!    that until Jira can't be at work on it any more. Nothing is asked for again before that. What was asked
//!    for twice is looked for once more, and if Jira has made both, the person is told. What can't be looked for is
//!    given up after hours, and the person is told that, too.
//! 4. *Confirm.* The intent is saved as `confirmed` with Jira's answer before anything follows from it.
//! 5. *Track.* This is saved at once, since people may untrack it again. After a crash in between, the audit log tells
//!    that it was tracked.
//! 6. *Announce.* This is saved before Slack is asked. After a crash at that very moment the channel may have
//!    missed the message, but it never gets it twice.
//! 7. *Close.* The intent is `finished` if everything is done. If not, it stays `confirmed`, and recovery tries
//!    the rest again.
//!
//! Every write needs the version of the previous one. So a process that has lost an intent to another one
//! stops at its next write. After a crash, `Driver::resume` continues with the same steps from the saved
//! state.

use std::sync::Arc;

use futures_util::{StreamExt as _, stream};

use crate::{
    announcer::Announcer,
    audit::Auditor,
    auto_track::AutoTracker,
    intents::patience::{LOOK_UP_PATIENCE, Patience, deadline},
    intents::records::Announcement,
    intents::wish::{Asked, Looked, Looking, Told, Wish},
};
use maro_access::{Access, hiding_rules::Rule, policy_in_channel::Sight};
use maro_domain::{
    events::{DomainEvent, TicketEvent},
    issue::{Issue, IssueId, IssueKey},
};
use maro_jira::{client::JiraClient, error::JiraError};
use maro_process::{clock::Clock, metrics::Metrics, telemetry::error_chain};
use maro_slack::web_api::error::ApiError;
use maro_store::{
    intents::{
        Intent, IntentState, Intents,
        work::{Stop, Work},
    },
    notices::Notices,
    tracker::ChannelIssueTracker,
};

/// How many issues are asked for at a time before they're announced.
const LOOK_UPS: usize = 4;

/// What came of beginning an intent.
#[derive(Debug)]
pub(crate) enum Start<Record> {
    /// It is ours to carry out.
    Ours(Work<Record>),
    /// It exists already, in this state.
    Known(IntentState, Work<Record>),
}

/// How far an intent has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// It is a draft, or it failed and is tried again.
    Draft,
    /// This process has just begun it.
    Begun,
    /// Another process has begun it, and may have asked Jira.
    TakenOver,
    /// Jira's answer is saved.
    Confirmed,
}

/// How an intent ended.
#[derive(Debug)]
pub(crate) enum Ended<Refusal> {
    /// Jira has done it. The notes say which other parts aren't done yet.
    Done(Vec<Note>),
    /// Jira has done nothing. `unwritten` if that couldn't be saved.
    Refused { refusal: Refusal, unwritten: Option<Stop> },
    /// Nothing was begun, because that couldn't be saved. After
    /// [`maro_store::database::error::DatabaseError::Uncertain`] it may be saved anyway, and then recovery carries it
    /// out.
    NotBegun(Stop),
    /// Nobody knows what Jira did. Recovery looks again.
    Unconfirmed(Option<JiraError>),
    /// Nothing more can be done here. Recovery finishes what was begun.
    Stopped(Stop),
}

impl<Refusal> Ended<Refusal> {
    /// The outcome's name in metrics.
    fn as_str(&self) -> &'static str {
        match self {
            Self::Done(_) => "done",
            Self::Refused { .. } => "refused",
            Self::Unconfirmed(_) => "unconfirmed",
            Self::Stopped(_) => "stopped",
            Self::NotBegun(_) => "not_begun",
        }
    }

    /// Whether the person has been told all that is known, so that recovery needn't say it again.
    pub(crate) fn is_told_already(&self) -> bool {
        matches!(self, Self::Unconfirmed(_) | Self::Stopped(_) | Self::NotBegun(_))
    }
}

/// What isn't done yet although Jira has done its part, or what else the person has to know.
#[derive(Debug)]
pub(crate) enum Note {
    /// Recovery tries it again.
    NotTracked(IssueKey),
    /// It isn't tried again.
    NotAnnounced(ApiError),
    /// Jira has created all of these for the same wish.
    MadeTwice(Vec<IssueKey>),
    /// The intent couldn't be saved. The rest follows once it can be.
    Unwritten(Stop),
}

/// Carries out intents. Shared by people's forms, plugins and recovery.
pub struct Driver {
    pub intents: Arc<dyn Intents>,
    pub jira: Arc<JiraClient>,
    pub tracker: Arc<dyn ChannelIssueTracker>,
    /// What may be shown where.
    pub access: Arc<Access>,
    pub audit: Auditor,
    pub auto_tracker: AutoTracker,
    pub announcer: Arc<Announcer>,
    pub notices: Arc<dyn Notices>,
    pub clock: Clock,
    pub metrics: Arc<Metrics>,
    pub patience: Patience,
}

impl Driver {
    /// Finishes an intent that another process left behind.
    pub(crate) async fn resume<W: Wish>(
        &self,
        wish: &mut W,
        intent: Intent,
    ) -> Result<(Work<W::Record>, Ended<W::Refusal>), Stop> {
        let is_confirmed = intent.state == IntentState::Confirmed;
        let stage = if is_confirmed { Stage::Confirmed } else { Stage::TakenOver };
        let mut work = Work::read(intent)?;
        self.note_tracked(wish, &mut work).await?;
        let ended = self.drive(wish, &mut work, stage).await;
        Ok((work, ended))
    }

    /// Carries out an intent that is ours.
    pub(crate) async fn drive<W: Wish>(
        &self,
        wish: &mut W,
        work: &mut Work<W::Record>,
        stage: Stage,
    ) -> Ended<W::Refusal> {
        let ended = self.drive_from(wish, work, stage).await;
        self.metrics.intent(W::KIND.as_str(), ended.as_str());
        ended
    }

    async fn drive_from<W: Wish>(
        &self,
        wish: &mut W,
        work: &mut Work<W::Record>,
        stage: Stage,
    ) -> Ended<W::Refusal> {
        if stage != Stage::Confirmed {
            if let Err(ended) = self.carry_out(wish, work, stage).await {
                return ended;
            }
            let changed = wish.changed(work);
            let saved = self.save_noting(wish, work, IntentState::Confirmed, &changed, "done").await;
            if let Err(stop) = saved {
                return Ended::Done(vec![Note::Unwritten(stop)]);
            }
        }
        Ended::Done(self.follow_up(wish, work).await)
    }

    /// Asks Jira until nothing is left to ask.
    async fn carry_out<W: Wish>(
        &self,
        wish: &mut W,
        work: &mut Work<W::Record>,
        stage: Stage,
    ) -> Result<(), Ended<W::Refusal>> {
        if stage == Stage::TakenOver {
            self.settle(wish, work, None).await?;
        }
        let mut is_written = stage == Stage::Begun;
        let mut is_begun = stage != Stage::Draft;
        loop {
            let written = work.record.clone();
            if !wish.prepare(&self.jira, &mut work.record).await {
                return self.look_for_twins(wish, work).await.map_err(Ended::Stopped);
            }
            // After a crash from here on it is unknown whether Jira did it, so that has to be saved first.
            if !is_written || work.record != written {
                self.note_open(wish, work);
                let saved = self.save_begun(wish, work, is_begun).await;
                saved.map_err(|stop| match stop {
                    Stop::Store(_) if !is_begun => Ended::NotBegun(stop),
                    _ => Ended::Stopped(stop),
                })?;
            }
            (is_written, is_begun) = (false, true);
            // What is confirmed so far doesn't have to wait for the rest.
            if !self.track(wish, work).await.is_empty() {
                self.save(work, IntentState::Begun).await.map_err(Ended::Stopped)?;
            }
            match self.ask(wish, work).await.map_err(Ended::Stopped)? {
                Asked::Answered(Some(answer)) => wish.answered(work, answer),
                Asked::Answered(None) => {}
                Asked::Refused(refusal) => {
                    // What was asked for before may be there anyway.
                    self.look_for_twins(wish, work).await.map_err(Ended::Stopped)?;
                    if wish.repeated(work).is_empty() || !wish.unconfirmed(work).is_empty() {
                        return Err(self.refused(wish, work, refusal).await);
                    }
                }
                Asked::Unknown(error) => {
                    self.note_open(wish, work);
                    tracing::warn!(
                        intent = work.id,
                        error = error_chain(&error),
                        "Jira didn't confirm what it was asked to create"
                    );
                    self.settle(wish, work, Some(error)).await?;
                }
            }
        }
    }

    /// Finds out what Jira has done. What it hasn't done may be asked for again.
    async fn settle<W: Wish>(
        &self,
        wish: &mut W,
        work: &mut Work<W::Record>,
        error: Option<JiraError>,
    ) -> Result<(), Ended<W::Refusal>> {
        // What has no mark isn't looked for. It may be asked for again, which recovery does, with pauses.
        if error.is_some() && wish.unconfirmed(work).is_empty() {
            return Err(Ended::Unconfirmed(error));
        }
        match self.look(wish, work).await.map_err(Ended::Stopped)? {
            Looked::Found => Ok(()),
            Looked::NotFound { is_sure } => match wish.missing(work, is_sure) {
                Ok(()) => Ok(()),
                Err(refusal) => Err(self.refused(wish, work, refusal).await),
            },
            Looked::Unknown => {
                if let Looking::Until(_) = wish.looking() {
                    self.release(work).await;
                }
                Err(Ended::Unconfirmed(error))
            }
        }
    }

    /// Does what follows from what Jira has confirmed, except what is already done.
    async fn follow_up<W: Wish>(&self, wish: &mut W, work: &mut Work<W::Record>) -> Vec<Note> {
        let tracked = self.track(wish, work).await;
        let is_any_tracked = tracked.iter().any(|(_, is_tracked)| *is_tracked);
        let missing = tracked.into_iter().filter(|(_, is_tracked)| !is_tracked);
        let mut notes: Vec<Note> = missing.map(|(key, _)| Note::NotTracked(key)).collect();
        // What follows asks Slack and Jira, which takes long enough for somebody to untrack it.
        if is_any_tracked && let Err(stop) = self.save(work, IntentState::Confirmed).await {
            notes.push(Note::Unwritten(stop));
            return notes;
        }
        // If anything isn't tracked yet, the intent stays open and recovery tries again.
        let state = if notes.is_empty() { IntentState::Finished } else { IntentState::Confirmed };
        notes.extend(wish.twins(&work.record).into_iter().map(Note::MadeTwice));
        wish.follow(&self.jira, &*self.tracker, &self.clock, work).await;
        match self.announce(wish, work).await {
            Ok(()) => {}
            Err(note @ Note::Unwritten(_)) => {
                notes.push(note);
                return notes;
            }
            Err(note) => notes.push(note),
        }
        if let Err(stop) = self.save(work, state).await {
            tracing::info!(intent = work.id, reason = error_chain(&stop), "couldn't close a finished intent");
        }
        notes
    }

    /// Notes what was on the list before a crash kept that from being saved: somebody may have untracked it since.
    async fn note_tracked<W: Wish>(&self, wish: &W, work: &mut Work<W::Record>) -> Result<(), Stop> {
        for (number, event) in wish.events(work) {
            let event = event.in_channel(|channel| self.access.known_channels.current(channel));
            let TicketEvent { channel, key, .. } = ticket_of(event);
            if self.tracker.has_changed(&channel, &key, work.begun_at).await? {
                wish.tracked(&mut work.record, number);
            }
        }
        Ok(())
    }

    /// Tracks what has happened. Returns each key, and whether it is on the list now. If a write to the list
    /// fails, the rest isn't tried, since that could take longer than the lease.
    async fn track<W: Wish>(&self, wish: &mut W, work: &mut Work<W::Record>) -> Vec<(IssueKey, bool)> {
        let author = wish.author(work);
        let mut tracked = Vec::new();
        let mut is_list_there = true;
        for (number, event) in wish.events(work) {
            let event = event.in_channel(|channel| self.access.known_channels.current(channel));
            is_list_there = is_list_there && self.auto_tracker.on(&event, &author).await.is_ok();
            if is_list_there {
                wish.tracked(&mut work.record, number);
            }
            tracked.push((ticket_of(event).key, is_list_there));
        }
        tracked
    }

    /// Tells the channel, unless it has been told or may have been.
    async fn announce<W: Wish>(&self, wish: &W, work: &mut Work<W::Record>) -> Result<(), Note> {
        let Some(Told { place, key, issues, .. }) = wish.told(&work.record, &[]) else { return Ok(()) };
        let Some(announcement) = wish.announcement(&mut work.record) else { return Ok(()) };
        if *announcement != Announcement::Due {
            return Ok(());
        }
        let channel = self.access.known_channels.current(&place.channel);
        let sight = self.access.sight(&channel, &place.user).await;
        if sight.project(key.project_key()).is_err_and(|rule| *rule != Rule::Unknown) {
            *announcement = Announcement::Done;
            tracing::info!(
                intent = work.id,
                "not posting in the channel: the issue may no longer be shown there"
            );
            return Ok(());
        }
        let hidden = self.hidden(sight, &issues).await;
        // From here on it's nearly sent: what a crash cuts off isn't sent again.
        *announcement = Announcement::Sending;
        self.save(work, IntentState::Confirmed).await.map_err(Note::Unwritten)?;
        let Some(told) = wish.told(&work.record, &hidden) else { return Ok(()) };
        let Told { thread_ts, blocks, details, .. } = told;
        let told = self.announcer.announce(&channel, &place.user, thread_ts.as_deref(), blocks).await;
        if let Some(announcement) = wish.announcement(&mut work.record) {
            *announcement = Announcement::Done;
        }
        let ts = told.map_err(Note::NotAnnounced)?;
        // What changes later is told below the message that began it.
        let thread = thread_ts.as_deref().unwrap_or(&ts.0);
        for issue in &issues {
            if let Err(error) = self.notices.begin_thread(&channel, issue, thread).await {
                tracing::debug!(
                    error = error_chain(&error),
                    "an issue's changes will be told in another thread"
                );
            }
        }
        if !details.is_empty() {
            // The log says if it fails. The channel knows what matters.
            let _ = self.announcer.announce(&channel, &place.user, Some(thread), details).await;
        }
        Ok(())
    }

    /// Those of some issues that may not be shown in a channel as Jira shows them, such as what got its project's
    /// default security level. So is that of which Jira doesn't say it.
    async fn hidden(&self, sight: Sight, issues: &[IssueId]) -> Vec<IssueId> {
        if !sight.picks_issues() {
            return Vec::new();
        }
        let end = deadline(LOOK_UP_PATIENCE);
        let asked: Vec<_> = issues.iter().map(|id| self.jira.get_issue_by_id(id, end)).collect();
        let found: Vec<_> = stream::iter(asked).buffered(LOOK_UPS).collect().await;
        let found: Vec<Issue> = found.into_iter().filter_map(|issue| issue.ok().flatten()).collect();
        let sight = sight.for_issues(found.iter().map(|issue| &issue.key)).await;
        let is_shown = |id: &IssueId| found.iter().any(|issue| issue.id == *id && sight.issue(issue).is_ok());
        issues.iter().filter(|id| !is_shown(id)).cloned().collect()
    }
}

fn ticket_of(event: DomainEvent) -> TicketEvent {
    let (DomainEvent::TicketCreated(ticket)
    | DomainEvent::DuplicateLinked(ticket)
    | DomainEvent::StoryCreated(ticket)) = event;
    ticket
}
