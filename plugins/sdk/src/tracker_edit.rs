//! Changing the list of the channel in which the command was typed. Grant: `tracker-edit`.

pub use crate::bindings::maro::plugin::{
    tracker_edit::{TrackOutcome, UntrackOutcome},
    types::{TrackerError, TrackerErrorKind},
};
use crate::{IssueKey, bindings::maro::plugin::tracker_edit, host::host};

/// Adds at most 100 keys of issues that [`crate::jira::get_issues`] has found in this call of the plugin.
/// Returns one outcome per key, in order. Without keys the host isn't called.
///
/// # Errors
/// Nothing was added.
pub fn track(keys: &[IssueKey]) -> Result<Vec<TrackOutcome>, TrackerError> {
    if keys.is_empty() { Ok(Vec::new()) } else { host!(tracker_edit::track(keys)) }
}

/// Removes at most 100 keys. Returns one outcome per key, in order. Without keys the host isn't called.
///
/// # Errors
/// Nothing was removed.
pub fn untrack(keys: &[IssueKey]) -> Result<Vec<UntrackOutcome>, TrackerError> {
    if keys.is_empty() { Ok(Vec::new()) } else { host!(tracker_edit::untrack(keys)) }
}
