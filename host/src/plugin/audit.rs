//! One line in the operator's log for each write that a plugin makes: who, where, which plugin, what.
//!
//! The lines have the target `maro::audit`, by which a collector of logs can keep them apart.

use crate::plugin::instance::Invocation;

/// Notes a write. `what` names what was changed (a key, a number of keys), never its content.
pub(super) fn note(invocation: &Invocation, action: &str, what: &str, outcome: &str) {
    let Some(caller) = &invocation.caller else { return };
    tracing::info!(
        target: "maro::audit",
        plugin = &*invocation.plugin,
        digest = invocation.origin.digest.as_str(),
        channel = caller.channel.as_str(),
        user = caller.user.as_str(),
        action,
        what,
        outcome,
        "a plugin made a change"
    );
}
