//! Records what was shown to whom, which response URLs are open, and what the bot did wrong.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::slack::shown::changes::Changes;
use maro_domain::ids::{ChannelId, UserId};

/// Slack accepts five messages at a response URL, within half an hour.
const RESPONSE_URL_USES: u8 = 5;
const RESPONSE_URL_LIFETIME: SignedDuration = SignedDuration::from_mins(30);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Author {
    /// The bot under test.
    Bot,
    /// Slack itself, reporting that the bot failed.
    Slack,
    /// A person in the workspace.
    Person,
}

/// One message as people in the workspace see it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ShownMessage {
    /// The number of the command or interaction that it answers, or 0.
    pub invocation: u64,
    pub channel: String,
    pub author: Author,
    /// The id of the person who wrote it, if [`Author::Person`].
    pub user: Option<String>,
    /// The id of the only person who sees it. `None` if everyone in the channel does.
    pub visible_to: Option<String>,
    /// Whether it came through the response URL.
    pub is_delayed: bool,
    /// Whether it came through the Web API.
    pub is_posted: bool,
    /// Its id within the channel: seconds and microseconds.
    pub ts: String,
    /// The `ts` of the message that it replies to in a thread.
    pub thread_ts: Option<String>,
    pub text: String,
    /// With what is shown of its links.
    pub blocks: Vec<Value>,
    /// What the bot shows of links: each link, and the blocks of it, which are the last of `blocks`.
    #[serde(default)]
    pub unfurls: Vec<(String, Vec<Value>)>,
    /// The command that it answers, if any.
    pub command: Option<TypedCommand>,
    /// What the bot sent over the wire. `None` if someone else is the author.
    #[serde(skip)]
    pub payload: Option<Arc<Value>>,
}

/// A slash command as somebody typed it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TypedCommand {
    /// The id of the person.
    pub user: String,
    pub text: String,
}

/// What changed in the messages since an earlier revision.
#[derive(Debug, Clone)]
pub struct MessageChanges {
    /// The current revision.
    pub revision: u64,
    /// New or changed, oldest first.
    pub changed: Vec<ShownMessage>,
    /// The `ts` of deleted messages.
    pub deleted: Vec<String>,
}

/// What somebody did, with what answers to it need.
#[derive(Debug, Clone)]
pub(crate) struct Typed {
    pub(crate) invocation: u64,
    pub(crate) channel: ChannelId,
    pub(crate) user: UserId,
    /// The message whose button was pressed. `replace_original` refers to it.
    pub(crate) original_ts: Option<String>,
    /// The command, if it was one.
    pub(crate) command: Option<TypedCommand>,
}

/// Why a response URL accepts no message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Closed {
    Unknown,
    Used,
    Expired,
}

#[derive(Debug)]
struct ResponseGrant {
    typed: Typed,
    uses_left: u8,
    expires_at: Timestamp,
}

/// A message, and the revision of its last change.
#[derive(Debug)]
struct Kept {
    revision: u64,
    message: ShownMessage,
}

#[derive(Debug, Default)]
struct HistoryState {
    invocations: u64,
    last_ts: i64,
    /// Counts the changes to messages.
    revision: u64,
    messages: Vec<Kept>,
    /// The revision and `ts` of each deletion.
    deleted: Vec<(u64, String)>,
    grants: HashMap<String, ResponseGrant>,
    problems: Vec<String>,
}

#[derive(Debug, Default)]
pub(crate) struct History {
    state: Mutex<HistoryState>,
    changes: Arc<Changes>,
}

impl History {
    pub(crate) fn new(changes: Arc<Changes>) -> Self {
        Self { state: Mutex::default(), changes }
    }

    /// Gives a number to something that somebody did.
    pub(crate) fn number(&self, channel: ChannelId, user: UserId) -> Typed {
        let mut state = self.state();
        state.invocations += 1;
        Typed { invocation: state.invocations, channel, user, original_ts: None, command: None }
    }

