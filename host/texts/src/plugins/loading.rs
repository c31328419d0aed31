//! How long a plugin has been loading, and why it isn't loaded yet.

use std::time::Duration;

use crate::{durations::wait, text};
use maro_domain::reply::Span;

pub const CHANGING: &str = "its file keeps changing, and is read once it holds still";
pub const INSPECTING: &str = "its file is being read and inspected";
pub const COMPILERS_TURN: &str = "it's waiting for its turn to be compiled";
pub const MEMORY: &str = "other plugins have the memory that compiling it takes";
pub const COMPILING: &str = "it's being compiled";
pub const PLACE: &str = "it's waiting for running commands to make room";
pub const DESCRIBING: &str = "it's being asked to describe itself";
pub const REPLAYING_CASES: &str = "its recorded cases are being replayed";

/// For how long, and why, once that is worth telling.
pub type LongWait = (Duration, &'static str);

/// In the list: nothing of the file runs yet.
pub fn file_loading(file: &str, long: Option<LongWait>) -> Vec<Span> {
    let rest = match long {
        Some((time, why)) => format!(" has been loading for {}: {why}.", wait(time)),
        None => " is still loading.".to_owned(),
    };
    vec![Span::Code(file.to_owned()), text(rest)]
}

/// Of a plugin that runs.
pub fn newer_loading(long: Option<LongWait>) -> String {
    match long {
        Some((time, why)) => format!("A newer version has been loading for {}: {why}.", wait(time)),
        None => "A newer version is still loading.".to_owned(),
    }
}

/// In the log.
pub fn loading_long(file: &str, (time, why): LongWait) -> String {
    format!("{file} has been loading for {}: {why}", wait(time))
}
