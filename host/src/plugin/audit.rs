//! One line in the operator's log for each write that a plugin makes: who, where, which plugin, what.
//!
//! The lines have the target `maro::audit`, by which a collector of logs can keep them apart.

use std::sync::Arc;

use crate::plugin::instance::{Caller, Invocation, Origin};

/// Whose write it is, for a write that may outlive its invocation.
pub(super) struct Writer {
    plugin: Arc<str>,
    origin: Arc<Origin>,
    caller: Arc<Caller>,
}

/// Notes a write. `what` names what was changed (a key, a number of keys), never its content.
pub(super) fn note(invocation: &Invocation, action: &str, what: &str, outcome: &str) {
    if let Some(writer) = Writer::of(invocation) {
        writer.note(action, what, outcome);
    }
}

impl Writer {
    /// `None` for `describe`, which can write nothing.
    pub(super) fn of(invocation: &Invocation) -> Option<Self> {
        Some(Self {
            plugin: Arc::clone(&invocation.plugin),
            origin: Arc::clone(&invocation.origin),
            caller: Arc::clone(invocation.caller.as_ref()?),
        })
    }

    /// As [`note`].
    pub(super) fn note(&self, action: &str, what: &str, outcome: &str) {
        tracing::info!(
            target: "maro::audit",
            plugin = &*self.plugin,
            digest = self.origin.digest.as_str(),
            channel = self.caller.channel.as_str(),
            user = self.caller.user.as_str(),
            action,
            what,
            outcome,
            "a plugin made a change"
        );
    }
}
