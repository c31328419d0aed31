//! One line in the operator's log for each write that a plugin makes: who, where, which plugin, what.
//!
//! The lines have the target `maro::audit`, by which a collector of logs can keep them apart.

use crate::{
    domain::ids::{ChannelId, UserId},
    plugin::running::instance::{Caller, Invocation},
};

/// Whose write it is, for a write that may outlive its invocation.
pub(super) struct Writer {
    pub(in crate::plugin) plugin: String,
    /// Of the plugin's component.
    pub(super) digest: String,
    pub(super) channel: ChannelId,
    pub(super) user: UserId,
}

/// Notes a write. `what` names what was changed (a key, a number of keys), never its content.
pub(super) fn note(invocation: &Invocation, action: &str, what: &str, outcome: &str) {
    // `describe` has no caller, and can write nothing.
    if let Some(caller) = &invocation.caller {
        Writer::new(invocation, caller).note(action, what, outcome);
    }
}

impl Writer {
    pub(in crate::plugin) fn new(invocation: &Invocation, caller: &Caller) -> Self {
        Self {
            plugin: invocation.plugin.to_string(),
            digest: invocation.origin.digest.clone(),
            channel: caller.channel.clone(),
            user: caller.user.clone(),
        }
    }

    /// As [`note`].
    pub(super) fn note(&self, action: &str, what: &str, outcome: &str) {
        tracing::info!(
            target: "maro::audit",
            plugin = self.plugin,
            digest = self.digest,
            channel = self.channel.as_str(),
            user = self.user.as_str(),
            action,
            what,
            outcome,
            "a plugin made a change"
        );
    }
}
