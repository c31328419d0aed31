//! A submitted modal: answered in time, whatever Jira does, and shown the rest later.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use crate::{
    Outcome, Tickets,
    record::{ModalState, Origin},
    texts,
    views::{CREATE_ISSUE, CREATE_ISSUE_ANYWAY, CREATE_STORIES, sentence},
};
use maro_domain::ids::UserId;
use maro_process::wait::{self, Waited};
use maro_slack::{
    interaction::{ViewSubmitted, answer::SubmissionResponse, view_state::ViewState},
    view::View,
};

/// The pause between an answer and the next view, so that Slack has shown the one before the other comes.
const SETTLING_PAUSE: Duration = Duration::from_millis(500);

impl Tickets {
    /// What becomes of a submitted modal. Work that takes longer than `patience` goes on, and its outcome
    /// takes the place of a modal that says so.
    pub async fn submitted(
        self: &Arc<Self>,
        submitted: ViewSubmitted,
        patience: Duration,
    ) -> SubmissionResponse {
        let ViewSubmitted { user, view, .. } = submitted;
        let origin = self.shown_origin(&view, &user);
        let late = {
            let (tickets, view_id, origin) = (Arc::clone(self), view.id.clone(), origin.clone());
            async move |outcome: Outcome| {
                tokio::time::sleep(SETTLING_PAUSE).await;
                tickets.show_late(&view_id, &origin, outcome).await;
            }
        };
        let tickets = Arc::clone(self);
        let work = async move { tickets.outcome(view, &user).await };
        match wait::within(&self.tasks, patience, work, late).await {
            Waited::Done(Outcome::Close) => SubmissionResponse::CloseAll,
            Waited::Done(Outcome::Show { view, .. }) => SubmissionResponse::Update(view),
            Waited::Done(Outcome::Errors { errors, form }) if errors.is_empty() => {
                SubmissionResponse::Update(form)
            }
            Waited::Done(Outcome::Errors { errors, .. }) => SubmissionResponse::Errors(errors),
            Waited::Late => SubmissionResponse::update(self.progress_view(&origin)),
            Waited::Panicked => SubmissionResponse::update(self.sentence_view(
                texts::issues::CREATE_TITLE,
                &origin,
                texts::forms::SOMETHING_WRONG,
            )),
        }
    }

    async fn outcome(self: &Arc<Self>, view: ViewState, user: &UserId) -> Outcome {
        let purpose = view.callback_id.clone();
        let state = match self.sealer.open::<ModalState>(&purpose, &view.private_metadata, self.clock.now()) {
            Ok(state) if state.origin.user == user.as_str() => state,
            opened => {
                let reason =
                    opened.err().map_or_else(|| "another person's".to_owned(), |error| error.to_string());
                tracing::warn!(
                    user = user.as_str(),
                    callback_id = purpose,
                    reason,
                    "a modal's state was refused"
                );
                let origin = self.shown_origin(&view, user);
                return self.sentence_outcome(texts::issues::CREATE_TITLE, &origin, texts::forms::EXPIRED);
            }
        };
        match purpose.as_str() {
            CREATE_ISSUE => self.submit_create(state, view).await,
            CREATE_ISSUE_ANYWAY => self.submit_create_anyway(state).await,
            CREATE_STORIES => self.submit_stories(state, view).await,
            _ => Outcome::Close,
        }
    }

    /// Shows an outcome that Slack no longer waits for. What cannot be shown because the modal is closed
    /// and would otherwise be lost, the person is told directly.
    pub(super) async fn show_late(&self, view_id: &str, origin: &Origin, outcome: Outcome) {
        let (view, news) = match outcome {
            Outcome::Close => (
                Box::new(self.sentence_view(texts::issues::CREATE_TITLE, origin, texts::forms::DONE)),
                Vec::new(),
            ),
            Outcome::Show { view, news } => (view, news),
            Outcome::Errors { form, .. } => (form, vec![sentence(texts::forms::CLOSED_TOO_EARLY)]),
        };
        if !self.update(view_id, &view).await && !news.is_empty() {
            self.tell_person(origin, news).await;
        }
    }

    /// Who and where, as far as a modal that may be forged can say: only to render its answer.
    fn shown_origin(&self, view: &ViewState, user: &UserId) -> Origin {
        let state =
            self.sealer.open::<ModalState>(&view.callback_id, &view.private_metadata, self.clock.now());
        state.map(|state| state.origin).unwrap_or_else(|_| Origin {
            channel: user.as_str().to_owned(),
            user: user.as_str().to_owned(),
            thread_ts: None,
            permalink: None,
            team: None,
        })
    }

    /// A modal with one sentence that the person has to hear.
    pub(super) fn sentence_outcome(&self, title: &str, origin: &Origin, text: &str) -> Outcome {
        Outcome::news(self.sentence_view(title, origin, text), vec![sentence(text)])
    }

    pub(super) fn progress_view(&self, origin: &Origin) -> View {
        self.sentence_view(texts::issues::CREATE_TITLE, origin, texts::forms::WORKING)
    }
}

/// Errors beside inputs, with the form that shows the same at its top.
pub(super) fn errors(errors: BTreeMap<String, String>, form: View) -> Outcome {
    Outcome::Errors { errors, form: Box::new(form) }
}
