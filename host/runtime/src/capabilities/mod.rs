//! The capabilities, one file each, as the host implements them for guests.

mod audit;
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

use std::sync::Arc;

use crate::{
    interface::bindings::maro::plugin::{reply, types},
    invocation::{Invocation, services::Capabilities},
    policy::grants::Grant,
};
use maro_domain::{caller::Caller, issue::IssueKey};
use maro_process::telemetry::error_chain;
use maro_store::tracker::TrackerError;
use maro_tickets::texts;

/// The most keys that one call takes.
const MAX_KEYS: usize = 100;

impl types::Host for Invocation {}
impl reply::Host for Invocation {}

/// The keys of a call, or what is wrong with them.
fn parse_keys(keys: Vec<String>) -> Result<Vec<IssueKey>, String> {
    if keys.len() > MAX_KEYS {
        return Err(texts::requests::too_many_keys(MAX_KEYS));
    }
    keys.into_iter()
        .map(IssueKey::from_string)
        .collect::<Result<_, _>>()
        .map_err(|_| texts::requests::not_a_key())
}

/// A call about keys of the caller's channel's list that may go ahead.
struct TrackerCall {
    caller: Arc<Caller>,
    capabilities: Arc<Capabilities>,
    keys: Vec<IssueKey>,
}

impl Invocation {
    /// Checks the grant and the keys of a call, or says why it may not go ahead.
    fn tracker_call(&mut self, grant: Grant, keys: Vec<String>) -> Result<TrackerCall, types::TrackerError> {
        let (caller, capabilities) = self.authorised(grant).map_err(tracker_denied)?;
        let keys = parse_keys(keys).map_err(tracker_invalid)?;
        Ok(TrackerCall { caller, capabilities, keys })
    }
}

fn tracker_denied(message: String) -> types::TrackerError {
    types::TrackerError { kind: types::TrackerErrorKind::Denied, message }
}

fn tracker_invalid(message: String) -> types::TrackerError {
    types::TrackerError { kind: types::TrackerErrorKind::InvalidArgument, message }
}

/// Logs why the database failed, for the operator, and words it for the person.
fn tracker_failed(plugin: &str, error: &TrackerError) -> types::TrackerError {
    tracing::error!(plugin, error = error_chain(error), "tracker failed");
    types::TrackerError {
        kind: types::TrackerErrorKind::Unavailable,
        message: texts::database::tracker_failed(error),
    }
}
