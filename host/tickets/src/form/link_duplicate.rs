//! Links an existing ticket to the conversation instead of creating a duplicate.

use std::sync::Arc;

use crate::{
    form::{
        create::views::duplicates_again,
        modal::{
            modal_calls::Modals,
            outcome::{self, FormOutcome, sentence, with_notes},
            state::ModalState,
        },
    },
    intents::{
        exactly_once::{Driver, Ended, Stage, Start},
        records::{Announcement, LinkRecord},
    },
    link::{Link, NotLinked},
    provenance::Provenance,
};
use maro_domain::reply::Block;
use maro_process::telemetry::error_chain;
use maro_store::intents::{
    Intent, IntentState,
    work::{Stop, Work},
};
use maro_texts::{
    self as texts,
    issues::created::{DUPLICATES_TITLE, LINK_TITLE},
};

/// Handles the choice to link a ticket.
pub(crate) struct LinkForm {
    pub(crate) driver: Arc<Driver>,
    pub(crate) modals: Arc<Modals>,
}

impl LinkForm {
    /// Links the ticket `key` under the intent of `state`, which then creates none.
    pub(super) async fn link(
        &self,
        state: &ModalState,
        view_id: &str,
        key: &str,
        provenance: &Provenance,
    ) -> FormOutcome {
        let record = LinkRecord {
            origin: state.origin.clone(),
            view_id: view_id.to_owned(),
            key: key.to_owned(),
            issue: None,
            is_tracked: false,
            announcement: Announcement::Due,
        };
        // Creating one ticket and linking another are different intents, so this one has its own id.
        let id = format!("{}-link-{key}", state.intent_id);
        let begun = self.begin(&id, record, provenance).await;
        if !provenance.is_replay() {
            let linking =
                self.modals.sentence(DUPLICATES_TITLE, &state.origin, texts::issues::created::LINKING);
            self.modals.update(view_id, &linking).await;
        }
        let (mut work, stage) = match begun {
            Ok(Start::Ours(work)) => (work, Stage::Begun),
            Ok(Start::Known(IntentState::Failed, work)) => (work, Stage::Draft),
            Ok(Start::Known(_, work)) => return self.linked(&work.record, &[]),
            Err(stop) => return self.not_begun(state, &stop).await,
        };
        let sight = self.driver.access.sight(&work.channel, &work.user).await;
        match self.driver.drive(&mut Link::new(sight), &mut work, stage).await {
            Ended::NotBegun(stop) => self.not_begun(state, &stop).await,
            Ended::Refused { refusal, unwritten: None } => {
                let reason = reason(&work, refusal);
                duplicates_again(&self.driver, &self.modals, state, &reason).await
            }
            ended => self.outcome(&work, ended),
        }
    }

    /// Finishes what another process left behind, and shows the result.
    pub(crate) async fn finish(&self, intent: Intent) -> Result<(), Stop> {
        let sight = self.driver.access.sight(&intent.channel, &intent.user).await;
        let (work, ended) = self.driver.resume(&mut Link::new(sight), intent).await?;
        if ended.is_told_already() {
            return Ok(());
        }
        let outcome = self.outcome(&work, ended);
        let LinkRecord { view_id, origin, .. } = &work.record;
        self.modals.show_late(LINK_TITLE, view_id, origin, outcome).await;
        Ok(())
    }

    /// The modal that it was chosen in stays, to choose again.
    async fn not_begun(&self, state: &ModalState, stop: &Stop) -> FormOutcome {
        duplicates_again(&self.driver, &self.modals, state, outcome::not_begun(stop)).await
    }

    async fn begin(
        &self,
        id: &str,
        record: LinkRecord,
        provenance: &Provenance,
    ) -> Result<Start<LinkRecord>, Stop> {
        let author = provenance.author(&record.origin.place()?);
        self.driver.begin::<Link>(id, IntentState::Begun, author, record).await
    }

    fn outcome(&self, work: &Work<LinkRecord>, ended: Ended<NotLinked>) -> FormOutcome {
        let record = &work.record;
        let text = match ended {
            Ended::Done(notes) => {
                let notes = notes.iter().map(|note| outcome::note(note, &record.origin));
                return self.linked(record, &notes.collect::<Vec<_>>());
            }
            Ended::Refused { unwritten: Some(stop), .. } | Ended::NotBegun(stop) | Ended::Stopped(stop) => {
                return self.modals.stopped(LINK_TITLE, &record.origin, &stop);
            }
            Ended::Refused { refusal, unwritten: None } => reason(work, refusal),
            Ended::Unconfirmed(_) => texts::issues::forms::UNCONFIRMED.to_owned(),
        };
        self.modals.news(LINK_TITLE, &record.origin, &text)
    }

    fn linked(&self, record: &LinkRecord, notes: &[String]) -> FormOutcome {
        let issue = record.issue.as_ref().and_then(|issue| Some((issue.key().ok()?, &issue.summary)));
        let shown = match issue {
            Some((key, summary)) => Block::Paragraph(texts::issues::created::linked(&key, summary)),
            None => sentence(texts::issues::created::LINKING),
        };
        let (blocks, news) = with_notes(vec![shown], notes);
        FormOutcome::news(self.modals.notice(LINK_TITLE, &record.origin, blocks, Vec::new()), news)
    }
}

/// What the person reads if there is no link.
fn reason(work: &Work<LinkRecord>, refusal: NotLinked) -> String {
    match refusal {
        NotLinked::Withheld(rule) => texts::rights::access::withheld(&work.record.key, &rule),
        NotLinked::Missing => texts::failures::jira::not_found(&work.record.key),
        NotLinked::Jira(error) => {
            tracing::warn!(intent = work.id, error = error_chain(&error), "a ticket wasn't linked");
            texts::failures::jira::failed(&error)
        }
    }
}
