//! MARO's own database failed.

use maro_domain::{command_name::CommandName, reply::Span};
use maro_store::database::error::DatabaseError;

use crate::{command, commands::BUSY, text};

pub const NOTHING_WRITTEN: &str =
    "MARO can't reach its database right now. Nothing was changed. Try again in a minute.";

/// As [`NOTHING_WRITTEN`], in a form that keeps what was typed.
pub const NOTHING_BEGUN: &str = "MARO can't reach its database right now. Nothing was created or linked. Send this \
    again in a minute.";

/// In a form that keeps what was typed: its intent may have been saved, and is the same if it is sent again.
pub const MAYBE_BEGUN: &str = "MARO lost its database connection partway through, so this may have been started. \
    If it was, MARO will finish it and tell you. You can send this same form again: nothing will be created twice.";

/// Something was begun, and can't be continued now.
pub const PENDING: &str = "MARO can't reach its database right now, but this was started. Don't send it again: MARO \
    will finish it and tell you.";

/// A plugin wants to store more than its limit.
pub const STORAGE_FULL: &str =
    "This command has run out of storage. Nothing was changed. Ask your MARO admin to raise its limit.";

/// Comes before the sentence that says how to find out whether it worked.
const LOST: &str = "MARO lost its database connection partway through. ";

/// The lists couldn't be read or changed.
pub fn tracker_failed(error: &DatabaseError, name: &CommandName) -> String {
    nothing_written(error).map_or_else(
        || format!("{LOST}Type {name} tracked in a minute to see whether it worked."),
        str::to_owned,
    )
}

/// What a plugin stores couldn't be read or changed.
pub fn storage_failed(error: &DatabaseError) -> String {
    nothing_written(error)
        .map_or_else(|| format!("{LOST}It may have worked, so check before you try again."), str::to_owned)
}

/// What a channel is told couldn't be read or changed.
pub fn notices_failed(error: &DatabaseError) -> Vec<Span> {
    change_failed(error, "notify")
}

/// A plugin couldn't be turned on or off.
pub fn switch_failed(error: &DatabaseError) -> Vec<Span> {
    change_failed(error, "plugins")
}

/// A plugin may have been turned on or off.
pub fn switch_unconfirmed() -> Vec<Span> {
    unconfirmed("plugins")
}

/// Something that the command `shown_by` shows couldn't be changed.
fn change_failed(error: &DatabaseError, shown_by: &str) -> Vec<Span> {
    nothing_written(error).map_or_else(|| unconfirmed(shown_by), |sentence| vec![text(sentence)])
}

/// `None` if the change may have been made.
fn nothing_written(error: &DatabaseError) -> Option<&'static str> {
    match error {
        DatabaseError::Unavailable(_) | DatabaseError::TimedOut | DatabaseError::Replayed => {
            Some(NOTHING_WRITTEN)
        }
        DatabaseError::Busy(_) => Some(BUSY),
        DatabaseError::Uncertain(_) => None,
    }
}

fn unconfirmed(shown_by: &str) -> Vec<Span> {
    vec![text(LOST), text("Type "), command(shown_by), text(" in a minute to see whether it worked.")]
}
