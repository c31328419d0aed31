//! The capabilities, one file each, as the host implements them for guests.

mod author_of_writes;
pub(crate) mod call_recorder;
mod caller;
pub(crate) mod clock;
mod http;
mod jira;
mod jira_edit;
mod log;
mod permitted_call;
mod settings;
mod storage;
mod tracker;
mod tracker_edit;
mod whole_changes;

use std::{io, sync::Arc};

use crate::{
    capabilities::permitted_call::CallError,
    interface::bindings::maro::plugin::{reply, types},
    invocation::{Invocation, authority::Authority},
};
use maro_store::database::error::DatabaseError;
use maro_texts as texts;

impl types::Host for Invocation {}
impl reply::Host for Invocation {}

impl From<CallError> for types::TrackerError {
    fn from(error: CallError) -> Self {
        let (kind, message) = match error {
            CallError::Denied(message) => (types::TrackerErrorKind::Denied, message),
            CallError::InvalidArgument(message) => (types::TrackerErrorKind::InvalidArgument, message),
        };
        Self { kind, message }
    }
}

impl From<CallError> for types::HostError {
    fn from(error: CallError) -> Self {
        let (CallError::Denied(message) | CallError::InvalidArgument(message)) = error;
        Self { kind: types::HostErrorKind::Denied, message }
    }
}

/// A change of the database that panicked may have been made.
fn panicked() -> DatabaseError {
    DatabaseError::Uncertain(Arc::new(io::Error::other("the change panicked")))
}

/// Logs for the operator that the database failed, and returns the sentence for the person.
fn tracker_failed(authority: &Authority, error: &DatabaseError) -> types::TrackerError {
    authority.note_outage("the database");
    types::TrackerError {
        kind: types::TrackerErrorKind::Unavailable,
        message: texts::failures::database::tracker_failed(error, &authority.command_name()),
    }
}
