//! Whatever people and plugins want of Jira takes the same seven steps, so that it happens exactly once.
//!
//! 1. *Begin.* The intention is written to the journal. Of many who begin the same one, one goes on.
//! 2. *Ask.* The journal has it as `begun` before Jira is asked, so that a crash leaves no doubt that Jira
//!    may have done it.
//! 3. *Look.* What Jira didn't confirm is looked for by its mark. Nothing is asked for again before that.
//! 4. *Confirm.* Jira's answer is written as `confirmed` before anything follows from it.
//! 5. *Track.* This may be repeated: an issue is on a list once.
//! 6. *Announce.* This is noted before Slack is asked. After a crash at that very moment the channel may not
//!    have heard it, but it never hears it twice.
//! 7. *Close.* It is `finished` if all is done. If not, it stays `confirmed`, and recovery tries the rest
//!    again.
//!
//! Every write needs the version of the one before. So whoever has lost an intention to another process stops
//! at the next write. After a crash `Driver::resume` takes the same steps from where the journal says it was.

use std::sync::Arc;

use jiff::Timestamp;
use serde::Serialize;

use crate::{
    announcer::Announcer,
    auto_track::AutoTracker,
    intent_records::{Announcement, Place},
    wish::{Asked, Looking, Told, Wish},
};
use maro_domain::{
    events::{DomainEvent, TicketEvent},
    issue::IssueKey,
};
use maro_jira::{client::JiraClient, error::JiraError};
use maro_process::{clock::Clock, telemetry::error_chain};
use maro_slack::web_api::error::ApiError;
use maro_store::{
    intents::{
        Begun, Intent, IntentState, Intents, NewIntent,
        work::{Stop, Work, to_json},
    },
    tracker::ChannelIssueTracker,
};

/// How many looks must have found nothing before a ticket counts as not there.
const MIN_LOOKS: usize = 3;

/// What the journal said to an intention.
#[derive(Debug)]
pub(crate) enum Start<Record> {
    /// It is ours to do.
    Ours(Work<Record>),
    /// It is known already, in this state.
    Known(IntentState, Work<Record>),
}

/// How far an intention has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// It is a draft, or failed and is tried again.
    Draft,
    /// This process has begun it just now.
    Begun,
    /// Another process has begun it, and may have asked Jira.
    TakenOver,
    /// Jira's answer is in the journal.
    Confirmed,
}

/// How an intention ended.
#[derive(Debug)]
pub(crate) enum Ended<Refusal> {
    /// Jira has done it. The notes tell what of the rest is not done yet.
    Done(Vec<Note>),
    /// Jira has done nothing. `unwritten` if the journal does not know that.
    Refused { refusal: Refusal, unwritten: Option<Stop> },
    /// Nobody knows what Jira did. Recovery looks again.
    Unconfirmed(Option<JiraError>),
    /// Nothing more can be done here.
    Stopped(Stop),
}

/// What is not done yet although Jira has done its part.
#[derive(Debug)]
pub(crate) enum Note {
    /// Recovery tries it again.
    NotTracked(IssueKey),
    /// It is not tried again.
    NotAnnounced(ApiError),
    /// The journal was not written: the rest follows once it can be.
    Unwritten(Stop),
}

/// What a look has shown.
enum Looked {
    /// Everything that was looked for is there.
    Found,
    /// Some of it surely is not.
    NotThere,
    /// Jira is still away, and nobody knows.
    Away,
}

/// Brings intentions to their end. Shared by people's forms, plugins and recovery.
pub struct Driver {
    pub intents: Arc<dyn Intents>,
    pub jira: Arc<JiraClient>,
    pub tracker: Arc<dyn ChannelIssueTracker>,
    pub auto_tracker: AutoTracker,
    pub announcer: Arc<Announcer>,
    pub clock: Clock,
}

