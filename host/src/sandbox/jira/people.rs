//! The people of the simulated site.

/// The id of somebody's account, on Data Center their user name.
pub(super) fn account(name: &str) -> String {
    name.to_lowercase().replace(' ', "-")
}
