//! What a person does from a terminal: performs the acts, waits for the bot, and returns what is shown then.
//!
//! A modal or message appears some time after the act. So this waits until the bot reacts, and then until
//! nothing changes any more.

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::slack::{
    modals::{filling, modal::Modal, submission},
    people::{
        act_error::{ActError, SubmitOutcome},
        messages,
        pressing::{self, Press},
    },
    shown::history::ShownMessage,
    state::WorkspaceState,
    to_bot::{dispatch, events},
    workspace::{Conversation, Names, Person},
};

/// How long to wait for a reaction, and for a modal that says it is busy.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long to wait for a message after submitting a modal has closed it.
const AFTER_CLOSING: Duration = Duration::from_secs(3);
/// If nothing changes for this long, what is shown is final.
const QUIET: Duration = Duration::from_millis(500);

/// One thing that a person does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Act {
    /// Types a command, with its slash.
    Command { text: String },
    /// Fills in a field of the open modal.
    Fill { name: String, value: String },
    /// Submits the open modal.
    Submit,
    /// Presses a button in the message with this number. Without a number, in the open modal, or else in the
    /// latest message that has such a button.
    Press { press: Press, message: Option<usize> },
    /// Closes the open modal.
    Close,
    /// Uses a shortcut, on the message with this number if one is given.
    Shortcut { callback_id: String, message: Option<usize> },
    /// Writes a message. If a number is given, in the thread of the message with that number.
    Write { text: String, message: Option<usize> },
    /// Looks at the channel and the open modal.
    Look,
}

/// What somebody does, in order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActsToDo {
    /// A name with or without `#`, an id, or `dm`.
    pub channel: String,
    /// A name with or without `@`, or an id.
    pub user: String,
    pub acts: Vec<Act>,
}

/// How the bot reacted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reaction {
    /// It did something, or it wasn't asked to.
    Shown,
    /// It did nothing visible.
    Silent,
    /// It failed, and Slack says so.
    Failed,
    /// Slack didn't send it because it is incomplete.
    NotSent,
}

/// What the person sees afterwards.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Shown {
    pub reaction: Reaction,
    /// The new and changed messages that the person can see, oldest first.
    pub messages: Vec<ShownMessage>,
    /// The whole channel, if the person looked at it. Messages are numbered from 1.
    pub channel: Option<Vec<ShownMessage>>,
    /// The open modal, if the person looked at it, did something in it, or it changed.
    pub modal: Option<Modal>,
    /// Whether an open modal was closed.
    pub is_closed: bool,
    /// The names for the ids in the other fields.
    pub names: Names,
}

/// What to wait for after an act.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expected {
    Nothing,
    /// The rest: the bot has already done something.
    Rest,
    /// A first sign of the bot, for up to this long.
    Sign(Duration),
    /// Maybe a message, for up to this long.
    Message(Duration),
}

/// The workspace as one person sees it at a given moment.
#[derive(Debug, PartialEq)]
struct Sight {
    messages: Vec<ShownMessage>,
    modal: Option<Modal>,
}

pub(crate) async fn run(shared: &WorkspaceState, asked: &ActsToDo) -> Result<Shown, ActError> {
    let person = shared.person(&asked.user)?;
    let place = shared.place(&asked.channel, person)?;
    let before = sight(shared, person);
    let (mut reaction, mut looked) = (Reaction::Shown, false);
    for act in &asked.acts {
        let start = sight(shared, person);
        looked |= *act == Act::Look;
        let (taken, expected) = perform(shared, person, &place, act).await?;
        reaction = taken;
        if taken == Reaction::Shown && !settle(shared, person, &start, expected).await {
            reaction = Reaction::Silent;
        }
    }
    let after = sight(shared, person);
    let is_in_modal = asked.acts.iter().any(|act| matches!(act, Act::Fill { .. } | Act::Submit | Act::Look));
    let messages = after.messages.iter().filter(|message| !before.messages.contains(message)).cloned();
    Ok(Shown {
        reaction,
        messages: messages.collect(),
        channel: looked.then(|| in_channel(&after.messages, &place)),
        is_closed: before.modal.is_some() && after.modal.is_none(),
        modal: after.modal.filter(|modal| is_in_modal || before.modal.as_ref() != Some(modal)),
        names: shared.workspace.names(),
    })
}

fn sight(shared: &WorkspaceState, person: &Person) -> Sight {
    let mut messages = shared.history.messages();
    let is_seen = |message: &ShownMessage| {
        let is_others_direct_message =
            message.channel.starts_with('D') && message.channel != person.direct_message.as_str();
        let is_for = message.visible_to.as_deref().is_none_or(|only| only == person.id.as_str());
        is_for && !is_others_direct_message
    };
    messages.retain(is_seen);
    Sight { messages, modal: shared.views.top(&person.id) }
}

fn in_channel(messages: &[ShownMessage], place: &Conversation) -> Vec<ShownMessage> {
    messages.iter().filter(|message| message.channel == place.id.as_str()).cloned().collect()
}

