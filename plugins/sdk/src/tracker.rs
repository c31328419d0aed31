//! Reading the list of the channel in which the command was typed. Grant: `tracker`.

pub use crate::bindings::maro::plugin::{
    tracker::{DetailedPage, FilteredPage, ListFilter, Page, RowDetails, RowState, TrackedIssue},
    types::{StatusCategory, TrackerError, TrackerErrorKind},
};
use crate::{IssueKey, bindings::maro::plugin::tracker, host::host};

/// At most `limit` (1 to 200) tracked issues, starting at `offset`, which counts from 0. Past the end the
/// page is empty.
///
/// # Errors
/// The list couldn't be read.
pub fn list_tracked(offset: u32, limit: u32) -> Result<Page, TrackerError> {
    host!(tracker::list_tracked(offset, limit))
}

/// As [`list_tracked`], with when each was last read from Jira, the category of its status, the key that it was moved
/// from, and whether it's gone there or hidden here.
///
/// # Errors
/// As [`list_tracked`].
pub fn list_details(offset: u32, limit: u32) -> Result<DetailedPage, TrackerError> {
    host!(tracker::list_details(offset, limit))
}

/// As [`list_details`], of the issues that fit a filter, with how many there are in all.
///
/// # Errors
/// As [`list_tracked`].
pub fn list_filtered(filter: ListFilter, offset: u32, limit: u32) -> Result<FilteredPage, TrackerError> {
    host!(tracker::list_filtered(filter, offset, limit))
}

/// How many issues this channel tracks.
///
/// # Errors
/// The list couldn't be read.
pub fn count_tracked() -> Result<u32, TrackerError> {
    host!(tracker::count_tracked())
}

/// Whether this channel tracks each of at most 100 keys, in order. Without keys the host isn't called.
///
/// # Errors
/// The list couldn't be read.
pub fn is_tracked(keys: &[IssueKey]) -> Result<Vec<bool>, TrackerError> {
    if keys.is_empty() { Ok(Vec::new()) } else { host!(tracker::is_tracked(keys)) }
}
