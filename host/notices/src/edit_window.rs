//! For how long a message takes up later changes, instead of another message.

use std::time::Duration;

const WINDOW: Duration = Duration::from_secs(60);

pub(crate) fn is_open(age: Duration) -> bool {
    age < WINDOW
}

/// The time until a message of this age takes up nothing more.
pub(crate) fn left(age: Duration) -> Duration {
    WINDOW.saturating_sub(age)
}