async fn perform(
    shared: &WorkspaceState,
    person: &Person,
    place: &Conversation,
    act: &Act,
) -> Result<(Reaction, Expected), ActError> {
    let user = person.name.as_str();
    let numbered = |number: usize| {
        let messages = in_channel(&sight(shared, person).messages, place);
        let index = number.checked_sub(1);
        let message = index.and_then(|index| messages.get(index).cloned());
        message.ok_or(ActError::NoMessage { number })
    };
    let expected = match act {
        Act::Command { text } => {
            let invocation = dispatch::send(shared, place.id.as_str(), user, text).await?;
            match invocation.immediate.first() {
                Some(message) if message.author == crate::slack::shown::history::Author::Slack => {
                    return Ok((Reaction::Failed, Expected::Nothing));
                }
                Some(_) => Expected::Nothing,
                None => Expected::Sign(PATIENCE),
            }
        }
        Act::Fill { name, value } => {
            filling::fill(shared, user, &[(name, value)]).await?;
            Expected::Rest
        }
        Act::Submit => match submission::submit(shared, user).await? {
            SubmitOutcome::Closed => Expected::Message(AFTER_CLOSING),
            SubmitOutcome::Updated(_) | SubmitOutcome::Pushed(_) => Expected::Rest,
            SubmitOutcome::Errors(_) => Expected::Nothing,
            SubmitOutcome::Incomplete(_) => return Ok((Reaction::NotSent, Expected::Nothing)),
            SubmitOutcome::Failed(_) => return Ok((Reaction::Failed, Expected::Nothing)),
        },
        Act::Press { press, message } => {
            let message = message.map(numbered).transpose()?;
            self::press(shared, person, place, press, message).await?;
            Expected::Sign(PATIENCE)
        }
        Act::Close => {
            submission::close(shared, user).await?;
            Expected::Nothing
        }
        Act::Shortcut { callback_id, message: None } => {
            messages::use_shortcut(shared, user, callback_id).await?;
            Expected::Sign(PATIENCE)
        }
        Act::Shortcut { callback_id, message: Some(number) } => {
            messages::use_message_shortcut(shared, user, &numbered(*number)?, callback_id).await?;
            Expected::Sign(PATIENCE)
        }
        Act::Write { text, message } => {
            let message = message.map(numbered).transpose()?;
            let thread_ts = message.map(|message| message.thread_ts.unwrap_or(message.ts));
            events::write(shared, user, place.id.as_str(), text, thread_ts).await?;
            Expected::Rest
        }
        Act::Look => Expected::Nothing,
    };
    Ok((Reaction::Shown, expected))
}

async fn press(
    shared: &WorkspaceState,
    person: &Person,
    place: &Conversation,
    press: &Press,
    message: Option<ShownMessage>,
) -> Result<(), ActError> {
    let Sight { messages, modal } = sight(shared, person);
    let message = match (message, modal) {
        (None, Some(_)) => return pressing::in_modal(shared, &person.name, press).await,
        (Some(message), _) => message,
        (None, None) => {
            let messages = in_channel(&messages, place);
            // Several matching buttons lead to an error, so that the person can say which one they mean.
            let has_button = |message: &&ShownMessage| {
                !matches!(press.find(&message.blocks), Err(ActError::NoButton { .. }))
            };
            let latest = messages.iter().rev().find(has_button);
            // If no message has it, the error lists the buttons of the latest message.
            match latest.or(messages.last()) {
                Some(message) => message.clone(),
                None => return press.find(&[]).map(drop),
            }
        }
    };
    pressing::in_message(shared, &person.name, &message, press).await
}

/// Waits as long as it makes sense. Returns `false` if a sign was expected but none came.
async fn settle(shared: &WorkspaceState, person: &Person, start: &Sight, expected: Expected) -> bool {
    let deadline = Instant::now() + PATIENCE;
    match expected {
        Expected::Nothing => return true,
        Expected::Rest => {}
        Expected::Sign(patience) => {
            let look = || (sight(shared, person) != *start).then_some(());
            if shared.changes.wait_until(patience, look).await.is_none() {
                return false;
            }
        }
        Expected::Message(patience) => {
            let look = || (sight(shared, person).messages != start.messages).then_some(());
            let _ = shared.changes.wait_until(patience, look).await;
        }
    }
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let is_busy = shared.views.top(&person.id).as_ref().is_some_and(is_busy);
        let (now, pause) = (shared.changes.count(), if is_busy { left } else { QUIET.min(left) });
        let look = || (shared.changes.count() != now).then_some(());
        if shared.changes.wait_until(pause, look).await.is_none() {
            return true;
        }
    }
}

/// Whether a modal only says that something is in progress: it has nothing to use, and its text ends in an
/// ellipsis.
fn is_busy(modal: &Modal) -> bool {
    let text = modal.text();
    let text = text.trim_end_matches(['_', '*', ' ', '\n']);
    !modal.is_interactive() && (text.ends_with('…') || text.ends_with("..."))
}
