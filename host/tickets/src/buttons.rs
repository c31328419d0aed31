//! Buttons in modals. Slack was acknowledged already; what they do is shown in the modal.

use std::sync::Arc;

use crate::{
    Tickets,
    record::ModalState,
    texts,
    views::{CREATE_ISSUE_ANYWAY, LINK_DUPLICATE, RETRY_STORIES},
};
use maro_slack::interaction::BlockAction;

impl Tickets {
    /// Does what a button says, if the button is one of ours.
    pub async fn pressed(self: &Arc<Self>, action: BlockAction) {
        match action.action_id.as_str() {
            LINK_DUPLICATE => self.link_pressed(action).await,
            RETRY_STORIES => self.retry_pressed(action).await,
            other => tracing::debug!(action_id = other, "an unknown button was pressed"),
        }
    }

    async fn link_pressed(self: &Arc<Self>, action: BlockAction) {
        let Some(view) = action.view else { return };
        let opened =
            self.sealer.open::<ModalState>(CREATE_ISSUE_ANYWAY, &view.private_metadata, self.clock.now());
        // Only the person whose modal it is, and only a ticket that it offered.
        let Some(state) = opened.ok().filter(|state| {
            state.origin.user == action.user.as_str() && state.candidates.contains(&action.value)
        }) else {
            tracing::warn!(user = action.user.as_str(), "a button with a state that is not ours was pressed");
            return;
        };
        let origin = state.origin.clone();
        self.update(
            &view.id,
            &self.sentence_view(texts::issues::DUPLICATES_TITLE, &origin, texts::issues::LINKING),
        )
        .await;
        let outcome = self.link(&state, &view.id, &action.value).await;
        self.show_late(&view.id, &origin, outcome).await;
    }

    async fn retry_pressed(self: &Arc<Self>, action: BlockAction) {
        let Some(view) = action.view else { return };
        let Ok(state) = self.sealer.open::<ModalState>(RETRY_STORIES, &action.value, self.clock.now()) else {
            tracing::warn!(user = action.user.as_str(), "a button with a state that is not ours was pressed");
            return;
        };
        if state.origin.user != action.user.as_str() {
            return;
        }
        self.update(
            &view.id,
            &self.sentence_view(texts::stories::TITLE, &state.origin, texts::forms::WORKING),
        )
        .await;
        let outcome = self.retry_stories(&state, &view.id).await;
        self.show_late(&view.id, &state.origin, outcome).await;
    }
}
