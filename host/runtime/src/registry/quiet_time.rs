//! How long a file of the plugins folder has to be quiet: until it's read, until it's said that it can't run, and until
//! nobody can have written to it unnoticed.

use std::time::Duration;

/// The time between two looks. A file is read at the second look that finds it the same.
pub(super) const LOOK_INTERVAL: Duration = Duration::from_millis(80);

/// How long a file must hold still before it is reported that it can't run: a program that is writing it may pause for
/// longer than the time between two looks.
pub(super) const QUIET_TIME: Duration = Duration::from_millis(500);

/// How long after a file was seen to change another write may hide behind the same times: file systems keep
/// them to two seconds at worst.
pub(super) const COARSEST_TIME: Duration = Duration::from_secs(2);
