//! Answers that are good for some time: no more than there is room for, each until its time.

use std::{
    borrow::Borrow,
    collections::HashMap,
    hash::Hash,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

/// Answers by question. Whoever asks meanwhile asks, too: nobody waits for another's answer.
#[derive(Debug)]
pub struct Remembered<K, V> {
    answers: Mutex<HashMap<K, (V, Instant)>>,
    /// How many answers are remembered.
    most: usize,
}

impl<K: Eq + Hash, V: Clone> Remembered<K, V> {
    /// While there are as many as `most`, none of which is too old, no other is remembered.
    pub fn at_most(most: usize) -> Self {
        Self { answers: Mutex::default(), most }
    }

    /// The answer, if there is one that is still good.
    pub fn get<Q: Eq + Hash + ?Sized>(&self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        self.get_at(key, Instant::now())
    }

    pub fn put(&self, key: K, value: V, lifetime: Duration) {
        self.put_at(key, value, lifetime, Instant::now());
    }

    pub fn forget<Q: Eq + Hash + ?Sized>(&self, key: &Q)
    where
        K: Borrow<Q>,
    {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner).remove(key);
    }

    fn get_at<Q: Eq + Hash + ?Sized>(&self, key: &Q, now: Instant) -> Option<V>
    where
        K: Borrow<Q>,
    {
        let answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        let (value, until) = answers.get(key)?;
        (now < *until).then(|| value.clone())
    }

    fn put_at(&self, key: K, value: V, lifetime: Duration, now: Instant) {
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        if answers.len() >= self.most {
            answers.retain(|_, (_, until)| now < *until);
        }
        if answers.len() < self.most {
            answers.insert(key, (value, now + lifetime));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIFETIME: Duration = Duration::from_secs(60);
    const MOST: usize = 3;

    #[test]
    fn an_answer_is_good_until_its_time() {
        let (remembered, now) = (Remembered::<String, _>::at_most(MOST), Instant::now());
        remembered.put_at("A".to_owned(), 1, LIFETIME, now);
        let last_moment = now + LIFETIME - Duration::from_secs(1);
        assert_eq!(
            (remembered.get_at("A", last_moment), remembered.get_at("B", last_moment)),
            (Some(1), None)
        );
        assert_eq!(remembered.get_at("A", now + LIFETIME), None);
        remembered.forget("A");
        assert_eq!(remembered.get_at("A", last_moment), None);
    }

    #[test]
    fn no_more_answers_are_kept_than_there_is_room_for() {
        let (remembered, now) = (Remembered::at_most(MOST), Instant::now());
        for number in 0..=MOST {
            remembered.put_at(number, number, LIFETIME, now);
        }
        assert_eq!((remembered.get_at(&0, now), remembered.get_at(&MOST, now)), (Some(0), None));
        remembered.put_at(9, 9, LIFETIME, now + LIFETIME);
        assert_eq!(remembered.get_at(&9, now + LIFETIME), Some(9));
        assert_eq!(remembered.answers.lock().unwrap_or_else(PoisonError::into_inner).len(), 1);
    }
}
