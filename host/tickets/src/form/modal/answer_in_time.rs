//! Answers submitted modals in time, whatever Jira does, and shows the rest later.

use std::{sync::Arc, time::Duration};

use tokio_util::task::TaskTracker;

use crate::{
    form::{
        create::{
            fields::Demanded,
            submission::CreateForm,
            views::{
                CREATE_ISSUE, CREATE_ISSUE_ANYWAY, CreateInputs, create_view, creating_view, duplicates_again,
            },
        },
        modal::{
            modal_calls::Modals,
            outcome::{FormOutcome, sentence},
            state::ModalState,
        },
        stories::{CREATE_STORIES, STORIES, StoriesForm, stories_view},
    },
    intents::records::Origin,
    provenance::Provenance,
};
use maro_domain::ids::UserId;
use maro_process::in_time_or_late::{self, Waited};
use maro_slack::{
    interaction::{ViewSubmitted, answer::SubmissionResponse, view_state::ViewState},
    view::View,
};
use maro_texts as texts;

/// The pause between an answer and the next view, so that Slack shows the answer first.
const SETTLING_PAUSE: Duration = Duration::from_millis(500);

/// Answers submitted modals.
pub(crate) struct Submissions {
    pub(crate) create: Arc<CreateForm>,
    pub(crate) stories: Arc<StoriesForm>,
    pub(crate) modals: Arc<Modals>,
    /// Work that outlives the request it came with.
    pub(crate) tasks: TaskTracker,
}

impl Submissions {
    /// Answers a submitted modal. If the work takes longer than `patience`, it continues, a modal says so,
    /// and the outcome later replaces that modal.
    pub(crate) async fn submitted(
        self: &Arc<Self>,
        submitted: ViewSubmitted,
        provenance: Provenance,
        patience: Duration,
    ) -> SubmissionResponse {
        let ViewSubmitted { user, view, .. } = submitted;
        let origin = self.shown_origin(&view, &user);
        let title = title(&view.callback_id);
        let progress = self.progress(&view, &user, title);
        let late = {
            let (modals, view_id, origin) = (Arc::clone(&self.modals), view.id.clone(), origin.clone());
            let provenance = provenance.clone();
            async move |outcome: Option<FormOutcome>| {
                if provenance.is_replay() {
                    return;
                }
                let wrong = || modals.news(title, &origin, texts::issues::forms::SOMETHING_WRONG);
                let outcome = outcome.unwrap_or_else(wrong);
                tokio::time::sleep(SETTLING_PAUSE).await;
                modals.show_late(title, &view_id, &origin, outcome).await;
            }
        };
        let submissions = Arc::clone(self);
        let sent = provenance.clone();
        let work = async move {
            let outcome = submissions.outcome(view, &user, &sent).await;
            if let Some(request) = &sent.request {
                submissions.create.driver.audit.find_replay(request).await;
            }
            outcome
        };
        match in_time_or_late::within(&self.tasks, patience, work, late).await {
            // The sender of a copy isn't told anything.
            Waited::Done(_) if provenance.is_replay() => SubmissionResponse::Close,
            Waited::Done(FormOutcome::Close) => SubmissionResponse::CloseAll,
            Waited::Done(FormOutcome::Show { view, .. }) => SubmissionResponse::Update(view),
            Waited::Done(FormOutcome::Errors { errors, form }) if errors.is_empty() => {
                SubmissionResponse::Update(form)
            }
            Waited::Done(FormOutcome::Errors { errors, .. }) => SubmissionResponse::Errors(errors),
            Waited::Late => SubmissionResponse::update(progress),
            Waited::Panicked => {
                let text = texts::issues::forms::SOMETHING_WRONG;
                SubmissionResponse::update(self.modals.sentence(title, &origin, text))
            }
        }
    }

    /// What is shown while the work goes on.
    fn progress(&self, view: &ViewState, user: &UserId, title: &str) -> View {
        match self.modals.own_state(&view.callback_id, &view.private_metadata, user) {
            Some(state) if view.callback_id == CREATE_ISSUE => creating_view(&self.modals, &state),
            _ => self.modals.progress(title, &self.shown_origin(view, user)),
        }
    }

    async fn outcome(&self, view: ViewState, user: &UserId, provenance: &Provenance) -> FormOutcome {
        let state = match self.modals.state(&view.callback_id, &view.private_metadata) {
            Ok(state) if state.origin.user == user.as_str() => state,
            opened => {
                let reason =
                    opened.err().map_or_else(|| "another person's".to_owned(), |error| error.to_string());
                tracing::warn!(
                    user = user.as_str(),
                    callback_id = view.callback_id,
                    reason,
                    "a modal's state was refused"
                );
                let origin = self.shown_origin(&view, user);
                return self.modals.news(title(&view.callback_id), &origin, texts::issues::forms::EXPIRED);
            }
        };
        if let Err(reason) = self.may_create(&state, &view.callback_id, provenance).await {
            return self.refused(&state, &view, &reason).await;
        }
        match view.callback_id.as_str() {
            CREATE_ISSUE => self.create.submit(state, view, provenance).await,
            CREATE_ISSUE_ANYWAY => self.create.submit_anyway(&state, provenance).await,
            CREATE_STORIES => self.stories.submit(state, view, provenance).await,
            _ => FormOutcome::Close,
        }
    }

    /// The form with the reason at its top: what was typed stays, as Slack may only be away.
    async fn refused(&self, state: &ModalState, view: &ViewState, reason: &str) -> FormOutcome {
        let notice = vec![sentence(reason)];
        let form = match view.callback_id.as_str() {
            CREATE_ISSUE => {
                let inputs = CreateInputs::read(&state.asked, &view.values);
                create_view(&self.modals, state, &inputs, &notice)
            }
            CREATE_STORIES => {
                let demanded = Demanded::read(&state.asked, &view.values);
                let lines = view.values.text(STORIES).unwrap_or_default();
                stories_view(&self.modals, state, &notice, lines, &demanded)
            }
            _ => return duplicates_again(&self.create.driver, &self.modals, state, reason).await,
        };
        FormOutcome::news(form, notice)
    }

    async fn may_create(
        &self,
        state: &ModalState,
        callback_id: &str,
        provenance: &Provenance,
    ) -> Result<(), String> {
        let subject = match callback_id {
            CREATE_STORIES => state.epic.as_deref(),
            CREATE_ISSUE | CREATE_ISSUE_ANYWAY => state.project.as_deref(),
            _ => return Ok(()),
        };
        // Until a form asks for a channel, the person takes its place. Both ids are from Slack and sealed.
        let Ok(place) = state.origin.place() else { return Ok(()) };
        let driver = &self.create.driver;
        driver.may_create(&place, provenance, "create", subject.unwrap_or_default()).await
    }

    /// Who and where, from a modal that may be forged. Only for rendering its answer.
    fn shown_origin(&self, view: &ViewState, user: &UserId) -> Origin {
        let state = self.modals.state(&view.callback_id, &view.private_metadata);
        state.map_or_else(|_| Origin::nowhere(user), |state| state.origin)
    }
}

/// The title of modals about a submitted one.
fn title(callback_id: &str) -> &'static str {
    if callback_id == CREATE_STORIES {
        texts::issues::stories::TITLE
    } else {
        texts::issues::created::CREATE_TITLE
    }
}
