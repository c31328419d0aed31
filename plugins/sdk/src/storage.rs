//! Texts that a plugin keeps between its invocations, each under a key. Grant: `storage`.
//!
//! A key has 1 to 200 bytes, a value at most 64 KiB. [`Scope::Channel`] is the channel in which the command
//! was typed. Other channels have their own values. [`Scope::Plugin`] is shared by all channels. No other
//! plugin can read either.
//!
//! ```no_run
//! use maro_plugin::{RunError, storage::{self, Scope}};
//!
//! /// Counts the commands in this channel, even if two run at once.
//! fn count() -> Result<u64, RunError> {
//!     loop {
//!         let before = storage::get(Scope::Channel, "count")?;
//!         let count = before.as_deref().and_then(|count| count.parse().ok()).unwrap_or(0) + 1;
//!         if storage::swap(Scope::Channel, "count", before.as_deref(), Some(&count.to_string()))? {
//!             return Ok(count);
//!         }
//!     }
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
