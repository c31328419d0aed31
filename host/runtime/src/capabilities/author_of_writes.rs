//! Who writes what: an author for the audit log, and a line in the operator's log for each write of a plugin.

use crate::invocation::Invocation;
use maro_domain::{
    author::{Author, PluginBuild},
    caller::Caller,
};
use maro_tickets::audit::Writer;

/// Notes a write in the operator's log. `what` names what was changed (a key, a number of keys), never its content.
pub(super) fn note(invocation: &Invocation, action: &str, what: &str, outcome: &str) {
    // `describe` has no caller, and can write nothing.
    if let Some(caller) = invocation.authority.caller() {
        writer(invocation, caller).note(action, what, outcome);
    }
}

pub(super) fn writer(invocation: &Invocation, caller: &Caller) -> Writer {
    Writer { author: author(invocation, caller) }
}

/// The plugin, in the name of its caller.
pub(super) fn author(invocation: &Invocation, caller: &Caller) -> Author {
    let authority = &invocation.authority;
    let plugin = PluginBuild { name: authority.plugin.to_string(), digest: authority.origin.digest.clone() };
    Author { plugin: Some(plugin), incident: authority.incident(), ..Author::from(caller) }
}
