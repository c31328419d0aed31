//! Texts that a plugin keeps between its invocations, each under a key. Grant: `storage`.
//!
//! A key has 1 to 200 bytes, a value at most 64 KiB. [`Scope::Channel`] is the channel in which the command
//! was typed. Other channels have their own values. [`Scope::Plugin`] is shared by all channels, and [`Scope::Person`]
//! is the person who typed the command, in any channel. No other plugin can read them.
//!
//! ```no_run
//! use maro_plugin::{RunError, storage::{self, Scope}};
//!
//! /// Counts the commands in this channel, and remembers for a day that this person has voted.
//! fn vote() -> Result<i64, RunError> {
//!     if storage::get(Scope::Person, "voted")?.is_some() {
//!         return Err(RunError::failed("You already voted today."));
//!     }
//!     storage::set_expiring(Scope::Person, "voted", "yes", 24 * 3600)?;
//!     Ok(storage::add(Scope::Channel, "votes", 1)?)
//! }
//! ```

pub use crate::bindings::maro::plugin::storage::{Scope, StorageError, StorageErrorKind};
use crate::{bindings::maro::plugin::storage, host::host};

/// The value of a key, if it has one.
///
/// # Errors
/// It couldn't be read.
pub fn get(scope: Scope, key: &str) -> Result<Option<String>, StorageError> {
    host!(storage::get(scope, key))
}

/// Sets the value of a key, whatever it was before. If two commands may change the same value at once, use
/// [`swap`].
///
/// # Errors
/// Nothing was changed. [`StorageErrorKind::Full`] if there's no room.
pub fn set(scope: Scope, key: &str, value: &str) -> Result<(), StorageError> {
    host!(storage::set(scope, key, value))
}

/// As [`set`], but the value is gone after so many seconds, at most ten years.
///
/// # Errors
/// As [`set`].
pub fn set_expiring(scope: Scope, key: &str, value: &str, seconds: u64) -> Result<(), StorageError> {
    host!(storage::set_expiring(scope, key, value, seconds))
}

/// Adds to the whole number that is a key's value, or to 0 if it has none. Returns the sum. Two commands at once both
/// count.
///
/// # Errors
/// Nothing was changed. [`StorageErrorKind::InvalidArgument`] if the value isn't a number.
pub fn add(scope: Scope, key: &str, amount: i64) -> Result<i64, StorageError> {
    host!(storage::add(scope, key, amount))
}

/// Deletes a key's value. Returns whether it had one.
///
/// # Errors
/// Nothing was changed.
pub fn delete(scope: Scope, key: &str) -> Result<bool, StorageError> {
    host!(storage::delete(scope, key))
}

/// Sets the value of a key to `new`, or to none, but only if it is `expected`, or none. Returns whether it
/// was. With this, two commands at once can't undo each other's work: read, change, swap, and start over if
/// that fails.
///
/// # Errors
/// Nothing was changed. [`StorageErrorKind::Full`] if there's no room.
pub fn swap(
    scope: Scope,
    key: &str,
    expected: Option<&str>,
    new: Option<&str>,
) -> Result<bool, StorageError> {
    host!(storage::swap(scope, key, expected, new))
}

/// The keys that start with `prefix`, ordered by their bytes, at most 1,000.
///
/// # Errors
/// They couldn't be read.
pub fn list_keys(scope: Scope, prefix: &str) -> Result<Vec<String>, StorageError> {
    host!(storage::list_keys(scope, prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[should_panic(expected = "storage::get can only be called on a host: keep the answer apart")]
    fn a_test_that_calls_the_host_fails_by_itself() {
        let _ = get(Scope::Channel, "key");
    }
}
