//! The line in the operator's log for each write of a plugin: who wrote what.

use crate::invocation::Invocation;
use maro_domain::caller::Caller;
use maro_tickets::audit::Writer;

/// Notes a write. `what` names what was changed (a key, a number of keys), never its content.
pub(super) fn note(invocation: &Invocation, action: &str, what: &str, outcome: &str) {
    // `describe` has no caller, and can write nothing.
    if let Some(caller) = invocation.authority.caller() {
        writer(invocation, caller).note(action, what, outcome);
    }
}

pub(super) fn writer(invocation: &Invocation, caller: &Caller) -> Writer {
    Writer {
        plugin: invocation.authority.plugin.to_string(),
        digest: invocation.authority.origin.digest.clone(),
        channel: caller.channel.clone(),
        user: caller.user.clone(),
    }
}
