//! Who read the tables of switches and rollbacks last. Commands and a loop read them at the same time, and what was
//! read earlier must not undo what was read later.

use std::sync::{
    Mutex, MutexGuard, PoisonError,
    atomic::{AtomicU64, Ordering},
};

/// When a table was read, among all readings.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct TableReading(u64);

/// The readings of this replica.
#[derive(Default)]
pub(super) struct TableReadings {
    begun: AtomicU64,
    pub(super) switches: LatestReading,
    pub(super) roll_backs: LatestReading,
}

impl TableReadings {
    pub(super) fn begin(&self) -> TableReading {
        TableReading(self.begun.fetch_add(1, Ordering::Relaxed) + 1)
    }
}

/// The latest reading of one table that was taken.
#[derive(Default)]
pub(super) struct LatestReading(Mutex<TableReading>);

impl LatestReading {
    /// Takes a reading, unless a later one was taken. What is returned is held until what was read is set.
    pub(super) fn take(&self, reading: TableReading) -> Option<MutexGuard<'_, TableReading>> {
        let mut latest = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if reading < *latest {
            return None;
        }
        *latest = reading;
        Some(latest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_read_earlier_is_not_taken_after_what_was_read_later() {
        let readings = TableReadings::default();
        let (earlier, later) = (readings.begin(), readings.begin());
        assert!(readings.switches.take(later).is_some());
        assert!(readings.switches.take(earlier).is_none());
        assert!(readings.roll_backs.take(earlier).is_some(), "another table");
        assert!(readings.roll_backs.take(later).is_some());
    }
}
