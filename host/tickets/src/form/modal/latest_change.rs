//! Which of several changes to one modal is the latest, so that an older one that takes longer doesn't undo it.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

/// How many modals are remembered. People have few open at once.
const MAX_MODALS: usize = 1_000;

/// The latest change to each modal.
#[derive(Debug, Default)]
pub(crate) struct Latest(Mutex<HashMap<String, u64>>);

/// A change to a modal.
#[derive(Debug)]
pub(crate) struct Change {
    view_id: String,
    number: u64,
}

impl Latest {
    /// Notes a change that begins now.
    pub(crate) fn begin(&self, view_id: &str) -> Change {
        let mut numbers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let number = numbers.get(view_id).map_or(0, |number| number + 1);
        if numbers.len() >= MAX_MODALS && !numbers.contains_key(view_id) {
            numbers.clear();
        }
        numbers.insert(view_id.to_owned(), number);
        Change { view_id: view_id.to_owned(), number }
    }

    /// Whether no other change has begun since.
    pub(crate) fn is_latest(&self, change: &Change) -> bool {
        let numbers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        numbers.get(&change.view_id) == Some(&change.number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_latest_change_counts() {
        let latest = Latest::default();
        let (first, other) = (latest.begin("V1"), latest.begin("V2"));
        assert!(latest.is_latest(&first) && latest.is_latest(&other));
        let second = latest.begin("V1");
        assert!(!latest.is_latest(&first) && latest.is_latest(&second) && latest.is_latest(&other));
    }
}
