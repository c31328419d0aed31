//! Answers that are good for some time.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

/// Answers, each until its time.
pub(crate) struct Remembered<K, V> {
    answers: Mutex<HashMap<K, (V, Instant)>>,
    /// How many answers are remembered.
    most: usize,
}

impl<K: Eq + Hash, V: Clone> Remembered<K, V> {
    pub(crate) fn at_most(most: usize) -> Self {
        Self { answers: Mutex::default(), most }
    }

    pub(crate) fn get(&self, key: &K) -> Option<V> {
        let answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        let (value, until) = answers.get(key)?;
        (Instant::now() < *until).then(|| value.clone())
    }

    pub(crate) fn forget(&self, key: &K) {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner).remove(key);
    }

    pub(crate) fn put(&self, key: K, value: V, lifetime: Duration) {
        let now = Instant::now();
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        if answers.len() >= self.most {
            answers.retain(|_, (_, until)| now < *until);
        }
        if answers.len() < self.most {
            answers.insert(key, (value, now + lifetime));
        }
    }
}
