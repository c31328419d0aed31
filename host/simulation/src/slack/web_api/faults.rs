//! How the Web API can fail, and the calls made so far.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use serde_json::Value;

/// The scopes that MARO asks for when it is added to a workspace.
const SCOPES: [&str; 5] = ["commands", "chat:write", "channels:read", "groups:read", "im:read"];

/// How a method fails.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SlackFault {
    /// Status 200 with `ok: false` and this word.
    Error(String),
    /// Status 429 with `Retry-After` in seconds.
    RateLimited { retry_after: u64 },
    /// This status, without JSON.
    Status(u16),
    /// No answer, but the connection stays open.
    Hang,
    /// The right answer, but late.
    Slow(Duration),
    /// The connection is reset before anything is done.
    Reset,
    /// The request is carried out, and the connection is reset before the answer.
    LostAnswer,
}

/// One call that the bot made.
#[derive(Debug, Clone, PartialEq)]
pub struct ApiCall {
    /// Such as `views.open`.
    pub method: String,
    /// The arguments as one object, whether sent as JSON or as a form.
    pub arguments: Value,
    /// `ok` or Slack's word for the error. `None` if there was no such answer.
    pub outcome: Option<String>,
}

#[derive(Debug, Default)]
pub(super) struct ApiState {
    pub(super) lasting: HashMap<String, SlackFault>,
    /// The same for calls about one channel: by method and channel.
    pub(super) lasting_in: HashMap<(String, String), SlackFault>,
    pub(super) next: HashMap<String, VecDeque<Option<SlackFault>>>,
    pub(super) calls: Vec<ApiCall>,
    pub(super) scopes: Option<Vec<String>>,
    /// For how long the bot's token lasts, if it is one that Slack rotates.
    pub(super) token_lasts_secs: Option<u64>,
    /// The hosts whose links the bot is told of.
    pub(super) unfurled_hosts: Vec<String>,
}

/// The calls, faults and scopes of the Web API.
#[derive(Debug, Default)]
pub(crate) struct ApiRecords(Mutex<ApiState>);

impl ApiRecords {
    pub(super) fn next_fault(&self, method: &str, arguments: Option<&Value>) -> Option<SlackFault> {
        let mut state = self.state();
        if let Some(channel) = arguments.and_then(|arguments| arguments["channel"].as_str())
            && let Some(fault) = state.lasting_in.get(&(method.to_owned(), channel.to_owned()))
        {
            return Some(fault.clone());
        }
        if let Some(fault) = state.next.get_mut(method).and_then(VecDeque::pop_front) {
            return fault;
        }
        state.lasting.get(method).cloned()
    }

    /// Records a call and returns its number.
    pub(super) fn record(&self, call: ApiCall) -> usize {
        let mut state = self.state();
        state.calls.push(call);
        state.calls.len() - 1
    }

    pub(super) fn conclude(&self, number: usize, outcome: &str) {
        if let Some(call) = self.state().calls.get_mut(number) {
            call.outcome = Some(outcome.to_owned());
        }
    }

    /// Whether the bot is told of links to this host.
    pub(in crate::slack) fn is_told_of(&self, host: &str) -> bool {
        let has_scope = self.scopes().iter().any(|scope| scope == "links:read");
        has_scope && self.state().unfurled_hosts.iter().any(|known| known == host)
    }

    pub(in crate::slack) fn scopes(&self) -> Vec<String> {
        let granted = self.state().scopes.clone();
        granted.unwrap_or_else(|| SCOPES.map(str::to_owned).into())
    }

    pub(super) fn state(&self) -> MutexGuard<'_, ApiState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