    /// Opens the response URL with this path for answers to `typed`.
    pub(crate) fn open(&self, path: String, typed: Typed, now: Timestamp) {
        let expires_at = now.saturating_add(RESPONSE_URL_LIFETIME).unwrap_or(Timestamp::MAX);
        self.state().grants.insert(path, ResponseGrant { typed, uses_left: RESPONSE_URL_USES, expires_at });
    }

    /// Uses the response URL with this path once.
    pub(crate) fn use_response_url(&self, path: &str, now: Timestamp) -> Result<Typed, Closed> {
        let mut state = self.state();
        let grant = state.grants.get_mut(path).ok_or(Closed::Unknown)?;
        if now >= grant.expires_at {
            return Err(Closed::Expired);
        }
        grant.uses_left = grant.uses_left.checked_sub(1).ok_or(Closed::Used)?;
        Ok(grant.typed.clone())
    }

    /// A new, unique `ts`, later than all before.
    pub(crate) fn new_ts(&self, now: Timestamp) -> String {
        let mut state = self.state();
        state.last_ts = now.as_microsecond().max(state.last_ts + 1);
        format!("{}.{:06}", state.last_ts / 1_000_000, state.last_ts % 1_000_000)
    }

    pub(crate) fn show(&self, message: ShownMessage) {
        let mut state = self.state();
        let revision = state.next_revision();
        state.messages.push(Kept { revision, message });
        drop(state);
        self.changes.note();
    }

    /// Replaces a message with `message`, which keeps the time, the thread and the audience of the original.
    pub(crate) fn replace(&self, ts: &str, message: ShownMessage) {
        let mut state = self.state();
        let revision = state.next_revision();
        for kept in state.messages.iter_mut().filter(|kept| kept.message.ts == ts) {
            let original = &kept.message;
            let message = ShownMessage {
                ts: original.ts.clone(),
                thread_ts: original.thread_ts.clone(),
                visible_to: original.visible_to.clone(),
                is_posted: original.is_posted,
                ..message.clone()
            };
            *kept = Kept { revision, message };
        }
        drop(state);
        self.changes.note();
    }

    pub(crate) fn delete(&self, ts: &str) {
        let mut state = self.state();
        let revision = state.next_revision();
        state.messages.retain(|kept| kept.message.ts != ts);
        state.deleted.push((revision, ts.to_owned()));
        drop(state);
        self.changes.note();
    }

    /// How many replies are in this message's thread.
    pub(crate) fn replies_to(&self, ts: &str) -> usize {
        let state = self.state();
        state.messages.iter().filter(|kept| kept.message.thread_ts.as_deref() == Some(ts)).count()
    }

    pub(crate) fn report(&self, problem: String) {
        tracing::warn!(problem, "Slack would have refused this");
        self.state().problems.push(problem);
    }

    pub(crate) fn messages(&self) -> Vec<ShownMessage> {
        self.state().messages.iter().map(|kept| kept.message.clone()).collect()
    }

    pub(crate) fn changes_since(&self, revision: u64) -> MessageChanges {
        let state = self.state();
        let changed = state.messages.iter().filter(|kept| kept.revision > revision);
        let deleted = state.deleted.iter().filter(|(deleted_at, _)| *deleted_at > revision);
        MessageChanges {
            revision: state.revision,
            changed: changed.map(|kept| kept.message.clone()).collect(),
            deleted: deleted.map(|(_, ts)| ts.clone()).collect(),
        }
    }

    pub(crate) fn problems(&self) -> Vec<String> {
        self.state().problems.clone()
    }

    /// No code panics while holding the lock. A test that does has failed anyway.
    fn state(&self) -> MutexGuard<'_, HistoryState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl HistoryState {
    fn next_revision(&mut self) -> u64 {
        self.revision += 1;
        self.revision
    }
}
