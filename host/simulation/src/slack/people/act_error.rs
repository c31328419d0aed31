//! Why somebody couldn't do something, and how a submission ended.

use std::collections::BTreeMap;

use crate::slack::{modals::modal::Modal, to_bot::parcel::NoAnswer};

/// Why somebody couldn't do something, in a sentence. Nothing was sent to the bot, except for
/// [`ActError::Unanswered`] and [`ActError::BadSuggestion`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ActError {
    #[error("There's no channel called {name:?}. Choose from {known}.")]
    UnknownChannel { name: String, known: String },
    #[error("There's no one called {name:?}. Choose from {known}.")]
    UnknownUser { name: String, known: String },
    #[error("Commands start with a slash, such as /maro help.")]
    NotACommand,
    #[error("The bot isn't running yet.")]
    NoBot,
    #[error("{user} has no modal open.")]
    NoModal { user: String },
    #[error("The modal {title:?} has no field {name:?}. {known}")]
    NoField { title: String, name: String, known: String },
    #[error("{wanted:?} isn't an option of {field}. Its options are: {offered}.")]
    NoChoice { field: String, wanted: String, offered: String },
    #[error("{field} is a {kind}, which can't be filled in here.")]
    NotFillable { field: String, kind: String },
    #[error("The modal {title:?} has nothing to submit.")]
    NoSubmit { title: String },
    #[error("There's no button called {label:?} here. {known}")]
    NoButton { label: String, known: String },
    /// `beside` is part of the text next to the first of them.
    #[error("{count} buttons are called {label:?}. Choose one with --nth 1 or --beside {beside}.")]
    ManyButtons { label: String, count: usize, beside: String },
    #[error("There's no message {number} in this channel.")]
    NoMessage { number: usize },
    #[error("This message no longer exists.")]
    MessageGone,
    #[error("MARO didn't accept it ({0}), so Slack shows a warning sign.")]
    Unanswered(NoAnswer),
    #[error("MARO's suggestions for {field} are invalid: {problem}")]
    BadSuggestion { field: String, problem: String },
    #[error("The expected modal didn't appear: {shown}")]
    NotShown { shown: String },
}

#[derive(Debug, Clone, PartialEq)]
pub enum SubmitOutcome {
    /// The modal was closed. If there was one below it, that one is visible again.
    Closed,
    /// The bot answered with new content for the modal.
    Updated(Modal),
    /// The bot opened another modal on top of it.
    Pushed(Modal),
    /// The bot's errors, by block id.
    Errors(BTreeMap<String, String>),
    /// Slack's own errors, by block id. Nothing was sent.
    Incomplete(BTreeMap<String, String>),
    /// The bot failed. The modal stays open with Slack's own notice.
    Failed(String),
}
