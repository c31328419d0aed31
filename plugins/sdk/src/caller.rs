//! Who typed the command, or pressed the button. Grant: `caller`.
//!
//! To show who it was, use [`crate::reply::caller`]. To keep something for a person, use
//! [`Scope::Person`](crate::storage::Scope::Person).

pub use crate::bindings::maro::plugin::types::{HostError, HostErrorKind};
use crate::{bindings::maro::plugin::caller, host::host};

/// An id of the person: 32 of `0`–`9` and `a`–`f`, the same in every command of this plugin. Another plugin gets
/// another id of the same person.
///
/// # Errors
/// [`HostErrorKind::Denied`], or [`HostErrorKind::Unavailable`] if the database doesn't answer.
pub fn id() -> Result<String, HostError> {
    host!(caller::id())
}

/// Whether the person is an administrator of MARO.
///
/// # Errors
/// [`HostErrorKind::Denied`].
pub fn is_admin() -> Result<bool, HostError> {
    host!(caller::is_admin())
}

/// The person's time zone, as Slack has it (`Europe/Berlin`), if that is known.
///
/// # Errors
/// [`HostErrorKind::Denied`], or [`HostErrorKind::Unavailable`] if Slack doesn't answer.
pub fn time_zone() -> Result<Option<String>, HostError> {
    host!(caller::time_zone())
}
