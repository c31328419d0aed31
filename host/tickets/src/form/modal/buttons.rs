//! Buttons in modals. Slack has already been acknowledged; the result appears in the modal.

use std::sync::Arc;

use crate::{
    form::{
        create::{
            submission::CreateForm,
            views::{
                CREATE_ISSUE, CREATE_ISSUE_ANYWAY, CREATE_UNCHECKED, LINK_DUPLICATE, RELOAD, RELOAD_STORIES,
            },
        },
        link_duplicate::LinkForm,
        modal::{
            modal_calls::{Modals, note_foreign_button},
            open::Opener,
            outcome::FormOutcome,
            state::ModalState,
        },
        stories::{RETRY_STORIES, StoriesForm},
    },
    provenance::Provenance,
};
use maro_slack::interaction::BlockAction;
use maro_texts::{self as texts, issues::created::LINK_TITLE};

/// Handles buttons in modals.
pub(crate) struct Buttons {
    pub(crate) create: Arc<CreateForm>,
    pub(crate) link: Arc<LinkForm>,
    pub(crate) stories: Arc<StoriesForm>,
    pub(crate) modals: Arc<Modals>,
    pub(crate) opener: Arc<Opener>,
}

impl Buttons {
    /// Handles a button, if it is one of ours.
    pub(crate) async fn pressed(&self, action: BlockAction, provenance: &Provenance) {
        match action.action_id.as_str() {
            LINK_DUPLICATE => self.link_pressed(action, provenance).await,
            CREATE_UNCHECKED => self.create_pressed(action, provenance).await,
            RELOAD => self.opener.reload(action).await,
            RELOAD_STORIES => self.opener.reload_stories(action).await,
            RETRY_STORIES => self.retry_pressed(action, provenance).await,
            other => tracing::debug!(action_id = other, "an unknown button was pressed"),
        }
    }

    async fn link_pressed(&self, action: BlockAction, provenance: &Provenance) {
        let Some(view) = action.view else { return };
        let own = self.modals.own_state(CREATE_ISSUE_ANYWAY, &view.private_metadata, &action.user);
        // Only for a ticket that the modal offered.
        let Some(state) = own.filter(|state| state.candidates.contains(&action.value)) else {
            return note_foreign_button(&action.user);
        };
        if let Some(refused) = self.refused(&state, provenance, "link", &action.value).await {
            return self.modals.show_late(LINK_TITLE, &view.id, &state.origin, refused).await;
        }
        let outcome = self.link.link(&state, &view.id, &action.value, provenance).await;
        if !provenance.is_replay() {
            self.modals.show_late(LINK_TITLE, &view.id, &state.origin, outcome).await;
        }
    }

    async fn create_pressed(&self, action: BlockAction, provenance: &Provenance) {
        let Some(view) = action.view else { return };
        let own = self.modals.own_state(CREATE_ISSUE, &view.private_metadata, &action.user);
        let Some(state) = own else {
            return note_foreign_button(&action.user);
        };
        let (title, view_id, origin) =
            (texts::issues::created::CREATE_TITLE, view.id.clone(), state.origin.clone());
        let project = state.project.clone().unwrap_or_default();
        if let Some(refused) = self.refused(&state, provenance, "create", &project).await {
            return self.modals.show_late(title, &view_id, &origin, refused).await;
        }
        if !provenance.is_replay() {
            self.modals.update(&view_id, &self.modals.progress(title, &origin)).await;
        }
        let outcome = self.create.submit_unchecked(state, view, provenance).await;
        if !provenance.is_replay() {
            self.modals.show_late(title, &view_id, &origin, outcome).await;
        }
    }

    async fn retry_pressed(&self, action: BlockAction, provenance: &Provenance) {
        let Some(view) = action.view else { return };
        let Ok(state) = self.modals.state(RETRY_STORIES, &action.value) else {
            return note_foreign_button(&action.user);
        };
        if state.origin.user != action.user.as_str() {
            return;
        }
        let epic = state.epic.clone().unwrap_or_default();
        if let Some(refused) = self.refused(&state, provenance, "create", &epic).await {
            return self
                .modals
                .show_late(texts::issues::stories::TITLE, &view.id, &state.origin, refused)
                .await;
        }
        let outcome = self.stories.retry(&state, &view.id, provenance).await;
        if !provenance.is_replay() {
            self.modals.show_late(texts::issues::stories::TITLE, &view.id, &state.origin, outcome).await;
        }
    }

    /// What a person reads who may not create or link issues.
    async fn refused(
        &self,
        state: &ModalState,
        provenance: &Provenance,
        action: &str,
        subject: &str,
    ) -> Option<FormOutcome> {
        let place = state.origin.place().ok()?;
        let refused = self.link.driver.may_create(&place, provenance, action, subject).await.err()?;
        Some(self.modals.news(LINK_TITLE, &state.origin, &refused))
    }
}
