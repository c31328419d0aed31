//! Telling a plugin's owners of its faults by direct message.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use jiff::{SignedDuration, Timestamp};
use tokio_util::task::TaskTracker;

use crate::claimed_notices::ClaimedNotices;
use maro_domain::{
    ids::{ChannelId, UserId},
    issue::one_line,
    reply::Reply,
};
use maro_process::telemetry::error_chain;
use maro_runtime::running::{invoke::Fault, plugin::LoadedPlugin};
use maro_slack::{outgoing::render::Renderer, web_api::SlackWebApi};
use maro_texts as texts;

/// How long a plugin's faults of one kind are not told of again, by any replica and after any restart.
const SILENCE: SignedDuration = SignedDuration::from_hours(24);

/// How much of a fault is told, in characters. The log has the rest.
const MAX_FAULT_LENGTH: usize = 1_000;

/// Tells the people that `owners` in `NAME.toml` names.
pub(crate) struct OwnerNotices {
    pub(crate) claims: ClaimedNotices,
    pub(crate) slack: Arc<SlackWebApi>,
    pub(crate) renderer: Renderer,
    /// Nobody waits for a message.
    pub(crate) tasks: TaskTracker,
    /// When which plugin's faults of which kind last came up here: a plugin that fails on every command asks the
    /// database once.
    pub(crate) seen: Mutex<HashMap<(String, &'static str), Timestamp>>,
}

impl OwnerNotices {
    /// Tells a plugin's owners of a fault, once a day and kind.
    pub(crate) fn tell(self: &Arc<Self>, plugin: &LoadedPlugin, fault: &Fault, incident: &str) {
        let owners = plugin.manifest().owners.clone();
        let Some(kind) = fault.kind().filter(|_| !owners.is_empty()) else { return };
        let (name, now) = (plugin.name().to_owned(), self.claims.clock.now());
        if !self.is_due(&name, kind, now) {
            return;
        }
        let fault = one_line(&fault.to_string(), MAX_FAULT_LENGTH);
        let reply = Reply::line(texts::plugins::faults::told_to_owner(&name, incident, &fault));
        let notices = Arc::clone(self);
        self.tasks.spawn(async move {
            let subject = format!("{name}/{kind}");
            let Some(claim) = notices.claims.claim(&subject, "", SILENCE).await else { return };
            let mut is_told = false;
            for owner in owners {
                is_told |= notices.post(&name, &owner, &reply).await;
            }
            if !is_told {
                notices.claims.release(claim).await;
                notices.seen.lock().unwrap_or_else(PoisonError::into_inner).remove(&(name, kind));
            }
        });
    }

    fn is_due(&self, plugin: &str, kind: &'static str, now: Timestamp) -> bool {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (plugin.to_owned(), kind);
        let is_due = seen.get(&key).is_none_or(|last| now.duration_since(*last) >= SILENCE);
        if is_due {
            seen.insert(key, now);
        }
        is_due
    }

    /// Whether they were told.
    async fn post(&self, plugin: &str, owner: &UserId, reply: &Reply) -> bool {
        let channel = ChannelId::of_person(owner);
        let message = self.renderer.render(reply, &channel, owner);
        let posted = self.slack.post_message(&channel, None, &message).await;
        if let Err(error) = &posted {
            tracing::error!(
                plugin,
                owner = owner.as_str(),
                error = error_chain(error),
                "couldn't tell a plugin's owner about its fault"
            );
        }
        posted.is_ok()
    }
}
