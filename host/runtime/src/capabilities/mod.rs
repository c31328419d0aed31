//! The capabilities, one file each, as the host implements them for guests.

mod audit;
mod call;
mod clock;
mod http;
mod jira;
mod jira_edit;
mod log;
mod settings;
mod storage;
pub(crate) mod tap;
mod tracker;
mod tracker_edit;

use crate::{
    capabilities::call::CallError,
    interface::bindings::maro::plugin::{reply, types},
    invocation::Invocation,
};
use maro_process::telemetry::error_chain;
use maro_store::database::error::DatabaseError;
use maro_tickets::texts;

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

/// Logs for the operator why the database failed, and returns the sentence for the person.
fn tracker_failed(plugin: &str, error: &DatabaseError) -> types::TrackerError {
    tracing::error!(plugin, error = error_chain(error), "tracker failed");
    types::TrackerError {
        kind: types::TrackerErrorKind::Unavailable,
        message: texts::database::tracker_failed(error),
    }
}
