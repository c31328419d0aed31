//! What was shown to whom, which response URLs are open, and what the bot did wrong.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::watch;

use crate::domain::ids::{ChannelId, UserId};

/// Slack takes five messages at a response URL, within half an hour.
const RESPONSE_URL_USES: u8 = 5;
const RESPONSE_URL_LIFETIME: SignedDuration = SignedDuration::from_mins(30);

/// Who says something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Author {
    /// The bot under test.
    Bot,
    /// Slack itself, about the bot's failure.
    Slack,
}

/// One message as the people of the workspace see it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ShownMessage {
    /// The number of the command that it answers.
    pub invocation: u64,
    pub channel: String,
    pub author: Author,
    /// The id of the only person who sees it; `None` if everyone in the channel does.
    pub visible_to: Option<String>,
    /// Whether it came through the response URL.
    pub is_delayed: bool,
    pub text: String,
    pub blocks: Vec<Value>,
}

/// A command that was typed, as far as answers to it are concerned.
#[derive(Debug, Clone)]
pub(super) struct Typed {
    pub(super) invocation: u64,
    pub(super) channel: ChannelId,
    pub(super) user: UserId,
}

/// Why a response URL takes nothing; Slack's own words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Closed {
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

#[derive(Debug, Default)]
struct Records {
    invocations: u64,
    messages: Vec<ShownMessage>,
    grants: HashMap<String, ResponseGrant>,
    problems: Vec<String>,
}

#[derive(Debug)]
pub(super) struct History {
    records: Mutex<Records>,
    changed: watch::Sender<()>,
}

impl Default for History {
    fn default() -> Self {
        Self { records: Mutex::default(), changed: watch::Sender::new(()) }
    }
}

impl History {
    /// Notes a command and opens the response URL with this path for it.
    pub(super) fn open(&self, path: String, channel: ChannelId, user: UserId, now: Timestamp) -> Typed {
        let mut records = self.records();
        records.invocations += 1;
        let typed = Typed { invocation: records.invocations, channel, user };
        let expires_at = now.saturating_add(RESPONSE_URL_LIFETIME).unwrap_or(Timestamp::MAX);
        let grant = ResponseGrant { typed: typed.clone(), uses_left: RESPONSE_URL_USES, expires_at };
        records.grants.insert(path, grant);
        typed
    }

    /// Takes one use of the response URL with this path.
    pub(super) fn use_response_url(&self, path: &str, now: Timestamp) -> Result<Typed, Closed> {
        let mut records = self.records();
        let grant = records.grants.get_mut(path).ok_or(Closed::Unknown)?;
        if now >= grant.expires_at {
            return Err(Closed::Expired);
        }
        grant.uses_left = grant.uses_left.checked_sub(1).ok_or(Closed::Used)?;
        Ok(grant.typed.clone())
    }

    pub(super) fn show(&self, message: ShownMessage) {
        self.records().messages.push(message);
        self.changed.send_replace(());
    }

    pub(super) fn report(&self, problem: String) {
        tracing::warn!(problem, "Slack would have refused this");
        self.records().problems.push(problem);
    }

    pub(super) fn messages(&self) -> Vec<ShownMessage> {
        self.records().messages.clone()
    }

    pub(super) fn problems(&self) -> Vec<String> {
        self.records().problems.clone()
    }

    pub(super) async fn wait_for(
        &self,
        patience: Duration,
        mut condition: impl FnMut(&[ShownMessage]) -> bool,
    ) -> Option<Vec<ShownMessage>> {
        let mut changes = self.changed.subscribe();
        let satisfied = async {
            loop {
                let messages = self.messages();
                if condition(&messages) {
                    return messages;
                }
                if changes.changed().await.is_err() {
                    std::future::pending::<()>().await;
                }
            }
        };
        tokio::time::timeout(patience, satisfied).await.ok()
    }

    /// No code panics while it holds the lock, and a test that did has failed anyway.
    fn records(&self) -> MutexGuard<'_, Records> {
        self.records.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
