//! Lines in the operator's log, marked with the plugin's name and the invocation. Always granted.
//!
//! A line over 1 KiB is cut. After 32 lines in one invocation, or another limit that the operator has set,
//! the rest is dropped and counted.

use crate::bindings::maro::plugin::log as bindings;
pub use crate::bindings::maro::plugin::log::Level;

/// Writes a line. In a test, where there's no operator, it goes to standard error.
#[expect(clippy::print_stderr, reason = "there's no other log on the author's machine")]
pub fn log(level: Level, message: &str) {
    if cfg!(not(target_family = "wasm")) {
        eprintln!("{level:?}: {message}");
        return;
    }
    bindings::log(level, message);
}

/// Writes a line that only helps to find a bug.
pub fn debug(message: &str) {
    log(Level::Debug, message);
}

/// Writes a line about what happened.
pub fn info(message: &str) {
    log(Level::Info, message);
}

/// Writes a line about something odd that was handled.
pub fn warn(message: &str) {
    log(Level::Warn, message);
}

/// Writes a line about what went wrong.
pub fn error(message: &str) {
    log(Level::Error, message);
}
