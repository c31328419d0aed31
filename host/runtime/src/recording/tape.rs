//! What one invocation asks of the host, and the answers: recorded for later, or played back.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    interface::bindings::{exports::maro::plugin::command, maro::plugin::reply},
    recording::matching::{self, Known},
};

/// The most calls that are recorded of one invocation.
const MAX_CALLS: usize = 1_000;

/// One call of a capability.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostCall {
    /// `interface.function`, as in `wit/`.
    pub call: String,
    /// By the names of the parameters.
    pub arguments: Value,
    pub answer: Value,
}

/// How an invocation ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ending {
    /// The reply as in `wit/reply.wit`.
    Reply(Value),
    /// The arguments couldn't be used.
    Usage(String),
    /// It couldn't be done.
    Failed(String),
    /// It didn't answer; why.
    Fault(String),
}

/// A line that a plugin logged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    /// `debug`, `info`, `warn` or `error`.
    pub level: &'static str,
    pub message: String,
}

#[derive(Debug)]
pub(crate) struct Tape(Mutex<Reel>);

/// What a tape holds once the invocation is over.
#[derive(Debug, Default)]
pub(crate) struct Reel {
    /// What was recorded and hasn't been asked for yet; `None` on a tape that records.
    to_play: Option<Vec<HostCall>>,
    /// The stand-ins that the guest can know.
    known: Known,
    /// What was called, and how long each call took.
    pub(super) calls: Vec<(HostCall, Duration)>,
    /// Calls that weren't recorded.
    pub(crate) unrecorded: Vec<HostCall>,
    pub(super) log: Vec<LogLine>,
    /// Standard output and standard error.
    pub(super) printed: String,
    pub(crate) ending: Option<Ending>,
}

/// A call that isn't on the tape that is played back. It ends the guest.
#[derive(Debug, thiserror::Error)]
#[error("it calls {0}, which isn't recorded")]
pub(crate) struct Unrecorded(String);

impl Tape {
    /// A tape that records.
    pub(super) fn blank() -> Self {
        Self(Mutex::default())
    }

    /// A tape that answers from what was recorded.
    pub(crate) fn playing(arguments: &str, calls: &[HostCall]) -> Self {
        let known = Known::of(arguments, calls.iter().map(|call| &call.answer));
        Self(Mutex::new(Reel { to_play: Some(calls.to_vec()), known, ..Reel::default() }))
    }

    /// The recorded answer to a call, or `None` if the host is to answer it.
    ///
    /// # Errors
    /// [`Unrecorded`] if the tape is played back and doesn't have it.
    pub(crate) fn recorded_answer(&self, call: &str, arguments: &Value) -> Result<Option<Value>, Unrecorded> {
        let mut reel = self.reel();
        let reel = &mut *reel;
        let Some(to_play) = &mut reel.to_play else { return Ok(None) };
        // In any order: people don't notice in which order a plugin asks.
        let fits = |recorded: &HostCall| {
            recorded.call == call && matching::same(&recorded.arguments, arguments, &reel.known)
        };
        let exact = |recorded: &HostCall| recorded.call == call && recorded.arguments == *arguments;
        let position = to_play.iter().position(exact).or_else(|| to_play.iter().position(fits));
        let Some(position) = position else {
            let (call, arguments) = (call.to_owned(), arguments.clone());
            reel.unrecorded.push(HostCall { call: call.clone(), arguments, answer: Value::Null });
            return Err(Unrecorded(call));
        };
        Ok(Some(to_play.remove(position).answer))
    }

    pub(crate) fn is_played_back(&self) -> bool {
        self.reel().to_play.is_some()
    }

    pub(crate) fn note_call(&self, call: HostCall, took: Duration) {
        let mut reel = self.reel();
        if reel.calls.len() < MAX_CALLS {
            reel.calls.push((call, took));
        }
    }

    pub(crate) fn note_line(&self, level: &'static str, message: String) {
        self.reel().log.push(LogLine { level, message });
    }

    pub(crate) fn note_printed(&self, printed: String) {
        self.reel().printed = printed;
    }

    /// Notes what the guest answered.
    pub(crate) fn note_answer(&self, answer: &Result<reply::Reply, command::RunError>) {
        self.note_ending(match answer {
            Ok(reply) => match serde_json::to_value(reply) {
                Ok(reply) => Ending::Reply(reply),
                Err(error) => Ending::Fault(error.to_string()),
            },
            Err(command::RunError::Usage(sentence)) => Ending::Usage(sentence.clone()),
            Err(command::RunError::Failed(sentence)) => Ending::Failed(sentence.clone()),
        });
    }

    pub(crate) fn note_ending(&self, ending: Ending) {
        self.reel().ending = Some(ending);
    }

    /// Takes what is on it.
    pub(crate) fn unwind(&self) -> Reel {
        std::mem::take(&mut *self.reel())
    }

    fn reel(&self) -> MutexGuard<'_, Reel> {
        // A panic leaves it whole, since each change is one statement.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Reel {
    /// What was recorded but never asked for.
    pub(crate) fn unplayed(&self) -> &[HostCall] {
        self.to_play.as_deref().unwrap_or_default()
    }
}