impl Driver {
    /// Writes down that something is wanted: as begun, or as a draft of which nothing comes by itself.
    pub(crate) async fn begin<W: Wish>(
        &self,
        id: &str,
        state: IntentState,
        place: Place,
        record: W::Record,
    ) -> Result<Start<W::Record>, Stop> {
        let Place { channel, user } = place;
        let intent =
            NewIntent { id: id.to_owned(), kind: W::KIND, channel, user, state, data: to_json(&record) };
        Ok(match self.intents.begin(&intent, self.clock.now()).await? {
            Begun::New(intent) => Start::Ours(Work::read(intent)?),
            Begun::Known(intent) => Start::Known(intent.state, Work::read(intent)?),
        })
    }

    /// Brings what another process left behind to its end.
    pub(crate) async fn resume<W: Wish>(
        &self,
        wish: &mut W,
        intent: Intent,
    ) -> Result<(Work<W::Record>, Ended<W::Refusal>), Stop> {
        let is_confirmed = intent.state == IntentState::Confirmed;
        let stage = if is_confirmed { Stage::Confirmed } else { Stage::TakenOver };
        let mut work = Work::read(intent)?;
        let ended = self.drive(wish, &mut work, stage).await;
        Ok((work, ended))
    }

    /// Brings an intention that is ours to its end.
    pub(crate) async fn drive<W: Wish>(
        &self,
        wish: &mut W,
        work: &mut Work<W::Record>,
        stage: Stage,
    ) -> Ended<W::Refusal> {
        if stage != Stage::Confirmed {
            if let Err(ended) = self.carry_out(wish, work, stage).await {
                return ended;
            }
            if let Err(stop) = self.save(work, IntentState::Confirmed).await {
                return Ended::Done(vec![Note::Unwritten(stop)]);
            }
        }
        Ended::Done(self.follow_up(wish, work).await)
    }

