//! Lines in the operator's log, marked with the plugin's name and the invocation. Always granted.
//!
//! A line over 1 KiB is cut, and after 32 lines, unless the operator sets another limit, the rest of an
//! invocation's is dropped and counted.

use crate::bindings::maro::plugin::log as bindings;
pub use crate::bindings::maro::plugin::log::Level;

/// Writes a line. In a test, where there is no operator, to standard error.
#[expect(clippy::print_stderr, reason = "there is no other log on the author's machine")]
pub fn log(level: Level, message: &str) {
    if cfg!(not(target_family = "wasm")) {
        eprintln!("{level:?}: {message}");
        return;
    }
    bindings::log(level, message);
}

/// Writes a line that only somebody looking for a fault wants.
pub fn debug(message: &str) {
    log(Level::Debug, message);
}

/// Writes a line about what happened.
pub fn info(message: &str) {
    log(Level::Info, message);
}

/// Writes a line about what is odd, but was dealt with.
pub fn warn(message: &str) {
    log(Level::Warn, message);
}

/// Writes a line about what went wrong.
pub fn error(message: &str) {
    log(Level::Error, message);
}
