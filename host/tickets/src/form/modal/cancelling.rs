//! A form that was sent and then closed: what it hadn't begun isn't begun any more. What it has, goes on.
//!
//! Beginning an intent and cancelling it both write the draft's next version. The database takes one of them,
//! whichever replica they are on.

use crate::{
    create::Create,
    form::{
        create::{submission::CreateForm, views::CREATING_ISSUE},
        modal::{outcome::FormOutcome, state::ModalState},
    },
    intents::{
        exactly_once::Start,
        records::{CreateRecord, Origin},
    },
    provenance::Provenance,
};
use maro_process::telemetry::error_chain;
use maro_slack::interaction::ViewClosed;
use maro_store::intents::{
    IntentState,
    work::{Stop, Work},
};
use maro_texts::{self as texts, issues::created::CREATE_TITLE};

impl CreateForm {
    /// Cancels what a closed modal waited for, if nothing of it was begun.
    pub(crate) async fn closed(&self, closed: ViewClosed) {
        let ViewClosed { user, view, .. } = closed;
        if view.callback_id != CREATING_ISSUE {
            return;
        }
        let Some(state) = self.modals.own_state(CREATING_ISSUE, &view.private_metadata, &user) else {
            return tracing::warn!(user = user.as_str(), "a modal with a state that isn't ours was closed");
        };
        if let Err(stop) = self.cancel(&state).await {
            // Then it goes on as if nobody had closed anything.
            tracing::info!(intent = state.intent_id, error = error_chain(&stop), "a form wasn't cancelled");
        }
    }

    /// A form that was sent may not be a draft yet, since Slack or Jira is being asked about it. So the cancelled one
    /// is begun here, and saving the draft finds it. One that failed before and is sent again isn't a draft yet,
    /// either.
    async fn cancel(&self, state: &ModalState) -> Result<(), Stop> {
        let record = CreateRecord::cancelled(state.origin.clone());
        let author = Provenance::default().author(&record.origin.place()?);
        loop {
            let (id, author, record) = (&state.intent_id, author.clone(), record.clone());
            let begun = self.driver.begin::<Create>(id, IntentState::Failed, author, record).await?;
            let Start::Known(IntentState::Draft | IntentState::Failed, mut work) = begun else {
                return Ok(());
            };
            work.record.is_cancelled = true;
            match self.driver.save(&mut work, IntentState::Failed).await {
                // It became a draft at this moment, or more than that.
                Err(Stop::Lost) => {}
                saved => return saved,
            }
        }
    }

    /// What is said if the person has closed the form of this intent. Nothing, as long as the database doesn't say so.
    pub(crate) async fn cancelled(&self, work: &Work<CreateRecord>) -> Option<FormOutcome> {
        let intent = self.driver.intents.get(&work.id).await.ok().flatten();
        let saved = Work::<CreateRecord>::read(intent?).ok()?.record;
        saved.is_cancelled.then(|| self.said_cancelled(&work.record.origin))
    }

    pub(crate) fn said_cancelled(&self, origin: &Origin) -> FormOutcome {
        self.modals.news(CREATE_TITLE, origin, texts::issues::forms::CANCELLED)
    }
}
