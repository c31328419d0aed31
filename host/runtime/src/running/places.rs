//! Places in the instance pool: who may run now, and who waits.
//!
//! A plugin takes another place only while more places are free than it holds. So a plugin that keeps its
//! places for long gets half of them, and leaves the other half.

use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicUsize, Ordering},
};

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

/// The places of all plugins.
pub(crate) struct Places {
    free: Mutex<usize>,
    freed: Notify,
}

impl Places {
    pub(crate) fn new(places: usize) -> Arc<Self> {
        Arc::new(Self { free: Mutex::new(places), freed: Notify::new() })
    }

    /// The places that one plugin may take, at most `concurrency` at once.
    pub(crate) fn share(self: &Arc<Self>, concurrency: usize) -> Arc<Share> {
        let own = Arc::new(Semaphore::new(concurrency));
        Arc::new(Share { all: Arc::clone(self), own, held: AtomicUsize::new(0) })
    }

    fn free(&self) -> MutexGuard<'_, usize> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The places of one version of a plugin.
pub(crate) struct Share {
    all: Arc<Places>,
    own: Arc<Semaphore>,
    /// Changes only while `all.free` is locked.
    held: AtomicUsize,
}

impl Share {
    /// Waits for a place: first come, first served within a plugin, in no particular order among plugins.
    pub(crate) async fn take(self: &Arc<Self>) -> PoolPlace {
        // Nobody closes this semaphore. The plugin's own limit comes first: a plugin that has reached it must
        // not fill the queue for places.
        let own = Arc::clone(&self.own).acquire_owned().await.ok();
        loop {
            let freed = self.all.freed.notified();
            if self.try_take() {
                return PoolPlace { share: Arc::clone(self), _own: own };
            }
            freed.await;
        }
    }

    /// The same places for one plugin, at most `concurrency` at once.
    pub(super) fn of_other_size(&self, concurrency: usize) -> Arc<Self> {
        self.all.share(concurrency)
    }

    fn try_take(&self) -> bool {
        let mut free = self.all.free();
        let takes = *free > self.held.load(Ordering::Relaxed);
        if takes {
            *free -= 1;
            self.held.fetch_add(1, Ordering::Relaxed);
        }
        takes
    }
}

/// A place that is held until dropped.
pub(crate) struct PoolPlace {
    share: Arc<Share>,
    _own: Option<OwnedSemaphorePermit>,
}

impl Drop for PoolPlace {
    fn drop(&mut self) {
        let all = &self.share.all;
        {
            let mut free = all.free();
            *free += 1;
            self.share.held.fetch_sub(1, Ordering::Relaxed);
        }
        all.freed.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use futures_util::FutureExt as _;
    use tokio::time::timeout;

    use super::*;

    /// Longer than anything here takes.
    const PATIENCE: Duration = Duration::from_secs(20);

    fn take_all(share: &Arc<Share>) -> Vec<PoolPlace> {
        std::iter::from_fn(|| share.take().now_or_never()).collect()
    }

    #[tokio::test]
    async fn plugins_that_keep_their_places_leave_half_to_the_others() {
        let places = Places::new(64);
        let shares: Vec<_> = (0..4).map(|_| places.share(64)).collect();
        let held: Vec<_> = shares.iter().map(take_all).collect();
        let counts: Vec<_> = held.iter().map(Vec::len).collect();
        assert_eq!(counts, [32, 16, 8, 4]);
        drop(held);
        assert_eq!(take_all(&places.share(5)).len(), 5, "what was given back can be had");
    }

    #[tokio::test]
    async fn a_place_given_back_goes_to_who_waits() {
        let places = Places::new(2);
        let (share, other) = (places.share(2), places.share(2));
        let (held, others) = (share.take().await, other.take().await);
        let waiting = async { drop(share.take().await) };
        let giving_back = async {
            tokio::task::yield_now().await;
            drop(others);
            tokio::task::yield_now().await;
            drop(held);
        };
        timeout(PATIENCE, async { tokio::join!(waiting, giving_back) }).await.expect("it waits on");
    }

    #[tokio::test]
    async fn a_plugin_has_no_more_places_at_once_than_it_may_and_each_given_back_is_free() {
        let places = Places::new(64);
        let (share, other) = (places.share(3), places.share(3));
        for _ in 0..100 {
            let held = take_all(&share);
            assert_eq!((held.len(), take_all(&other).len()), (3, 3));
            drop(held);
            // A plugin that takes many in a row has to wait.
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn all_who_wait_have_their_turn() {
        let share = Places::new(2).share(64);
        let turns = (0..50).map(|_| async {
            let place = share.take().await;
            tokio::task::yield_now().await;
            drop(place);
        });
        let all = futures_util::future::join_all(turns);
        timeout(PATIENCE, all).await.expect("somebody waits on");
    }
}
