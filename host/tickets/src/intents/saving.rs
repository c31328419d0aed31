//! Saving intents, with their entries in the audit log. When each is saved is [`crate::intents::exactly_once`]'s to
//! say.

use jiff::Timestamp;
use serde::Serialize;

use crate::{
    intents::exactly_once::{Driver, Ended, Start},
    intents::wish::Wish,
};
use maro_domain::author::Author;
use maro_store::{
    audit::{Entry, Noted},
    database::error::DatabaseError,
    intents::{
        Begun, IntentError, IntentState, NewIntent,
        work::{Stop, Work, to_json},
    },
};

impl Driver {
    /// Saves a new intent: as begun, or as a draft, which does nothing by itself.
    pub(crate) async fn begin<W: Wish>(
        &self,
        id: &str,
        state: IntentState,
        author: Author,
        record: W::Record,
    ) -> Result<Start<W::Record>, Stop> {
        let intent = NewIntent {
            id: id.to_owned(),
            kind: W::KIND,
            channel: author.channel.clone(),
            user: author.user.clone(),
            state,
            data: to_json(&record),
        };
        let subject = W::subject(&record);
        let entry = Entry { action: W::ACTION, subject: &subject, outcome: "begun" };
        let is_noted = !matches!(state, IntentState::Draft | IntentState::Failed);
        let noted = is_noted.then(|| Noted { author: &author, entry, at: self.clock.now() });
        let started = match self.begin_surely(&intent, noted).await? {
            Begun::New(intent) => Start::Ours(Work::read(intent)?),
            Begun::Known(intent) => Start::Known(intent.state, Work::read(intent)?),
        };
        Ok(match started {
            Start::Ours(work) => Start::Ours(Work { author, ..work }),
            Start::Known(state, work) => Start::Known(state, Work { author, ..work }),
        })
    }

    /// Begins an intent, and once more if the database's answer was lost: if the first did it, this finds it.
    async fn begin_surely(&self, intent: &NewIntent, noted: Option<Noted<'_>>) -> Result<Begun, IntentError> {
        let begun = self.intents.begin(intent, noted, self.clock.now()).await;
        if !begun.as_ref().is_err_and(is_uncertain) {
            return begun;
        }
        tokio::time::sleep(self.patience.settling).await;
        // If this fails too, it still isn't known what the first did.
        self.intents.begin(intent, noted, self.clock.now()).await.or(begun)
    }

    /// Saves that an intent is begun, and once more if the database's answer was lost. If the first did it,
    /// the intent is lost to recovery.
    pub(crate) async fn save_begun<W: Wish>(
        &self,
        wish: &W,
        work: &mut Work<W::Record>,
        is_noted: bool,
    ) -> Result<(), Stop> {
        match self.save_begun_once(wish, work, is_noted).await {
            Err(Stop::Store(error)) if is_uncertain(&error) => {
                tokio::time::sleep(self.patience.settling).await;
                self.save_begun_once(wish, work, is_noted).await.map_err(|stop| match stop {
                    Stop::Lost => Stop::Lost,
                    _ => Stop::Store(error),
                })
            }
            saved => saved,
        }
    }

    async fn save_begun_once<W: Wish>(
        &self,
        wish: &W,
        work: &mut Work<W::Record>,
        is_noted: bool,
    ) -> Result<(), Stop> {
        match is_noted {
            true => self.save(work, IntentState::Begun).await,
            false => {
                let subject = W::subject(&work.record);
                self.save_noting(wish, work, IntentState::Begun, &[subject], "begun").await
            }
        }
    }

    /// Saves the progress of an intent with entries in the audit log.
    pub(crate) async fn save_noting<W: Wish>(
        &self,
        wish: &W,
        work: &mut Work<W::Record>,
        state: IntentState,
        subjects: &[String],
        outcome: &str,
    ) -> Result<(), Stop> {
        work.author = wish.author(work);
        let entries: Vec<Entry<'_>> =
            subjects.iter().map(|subject| Entry { action: W::ACTION, subject, outcome }).collect();
        work.save_as(&*self.intents, state, &entries, self.clock.now()).await
    }

    /// Saves the progress of an intent, and renews its lease.
    pub(crate) async fn save<Record: Serialize>(
        &self,
        work: &mut Work<Record>,
        state: IntentState,
    ) -> Result<(), Stop> {
        work.save(&*self.intents, state, self.clock.now()).await
    }

    pub(crate) async fn refused<W: Wish>(
        &self,
        wish: &W,
        work: &mut Work<W::Record>,
        refusal: W::Refusal,
    ) -> Ended<W::Refusal> {
        let subject = W::subject(&work.record);
        let unwritten = self.save_noting(wish, work, IntentState::Failed, &[subject], "failed").await.err();
        Ended::Refused { refusal, unwritten }
    }

    /// Leaves an intent to recovery without waiting for the lease to end.
    pub(crate) async fn release<Record: Serialize>(&self, work: &mut Work<Record>) {
        // Saved with a time long ago. If that fails, the intent is taken over when the lease ends.
        let _ = work.save(&*self.intents, IntentState::Begun, Timestamp::UNIX_EPOCH).await;
    }
}

fn is_uncertain(error: &IntentError) -> bool {
    matches!(error, IntentError::Database(DatabaseError::Uncertain(_)))
}
