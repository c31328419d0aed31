//! A form that was sent and then closed: what it hadn't begun isn't begun any more. What it has, goes on.
//!
//! Whoever begins an intent and whoever cancels it both write the draft's next version. The database takes one of them,
//! whichever replica they are on.

use crate::{
    create::Create,
    form::{
        create::{submission::CreateForm, views::CREATING_ISSUE},
        modal::state::ModalState,
    },
    intents::{exactly_once::Start, records::CreateRecord},
    provenance::Provenance,
};
use maro_process::telemetry::error_chain;
use maro_slack::interaction::ViewClosed;
use maro_store::intents::{
    IntentState,
    work::{Stop, Work},
};

impl CreateForm {
    /// Cancels what a closed modal waited for, if nothing of it was begun.
    pub(crate) async fn closed(&self, closed: ViewClosed) {
        let ViewClosed { user, view, .. } = closed;
        if view.callback_id != CREATING_ISSUE {
            return;
        }
        let Some(state) = self.modals.own_state(CREATING_ISSUE, &view.private_metadata, &user) else {
            return tracing::warn!(user = user.as_str(), "a modal with a state that is not ours was closed");
        };
        if let Err(stop) = self.cancel(&state).await {
            // Then it goes on as if nobody had closed anything.
            tracing::info!(intent = state.intent_id, error = error_chain(&stop), "a form wasn't cancelled");
        }
    }

    /// A form that was sent may not be a draft yet, since Slack or Jira is being asked about it. So the cancelled one is
    /// begun here, and whoever saves the draft finds it.
    async fn cancel(&self, state: &ModalState) -> Result<(), Stop> {
        let record = CreateRecord::cancelled(state.origin.clone());
        let author = Provenance::default().author(&record.origin.place()?);
        match self.driver.begin::<Create>(&state.intent_id, IntentState::Failed, author, record).await? {
            Start::Known(IntentState::Draft, mut work) => {
                work.record.is_cancelled = true;
                self.driver.save(&mut work, IntentState::Failed).await
            }
            Start::Ours(_) | Start::Known(..) => Ok(()),
        }
    }

    /// Whether the person has closed the form of this intent. Not, as long as the database doesn't say so.
    pub(crate) async fn is_cancelled(&self, id: &str) -> bool {
        let intent = self.driver.intents.get(id).await.ok().flatten();
        let record = intent.and_then(|intent| Work::<CreateRecord>::read(intent).ok());
        record.is_some_and(|work| work.record.is_cancelled)
    }
}
