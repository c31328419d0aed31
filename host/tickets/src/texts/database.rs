//! MARO's own database failed.

use maro_store::tracker::TrackerError;

pub const NOTHING_WRITTEN: &str =
    "MARO can't reach its database right now. Nothing was changed. Try again in a minute.";

/// As [`NOTHING_WRITTEN`], where something may be under way.
pub const UNAVAILABLE: &str = "MARO can't reach its database right now. Try again in a minute. Anything already started will be finished.";

/// A plugin wants to keep more than its limit.
pub const STORAGE_FULL: &str =
    "This command has run out of storage. Nothing was changed. Ask your MARO admin to raise its limit.";

/// The lists could not be read or changed.
pub fn tracker_failed(error: &TrackerError) -> String {
    match error {
        TrackerError::Unavailable(_) | TrackerError::TimedOut => NOTHING_WRITTEN.to_owned(),
        TrackerError::Uncertain(_) => {
            "MARO lost its database connection partway through. Type /maro tracked in a \
             minute to see whether it worked."
                .to_owned()
        }
    }
}
