//! Answers that are good for some time: no more than there is room for, each until its time.

use std::{
    borrow::Borrow,
    collections::HashMap,
    hash::Hash,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

/// Answers by question. Those who ask meanwhile ask, too: nobody waits for another's answer.
#[derive(Debug)]
pub struct Remembered<K, V> {
    answers: Mutex<HashMap<K, (V, Instant)>>,
    /// What is being asked.
    asked: Mutex<HashMap<K, Asked>>,
    /// How many answers are remembered.
    most: usize,
}

/// How often one thing is being asked at this moment, and how often it was forgotten meanwhile.
#[derive(Debug, Default)]
struct Asked {
    questions: usize,
    forgotten: u64,
}

/// A question under way. What is forgotten before its answer comes is forgotten with that answer.
#[derive(Debug)]
pub struct Question<'a, K: Eq + Hash, V> {
    remembered: &'a Remembered<K, V>,
    key: K,
    /// How often the key had been forgotten when this was asked.
    forgotten: u64,
}

impl<K: Eq + Hash + Clone, V: Clone> Remembered<K, V> {
    /// Begins a question. Call this before the request is sent.
    pub fn ask(&self, key: K) -> Question<'_, K, V> {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        let of_key = asked.entry(key.clone()).or_default();
        of_key.questions += 1;
        Question { remembered: self, key, forgotten: of_key.forgotten }
    }
}

impl<K: Eq + Hash + Clone, V: Clone> Question<'_, K, V> {
    /// Remembers the answer. False if it was forgotten before it came: things may have changed since it was given.
    pub fn answered(self, value: V, lifetime: Duration) -> bool {
        // Held until the answer is in: nothing is forgotten in between.
        let asked = self.remembered.asked.lock().unwrap_or_else(PoisonError::into_inner);
        let is_good = asked.get(&self.key).is_some_and(|asked| asked.forgotten == self.forgotten);
        if is_good {
            self.remembered.put(self.key.clone(), value, lifetime);
        }
        drop(asked);
        is_good
    }
}

impl<K: Eq + Hash, V> Drop for Question<'_, K, V> {
    fn drop(&mut self) {
        let mut asked = self.remembered.asked.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(of_key) = asked.get_mut(&self.key) {
            of_key.questions -= 1;
            if of_key.questions == 0 {
                asked.remove(&self.key);
            }
        }
    }
}

impl<K: Eq + Hash, V: Clone> Remembered<K, V> {
    /// While there are as many as `most`, none of which is too old, no other is remembered.
    pub fn at_most(most: usize) -> Self {
        Self { answers: Mutex::default(), asked: Mutex::default(), most }
    }

    /// The answer, if there is one that is still good.
    pub fn get<Q: Eq + Hash + ?Sized>(&self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        self.get_at(key, Instant::now())
    }

    /// For what is never forgotten before its time. Otherwise [`Remembered::ask`] first.
    pub fn put(&self, key: K, value: V, lifetime: Duration) {
        self.put_at(key, value, lifetime, Instant::now());
    }

    /// Forgets an answer, and those that are being asked for at this moment.
    pub fn forget<Q: Eq + Hash + ?Sized>(&self, key: &Q)
    where
        K: Borrow<Q>,
    {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(of_key) = asked.get_mut(key) {
            of_key.forgotten += 1;
        }
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
    fn an_answer_that_was_forgotten_before_it_came_is_not_remembered() {
        let remembered = Remembered::<String, _>::at_most(MOST);
        let (before, other) = (remembered.ask("A".to_owned()), remembered.ask("B".to_owned()));
        remembered.forget("A");
        let after = remembered.ask("A".to_owned());
        assert!(after.answered(2, LIFETIME) && other.answered(3, LIFETIME));
        assert!(!before.answered(1, LIFETIME));
        assert_eq!((remembered.get("A"), remembered.get("B")), (Some(2), Some(3)));
        // Nor is anything kept of questions that are over.
        drop(remembered.ask("C".to_owned()));
        assert!(remembered.asked.lock().unwrap_or_else(PoisonError::into_inner).is_empty());
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
