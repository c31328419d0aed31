//! Texts that a plugin keeps between its invocations, each under a key. Grant: `storage`.
//!
//! A key has 1 to 200 bytes, a value at most 64 KiB. [`Scope::Channel`] is the channel in which the command
//! was typed; other channels have values of their own. [`Scope::Plugin`] is one place for all channels. No
//! other plugin can read either.
//!
//! ```no_run
//! use maro_plugin::{RunError, storage::{self, Scope}};
//!
//! /// Counts the commands in this channel, two at once included.
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
/// It could not be read.
pub fn get(scope: Scope, key: &str) -> Result<Option<String>, StorageError> {
    host!(storage::get(scope, key))
}

/// Gives a key a value, whatever it had before. Where two commands at once may change the same value, use
/// [`swap`].
///
/// # Errors
/// Nothing was changed; [`StorageErrorKind::Full`] if there is no room.
pub fn set(scope: Scope, key: &str, value: &str) -> Result<(), StorageError> {
    host!(storage::set(scope, key, value))
}

/// Takes a key's value away; whether it had one.
///
/// # Errors
/// Nothing was changed.
pub fn delete(scope: Scope, key: &str) -> Result<bool, StorageError> {
    host!(storage::delete(scope, key))
}

/// Gives a key the value `new`, or none, only if it has the value `expected`, or none; whether it had.
/// So two commands at once cannot undo each other's work: read, change, swap, and start anew if it failed.
///
/// # Errors
/// Nothing was changed; [`StorageErrorKind::Full`] if there is no room.
pub fn swap(
    scope: Scope,
    key: &str,
    expected: Option<&str>,
    new: Option<&str>,
) -> Result<bool, StorageError> {
    host!(storage::swap(scope, key, expected, new))
}

/// The keys that begin with `prefix`, in order of their bytes, at most 1,000.
///
/// # Errors
/// They could not be read.
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
