//! What a submitted modal turns into.

use std::collections::BTreeMap;

use crate::{flow::Note, texts};
use maro_domain::reply::{Block, Span};
use maro_slack::{view::View, web_api::error::ApiError};
use maro_store::intents::work::Stop;

#[derive(Debug)]
pub(crate) enum Outcome {
    /// It closes; the channel hears the rest.
    Close,
    /// Another takes its place. `news` is what the person would otherwise not hear of, in case that modal
    /// can no longer be shown because they have closed it.
    Show { view: Box<View>, news: Vec<Block> },
    /// Errors beside inputs, by block id. `form` has them at its top, for when Slack no longer waits.
    Errors { errors: BTreeMap<String, String>, form: Box<View> },
}

impl Outcome {
    /// A modal without news: the channel hears of it, or there is nothing to hear yet.
    pub(super) fn show(view: View) -> Self {
        Self::Show { view: Box::new(view), news: Vec::new() }
    }

    /// A modal that the person has to hear of.
    pub(super) fn news(view: View, news: Vec<Block>) -> Self {
        Self::Show { view: Box::new(view), news }
    }

    /// Errors beside inputs, with the form that shows the same at its top.
    pub(super) fn errors(errors: BTreeMap<String, String>, form: View) -> Self {
        Self::Errors { errors, form: Box::new(form) }
    }

    /// The same for a modal that has no inputs to put errors beside: the form takes its place.
    pub(super) fn without_inputs(self) -> Self {
        match self {
            Self::Errors { form, .. } => {
                Self::Show { view: form, news: vec![sentence(texts::forms::CLOSED_TOO_EARLY)] }
            }
            outcome => outcome,
        }
    }
}

/// What a person is told of work that can't go on.
pub(super) fn stopped(stop: &Stop) -> &'static str {
    match stop {
        Stop::Lost => texts::forms::WORKING,
        Stop::Store(_) => texts::database::UNAVAILABLE,
        Stop::Unreadable => texts::forms::SOMETHING_WRONG,
    }
}

/// What a person is told of what is not done yet.
pub(super) fn note(note: &Note) -> String {
    match note {
        Note::NotTracked(key) => texts::forms::not_tracked_yet(key.as_str()),
        Note::NotAnnounced(ApiError::NotInChannel | ApiError::ChannelNotFound) => {
            texts::forms::NOT_IN_CHANNEL.to_owned()
        }
        Note::NotAnnounced(_) => texts::forms::NOT_ANNOUNCED.to_owned(),
        Note::Unwritten(stop) => stopped(stop).to_owned(),
    }
}

pub(super) fn sentence(text: &str) -> Block {
    Block::Paragraph(vec![Span::Text(text.to_owned())])
}

/// What is shown, and is news if `notes` tell of something that is not done yet.
pub(super) fn with_notes(mut blocks: Vec<Block>, notes: &[String]) -> (Vec<Block>, Vec<Block>) {
    blocks.extend(notes.iter().map(|note| sentence(note)));
    let news = if notes.is_empty() { Vec::new() } else { blocks.clone() };
    (blocks, news)
}
