//! For how long a message takes up later changes, instead of another message.

use std::time::Duration;

const WINDOW: Duration = Duration::from_secs(60);

pub(crate) fn is_open(age: Duration) -> bool {
    age < WINDOW
}
