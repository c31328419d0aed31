//! What a submitted modal becomes.

use std::collections::BTreeMap;

use crate::{intents::exactly_once::Note, intents::records::Origin};
use maro_domain::reply::{Block, Span};
use maro_slack::{view::View, web_api::error::ApiError};
use maro_store::{
    database::error::DatabaseError,
    intents::{IntentError, work::Stop},
};
use maro_texts as texts;

#[derive(Debug)]
pub(crate) enum FormOutcome {
    /// It closes, and the channel is told the rest.
    Close,
    /// Another modal replaces it. `news` is what the person would otherwise miss if they have closed the
    /// modal by then.
    Show { view: Box<View>, news: Vec<Block> },
    /// Errors beside inputs, by block id. `form` has them at its top, in case Slack no longer waits.
    Errors { errors: BTreeMap<String, String>, form: Box<View> },
}

impl FormOutcome {
    /// A modal without news: the channel is told, or there is nothing to tell yet.
    pub(crate) fn show(view: View) -> Self {
        Self::Show { view: Box::new(view), news: Vec::new() }
    }

    /// A modal with news for the person.
    pub(crate) fn news(view: View, news: Vec<Block>) -> Self {
        Self::Show { view: Box::new(view), news }
    }

    /// Errors beside inputs, with the form that shows the same at its top.
    pub(crate) fn errors(errors: BTreeMap<String, String>, form: View) -> Self {
        Self::Errors { errors, form: Box::new(form) }
    }

    /// The same for a modal without inputs, which can't show errors beside them: the form replaces it.
    pub(crate) fn without_inputs(self) -> Self {
        match self {
            Self::Errors { form, .. } => {
                Self::Show { view: form, news: vec![sentence(texts::issues::forms::CLOSED_TOO_EARLY)] }
            }
            outcome => outcome,
        }
    }
}

/// What a person is told about work that can't continue although it was begun.
pub(crate) fn stopped(stop: &Stop) -> &'static str {
    match stop {
        Stop::Lost => texts::issues::forms::WORKING,
        Stop::Store(_) => texts::failures::database::PENDING,
        Stop::Unreadable => texts::issues::forms::SOMETHING_WRONG,
    }
}

/// What a person is told about work that couldn't be begun.
pub(crate) fn not_begun(stop: &Stop) -> &'static str {
    match stop {
        Stop::Store(IntentError::Database(DatabaseError::Uncertain(_))) => {
            texts::failures::database::MAYBE_BEGUN
        }
        Stop::Store(_) => texts::failures::database::NOTHING_BEGUN,
        Stop::Lost | Stop::Unreadable => stopped(stop),
    }
}

/// The form for work that couldn't be begun: it stays, and says so beside `input`. `form` makes it again with
/// the text at its top.
pub(crate) fn not_begun_form(stop: &Stop, input: &str, form: impl FnOnce(&str) -> View) -> FormOutcome {
    let text = not_begun(stop);
    match stop {
        Stop::Store(_) if text == texts::failures::database::NOTHING_BEGUN => {
            FormOutcome::errors([(input.to_owned(), text.to_owned())].into(), form(text))
        }
        _ => FormOutcome::news(form(text), vec![sentence(text)]),
    }
}

/// What a person is told about something that isn't done yet.
pub(crate) fn note(note: &Note, origin: &Origin) -> String {
    match note {
        Note::NotTracked(key) => texts::issues::forms::not_tracked_yet(&origin.command_name(), key.as_str()),
        Note::NotAnnounced(ApiError::NotInChannel | ApiError::ChannelNotFound) => {
            texts::issues::forms::NOT_IN_CHANNEL.to_owned()
        }
        Note::NotAnnounced(_) => texts::issues::forms::NOT_ANNOUNCED.to_owned(),
        Note::MadeTwice(keys) => texts::issues::created::created_twice(keys),
        Note::Unwritten(stop) => stopped(stop).to_owned(),
    }
}

pub(crate) fn sentence(text: &str) -> Block {
    Block::Paragraph(vec![Span::Text(text.to_owned())])
}

/// The blocks with the notes, to show, and again as news if there are any notes.
pub(crate) fn with_notes(mut blocks: Vec<Block>, notes: &[String]) -> (Vec<Block>, Vec<Block>) {
    blocks.extend(notes.iter().map(|note| sentence(note)));
    let news = if notes.is_empty() { Vec::new() } else { blocks.clone() };
    (blocks, news)
}
