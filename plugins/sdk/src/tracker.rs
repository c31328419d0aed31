//! Reading the list of the channel in which the command was typed. Grant: `tracker`.

pub use crate::bindings::maro::plugin::{
    tracker::{Page, TrackedIssue, count_tracked, list_tracked},
    types::{TrackerError, TrackerErrorKind},
};
use crate::{IssueKey, bindings::maro::plugin::tracker};

/// For each of at most 100 keys, in order, whether this channel tracks it. Without keys the host is not
/// called.
///
/// # Errors
/// The list could not be read.
pub fn is_tracked(keys: &[IssueKey]) -> Result<Vec<bool>, TrackerError> {
    if keys.is_empty() { Ok(Vec::new()) } else { tracker::is_tracked(keys) }
}