    /// Saves the progress of an intention and renews the lease.
    pub(crate) async fn save<Record: Serialize>(
        &self,
        work: &mut Work<Record>,
        state: IntentState,
    ) -> Result<(), Stop> {
        work.save(&*self.intents, state, self.clock.now()).await
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
        loop {
            let written = work.record.clone();
            if !wish.prepare(&self.jira, &mut work.record).await {
                return Ok(());
            }
            // From here on a crash leaves it unknown whether Jira did it, and the journal has to know that.
            if !is_written || work.record != written {
                self.save(work, IntentState::Begun).await.map_err(Ended::Stopped)?;
            }
            is_written = false;
            // What was confirmed so far need not wait for the rest.
            if !self.track(wish, work).await.is_empty() {
                self.save(work, IntentState::Begun).await.map_err(Ended::Stopped)?;
            }
            match wish.ask(&self.jira, work).await {
                Asked::Answered => {}
                Asked::Refused(refusal) => return Err(self.refused(work, refusal).await),
                Asked::Unknown(error) => {
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

    /// Finds out what Jira has done. What it has not done may be asked for again.
    async fn settle<W: Wish>(
        &self,
        wish: &mut W,
        work: &mut Work<W::Record>,
        error: Option<JiraError>,
    ) -> Result<(), Ended<W::Refusal>> {
        match self.look(wish, work).await.map_err(Ended::Stopped)? {
            Looked::Found => Ok(()),
            Looked::NotThere => match wish.missing(work) {
                Ok(()) => Ok(()),
                Err(refusal) => Err(self.refused(work, refusal).await),
            },
            Looked::Away => {
                if let Looking::Until(_) = wish.looking() {
                    self.release(work).await;
                }
                Err(Ended::Unconfirmed(error))
            }
        }
    }

    /// Looks for what Jira did not confirm, by its marks.
    async fn look<W: Wish>(&self, wish: &mut W, work: &mut Work<W::Record>) -> Result<Looked, Stop> {
        let mut marks = wish.unconfirmed(work);
        if marks.is_empty() {
            return Ok(Looked::Found);
        }
        let looking = wish.looking();
        let project = wish.project(&self.jira, &work.record).await;
        let mut looks = 0;
        for &pause in looking.pauses() {
            if !looking.has_time_for(pause) {
                return Ok(Looked::Away);
            }
            tokio::time::sleep(pause).await;
            if looking == Looking::Thoroughly {
                // This renews the lease.
                self.save(work, IntentState::Begun).await?;
            }
            match self.jira.find_by_intents(&project, &marks, work.begun_at, looking.deadline()).await {
                Ok(found) => {
                    looks += 1;
                    for (mark, ticket) in found {
                        wish.found(work, &mark, ticket);
                    }
                    marks = wish.unconfirmed(work);
                    if marks.is_empty() {
                        return Ok(Looked::Found);
                    }
                }
                Err(error) => tracing::warn!(
                    intent = work.id,
                    error = error_chain(&error),
                    "couldn't search for an unconfirmed issue"
                ),
            }
        }
        let is_sure = looking == Looking::Thoroughly && looks >= MIN_LOOKS;
        Ok(if is_sure { Looked::NotThere } else { Looked::Away })
    }

    async fn refused<Record: Serialize, Refusal>(
        &self,
        work: &mut Work<Record>,
        refusal: Refusal,
    ) -> Ended<Refusal> {
        let unwritten = self.save(work, IntentState::Failed).await.err();
        Ended::Refused { refusal, unwritten }
    }

    /// Leaves an intention to recovery without waiting for the lease to end.
    async fn release<Record: Serialize>(&self, work: &mut Work<Record>) {
        // As of long ago. Unwritten, it is taken over when the lease ends by itself.
        let _ = work.save(&*self.intents, IntentState::Begun, Timestamp::UNIX_EPOCH).await;
    }

    /// Does what follows from what Jira has confirmed, as far as it is still due.
    async fn follow_up<W: Wish>(&self, wish: &mut W, work: &mut Work<W::Record>) -> Vec<Note> {
        let mut notes: Vec<Note> = self
            .track(wish, work)
            .await
            .into_iter()
            .filter(|(_, is_tracked)| !is_tracked)
            .map(|(key, _)| Note::NotTracked(key))
            .collect();
        // What is not tracked yet stays open, and is tried again.
        let state = if notes.is_empty() { IntentState::Finished } else { IntentState::Confirmed };
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
            tracing::warn!(
                intent = work.id,
                reason = error_chain(&stop),
                "a finished flow could not be closed"
            );
        }
        notes
    }

    /// Tracks what has happened: each key, and whether it is on the list now. Once the list can't be
    /// written, the rest isn't tried: that could take longer than the lease.
    async fn track<W: Wish>(&self, wish: &mut W, work: &mut Work<W::Record>) -> Vec<(IssueKey, bool)> {
        let mut tracked = Vec::new();
        let mut is_list_there = true;
        for (number, event) in wish.events(work) {
            is_list_there = is_list_there && self.auto_tracker.on(&event).await.is_ok();
            if is_list_there {
                wish.tracked(&mut work.record, number);
            }
            tracked.push((key_of(event), is_list_there));
        }
        tracked
    }

    /// Tells the channel, unless it was told or may have been.
    async fn announce<W: Wish>(&self, wish: &W, work: &mut Work<W::Record>) -> Result<(), Note> {
        let Some(Told { place, thread_ts, blocks }) = wish.told(&work.record) else { return Ok(()) };
        let Some(announcement) = wish.announcement(&mut work.record) else { return Ok(()) };
        if *announcement != Announcement::Due {
            return Ok(());
        }
        *announcement = Announcement::Sending;
        self.save(work, IntentState::Confirmed).await.map_err(Note::Unwritten)?;
        let told = self.announcer.announce(&place.channel, &place.user, thread_ts.as_deref(), blocks).await;
        if let Some(announcement) = wish.announcement(&mut work.record) {
            *announcement = Announcement::Done;
        }
        told.map_err(Note::NotAnnounced)
    }
}

fn key_of(event: DomainEvent) -> IssueKey {
    let (DomainEvent::TicketCreated(TicketEvent { key, .. })
    | DomainEvent::DuplicateLinked(TicketEvent { key, .. })
    | DomainEvent::StoryCreated(TicketEvent { key, .. })) = event;
    key
}
