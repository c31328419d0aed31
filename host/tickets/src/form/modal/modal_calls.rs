//! Modals in Slack: what they all have in common, and replacing one with another.

use std::{sync::Arc, time::Duration};

use crate::{
    announcer::Announcer,
    form::modal::{
        outcome::{FormOutcome, sentence, stopped},
        state::ModalState,
    },
    intents::records::{IntentPlace, Origin},
};
use maro_access::moved_and_archived_channels::KnownChannels;
use maro_domain::{
    ids::{ChannelId, UserId},
    reply::Block,
};
use maro_process::{clock::Clock, telemetry::error_chain};
use maro_slack::{
    outgoing::render::Mrkdwn,
    sealed::{SealError, Sealer},
    view::{View, ViewBlock, button::ViewButton},
    web_api::{OpenedView, error::ApiError},
};
use maro_store::intents::work::Stop;
use maro_texts as texts;

/// A modal where people can only wait or read.
const NOTICE: &str = "notice";

/// How long a modal may stay open before it has to be opened again.
const LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);

/// Shows modals.
pub(crate) struct Modals {
    pub(crate) announcer: Arc<Announcer>,
    pub(crate) sealer: Sealer,
    pub(crate) clock: Clock,
    pub(crate) known_channels: Arc<KnownChannels>,
}

impl Modals {
    /// Opens a modal. `Err` is a sentence for the person.
    pub(crate) async fn open(&self, trigger_id: &str, view: &View) -> Result<OpenedView, &'static str> {
        self.announcer.slack.open_view(trigger_id, view).await.map_err(|error| {
            let text = error_chain(&error);
            // An outage is logged where it is noticed.
            if error.is_outage() {
                tracing::info!(error = text, "a modal wasn't opened");
            } else {
                tracing::error!(error = text, "a modal wasn't opened");
            }
            match error {
                ApiError::TriggerExpired => texts::issues::forms::OPENED_TOO_LATE,
                ApiError::InvalidAuth | ApiError::MissingScope { .. } => {
                    texts::issues::forms::NOT_ALLOWED_TO_OPEN
                }
                _ => texts::issues::forms::NOT_OPENED,
            }
        })
    }

    /// Shows another view in an open modal. People close modals, which isn't an error.
    pub(crate) async fn update(&self, view_id: &str, view: &View) -> bool {
        match self.announcer.slack.update_view(view_id, view).await {
            Ok(_) => true,
            Err(ApiError::ViewGone) => {
                tracing::debug!("a modal was closed before it was updated");
                false
            }
            Err(error) => {
                tracing::warn!(error = error_chain(&error), "a modal wasn't updated");
                false
            }
        }
    }

    /// Shows an outcome that Slack no longer waits for. News that would be lost because the modal is closed
    /// goes to the person in a message.
    pub(crate) async fn show_late(&self, title: &str, view_id: &str, origin: &Origin, outcome: FormOutcome) {
        let (view, news) = match outcome {
            FormOutcome::Close => {
                (Box::new(self.sentence(title, origin, texts::issues::forms::DONE)), Vec::new())
            }
            FormOutcome::Show { view, news } => (view, news),
            FormOutcome::Errors { form, .. } => {
                (form, vec![sentence(texts::issues::forms::CLOSED_TOO_EARLY)])
            }
        };
        if self.update(view_id, &view).await || news.is_empty() {
            return;
        }
        if let Ok(IntentPlace { user, .. }) = origin.place() {
            self.announcer.tell_person(&user, news).await;
        }
    }

    /// Opens what was sealed for `purpose`. Its channel may have got another id since then.
    pub(crate) fn state(&self, purpose: &str, sealed: &str) -> Result<ModalState, SealError> {
        let mut state: ModalState = self.sealer.open(purpose, sealed, self.clock.now())?;
        if let Ok(channel) = ChannelId::parse(&state.origin.channel) {
            state.origin.channel = self.known_channels.current(&channel).as_str().to_owned();
        }
        Ok(state)
    }

    /// As [`Modals::state`], if it's of this person's own modal.
    pub(crate) fn own_state(&self, purpose: &str, sealed: &str, user: &UserId) -> Option<ModalState> {
        self.state(purpose, sealed).ok().filter(|state| state.origin.user == user.as_str())
    }

    pub(crate) fn sealed(&self, purpose: &str, state: &ModalState) -> String {
        self.sealer.seal(purpose, state, self.clock.now(), LIFETIME).unwrap_or_else(|error| {
            // People can't make a modal's state too long. Without its state a modal does nothing.
            tracing::error!(%error, "a modal's state can't be sealed");
            String::new()
        })
    }

    /// The value of a button. `None` if it would be too long for one.
    pub(crate) fn sealed_for_button(&self, purpose: &str, state: &ModalState) -> Option<String> {
        self.sealer.seal_for_button(purpose, state, self.clock.now(), LIFETIME).ok()
    }

    /// A modal to read, with buttons at its end.
    pub(crate) fn notice(
        &self,
        title: &str,
        origin: &Origin,
        blocks: Vec<Block>,
        buttons: Vec<ViewButton>,
    ) -> View {
        let mut view = View::modal(NOTICE, title).with_close(texts::issues::forms::CLOSE);
        for block in blocks {
            let IntentPlace { channel, user } = shown_place(origin);
            let sections = self.announcer.renderer.sections(&[block], &channel, &user);
            sections.into_iter().for_each(|section| view.push(ViewBlock::section(section)));
        }
        if !buttons.is_empty() {
            view.push(ViewBlock::Actions(buttons));
        }
        view
    }

    /// A modal with one sentence.
    pub(crate) fn sentence(&self, title: &str, origin: &Origin, text: &str) -> View {
        self.notice(title, origin, vec![sentence(text)], Vec::new())
    }

    /// A modal to wait in.
    pub(crate) fn progress(&self, title: &str, origin: &Origin) -> View {
        self.sentence(title, origin, texts::issues::forms::WORKING)
    }

    /// A modal with one sentence that the person has to hear.
    pub(crate) fn news(&self, title: &str, origin: &Origin, text: &str) -> FormOutcome {
        FormOutcome::news(self.sentence(title, origin, text), vec![sentence(text)])
    }

    /// The modal for work that was begun and can't continue.
    pub(crate) fn stopped(&self, title: &str, origin: &Origin, stop: &Stop) -> FormOutcome {
        self.news(title, origin, stopped(stop))
    }

    pub(crate) fn section(&self, origin: &Origin, blocks: Vec<Block>) -> ViewBlock {
        ViewBlock::section(self.mrkdwn(origin, &blocks))
    }

    pub(crate) fn mrkdwn(&self, origin: &Origin, blocks: &[Block]) -> Mrkdwn {
        let IntentPlace { channel, user } = shown_place(origin);
        self.announcer.renderer.mrkdwn(blocks, &channel, &user)
    }
}

/// Where and to whom something is shown.
fn shown_place(origin: &Origin) -> IntentPlace {
    // Sealed ids are always valid, so the fallback is never used.
    let place = origin.place().ok();
    let place = place.or_else(|| {
        Some(IntentPlace { channel: ChannelId::parse("C0").ok()?, user: UserId::parse("U0").ok()? })
    });
    place.expect("C0 and U0 are ids")
}

/// Logs a press in somebody else's modal, or in one whose state can't be read.
pub(crate) fn note_foreign_button(user: &UserId) {
    tracing::warn!(user = user.as_str(), "ignored a button whose state MARO didn't seal");
}
