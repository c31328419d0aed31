//! Answers shared by all who ask within a second: strangers may ask as often as they like, and each look at the
//! database costs the same as a command's.

use std::time::{Duration, Instant};

use tokio::sync::Mutex;

/// How long an answer holds.
const HOLDS: Duration = Duration::from_secs(1);

/// The latest answer, and when it was sought.
#[derive(Debug)]
pub(crate) struct OnceASecond<T>(Mutex<Option<(Instant, T)>>);

impl<T> Default for OnceASecond<T> {
    fn default() -> Self {
        Self(Mutex::new(None))
    }
}

impl<T: Copy> OnceASecond<T> {
    /// The answer of at most a second ago. Those who ask while it is sought wait for it.
    pub(crate) async fn get(&self, seek: impl Future<Output = T>) -> T {
        let mut latest = self.0.lock().await;
        if let Some((sought_at, answer)) = *latest
            && sought_at.elapsed() < HOLDS
        {
            return answer;
        }
        let answer = seek.await;
        *latest = Some((Instant::now(), answer));
        answer
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_answer_is_sought_once_however_many_ask() {
        let (answers, sought) = (OnceASecond::default(), std::cell::Cell::new(0));
        let seek = || async {
            sought.set(sought.get() + 1);
            tokio::task::yield_now().await;
            sought.get()
        };
        let all = tokio::join!(answers.get(seek()), answers.get(seek()), answers.get(seek()));
        assert_eq!((all, answers.get(seek()).await), ((1, 1, 1), 1));
    }
}
