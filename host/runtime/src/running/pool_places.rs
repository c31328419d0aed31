//! Places in the instance pool and memory: who may run now, and who waits.
//!
//! Each place reserves what the component really needs. A plugin takes another only while as much is free of
//! everything as it holds. So a plugin that keeps its places for long gets half of them, and leaves the other half.

use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicUsize, Ordering},
};

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};

use crate::{
    inspection::instance_size::Needs,
    invocation::memory_shares::{Account, Lease, PluginMemory},
    policy::limits::{MAX_INVOCATIONS, POOL_MEMORIES, POOL_TABLES, TURN_TIMEOUT},
};

/// What an invocation takes beside its memories and tables, in bytes: its stack, what wasmtime notes of each
/// instance, and texts on their way in and out.
const BASE_BYTES: usize = 1024 * 1024;

/// What of the instance pool is free, or held by a plugin.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Room {
    places: u32,
    memories: u32,
    tables: u32,
}

impl Room {
    fn of(needs: Needs) -> Self {
        Self { places: 1, memories: needs.memories, tables: needs.tables }
    }

    fn plus(self, other: Self) -> Self {
        Self {
            places: self.places + other.places,
            memories: self.memories + other.memories,
            tables: self.tables + other.tables,
        }
    }

    fn minus(self, other: Self) -> Option<Self> {
        Some(Self {
            places: self.places.checked_sub(other.places)?,
            memories: self.memories.checked_sub(other.memories)?,
            tables: self.tables.checked_sub(other.tables)?,
        })
    }

    /// Whether it leaves enough to others: as much of everything as a plugin has that held this before and takes
    /// that.
    fn leaves_enough(self, held: Self, taken: Self) -> bool {
        self.places >= held.places
            && (taken.memories == 0 || self.memories >= held.memories + taken.memories)
            && (taken.tables == 0 || self.tables >= held.tables + taken.tables)
    }
}

pub(crate) struct Places {
    free: Mutex<Room>,
    memory: Arc<PluginMemory>,
}

impl Places {
    /// All places of the pool, and the memory for what runs there.
    pub(crate) fn new(memory: Arc<PluginMemory>) -> Arc<Self> {
        let all = Room { places: MAX_INVOCATIONS as u32, memories: POOL_MEMORIES, tables: POOL_TABLES };
        Arc::new(Self { free: Mutex::new(all), memory })
    }

    /// The places that one plugin may take, at most `concurrency` at once.
    pub(crate) fn share(self: &Arc<Self>, concurrency: usize) -> Arc<Share> {
        self.share_of(concurrency, Some(0))
    }

    /// Places for many plugins, of which none says anything about the next.
    pub(crate) fn share_of_many(self: &Arc<Self>, concurrency: usize) -> Arc<Share> {
        self.share_of(concurrency, None)
    }

    /// Whether there is ever room for an invocation.
    ///
    /// # Errors
    /// How much memory it needs, and how much it can have, in MiB.
    pub(crate) fn check(&self, needs: Needs) -> Result<(), (u64, u64)> {
        let (least, share) = (least_bytes(needs), self.memory.share());
        let mib = |bytes: usize| (bytes as u64).div_ceil(1024 * 1024);
        if least > share { Err((mib(least), mib(share))) } else { Ok(()) }
    }

    fn share_of(self: &Arc<Self>, concurrency: usize, expected: Option<usize>) -> Arc<Share> {
        Arc::new(Share {
            all: Arc::clone(self),
            own: Arc::new(Semaphore::new(concurrency)),
            held: Mutex::default(),
            account: self.memory.account(),
            expected: expected.map(AtomicUsize::new),
        })
    }

    fn free(&self) -> MutexGuard<'_, Room> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The places of one version of a plugin.
pub(crate) struct Share {
    all: Arc<Places>,
    own: Arc<Semaphore>,
    /// Locked only while `all.free` is.
    held: Mutex<Room>,
    account: Arc<Account>,
    /// How much memory its invocations have used lately, in bytes: who comes next waits for as much, and isn't
    /// stopped half-way. `None` if that isn't kept.
    expected: Option<AtomicUsize>,
}

/// There was no place for too long: MARO is busy.
#[derive(Debug)]
pub(super) struct NoPlace;

impl Share {
    /// As [`Share::take`], for a person's command, which waits no longer than [`TURN_TIMEOUT`].
    pub(super) async fn take_in_time(self: &Arc<Self>, needs: Needs) -> Result<PoolPlace, NoPlace> {
        timeout(TURN_TIMEOUT, self.take(needs)).await.map_err(|_| NoPlace)
    }

    /// Waits for a place: first come, first served within a plugin, in no particular order among plugins.
    pub(crate) async fn take(self: &Arc<Self>, needs: Needs) -> PoolPlace {
        // Nobody closes this semaphore. The plugin's own limit comes first: a plugin that has reached it must
        // not fill the queue for places.
        let own = Arc::clone(&self.own).acquire_owned().await.ok();
        let room = Room::of(needs);
        loop {
            let freed = self.all.memory.freed.notified();
            if let Some(lease) = self.try_take(room, needs) {
                return PoolPlace { share: Arc::clone(self), room, lease: Arc::new(lease), _own: own };
            }
            freed.await;
        }
    }

    /// The same places for one plugin, at most `concurrency` at once.
    pub(super) fn of_other_size(&self, concurrency: usize) -> Arc<Self> {
        self.all
            .share_of(concurrency, self.expected.as_ref().map(|expected| expected.load(Ordering::Relaxed)))
    }

    fn try_take(&self, room: Room, needs: Needs) -> Option<Lease> {
        let mut free = self.all.free();
        let mut held = self.held();
        let rest = free.minus(room).filter(|rest| rest.leaves_enough(*held, room))?;
        // Alone, it gets as much as one plugin can have.
        let expected = self.expected.as_ref().map_or(0, |expected| expected.load(Ordering::Relaxed));
        let lease = self.account.lend(least_bytes(needs).max(expected.min(self.all.memory.share())))?;
        // The base is in use from the start.
        lease.grow(BASE_BYTES).ok()?;
        (*free, *held) = (rest, held.plus(room));
        Some(lease)
    }

    fn held(&self) -> MutexGuard<'_, Room> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Half of what was expected is forgotten with each invocation that needs less.
    fn learn(&self, used: usize) {
        if let Some(expected) = &self.expected {
            expected.store(used.max(expected.load(Ordering::Relaxed) / 2), Ordering::Relaxed);
        }
    }
}

/// What an invocation takes at least.
fn least_bytes(needs: Needs) -> usize {
    usize::try_from(needs.bytes).unwrap_or(usize::MAX).saturating_add(BASE_BYTES)
}

/// A place that is held until dropped, with memory for what runs there.
pub(crate) struct PoolPlace {
    share: Arc<Share>,
    room: Room,
    lease: Arc<Lease>,
    _own: Option<OwnedSemaphorePermit>,
}

impl PoolPlace {
    /// The memory for what runs here.
    pub(crate) fn lease(&self) -> Arc<Lease> {
        Arc::clone(&self.lease)
    }
}

impl Drop for PoolPlace {
    fn drop(&mut self) {
        let Self { share, room, lease, .. } = self;
        share.learn(lease.used());
        {
            let mut free = share.all.free();
            let mut held = share.held();
            *free = free.plus(*room);
            *held = held.minus(*room).unwrap_or_default();
        }
        share.all.memory.freed.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use futures_util::FutureExt as _;

    use super::*;

    /// Longer than anything here takes.
    const PATIENCE: Duration = Duration::from_secs(20);

    const MIB: usize = 1024 * 1024;

    /// More memory than anything here takes.
    fn places() -> Arc<Places> {
        Places::new(PluginMemory::new(1 << 40))
    }

    /// What a small plugin needs.
    const SMALL: Needs = Needs { core_instances: 3, memories: 1, tables: 2, bytes: 1 << 20 };

    fn take_all_of(share: &Arc<Share>, needs: Needs) -> Vec<PoolPlace> {
        std::iter::from_fn(|| share.take(needs).now_or_never()).collect()
    }

    fn take_all(share: &Arc<Share>) -> Vec<PoolPlace> {
        take_all_of(share, SMALL)
    }

    #[tokio::test]
    async fn plugins_that_keep_their_places_leave_half_to_the_others() {
        let places = places();
        let shares: Vec<_> = (0..4).map(|_| places.share(64)).collect();
        let held: Vec<_> = shares.iter().map(take_all).collect();
        let counts: Vec<_> = held.iter().map(Vec::len).collect();
        assert_eq!(counts, [32, 16, 8, 4]);
        drop(held);
        assert_eq!(take_all(&places.share(5)).len(), 5, "what was given back can be had");
    }

    #[tokio::test]
    async fn a_place_reserves_what_its_component_needs() {
        let places = places();
        let four_memories = Needs { memories: 4, ..SMALL };
        let hog = take_all_of(&places.share(64), four_memories);
        assert_eq!(hog.len(), 16, "half of 128 memories");
        let many_tables = Needs { tables: 32, ..SMALL };
        let second = take_all_of(&places.share(64), many_tables);
        assert_eq!(second.len(), 7, "half of the 480 tables that are left");
        // Those who need little find a place anyway, and what is free is never less than nothing.
        let third = take_all(&places.share(64));
        assert_eq!(third.len(), 21, "half of the places that are left");
        let without_any = Needs { memories: 0, tables: 0, ..SMALL };
        assert_eq!(take_all_of(&places.share(64), without_any).len(), 10);
    }

    #[tokio::test]
    async fn who_comes_next_waits_for_as_much_memory_as_the_last_one_used() {
        let places = Places::new(PluginMemory::new(64 * MIB));
        let share = places.share(64);
        let place = share.take(SMALL).await;
        place.lease().grow(15 * MIB).unwrap();
        drop(place);
        assert_eq!(take_all(&share).len(), 2, "of 16 MiB each, and half of all is for others");
        for _ in 0..8 {
            drop(share.take(SMALL).await);
        }
        assert_eq!(take_all(&share).len(), 16, "of 2 MiB each");
    }

    #[tokio::test]
    async fn a_place_given_back_goes_to_who_waits() {
        let places = places();
        let (share, other) = (places.share(2), places.share(64));
        let others = take_all(&other);
        let mut more: Vec<_> = (0..6).map(|_| take_all(&places.share(64))).collect();
        let waiting = async { drop(share.take(SMALL).await) };
        let giving_back = async {
            tokio::task::yield_now().await;
            more.pop();
            tokio::task::yield_now().await;
            drop(others);
        };
        timeout(PATIENCE, async { tokio::join!(waiting, giving_back) }).await.expect("it waits on");
    }

    #[tokio::test]
    async fn a_plugin_has_no_more_places_at_once_than_it_may_and_each_given_back_is_free() {
        let places = places();
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
        let share = places().share(2);
        let turns = (0..50).map(|_| async {
            let place = share.take(SMALL).await;
            tokio::task::yield_now().await;
            drop(place);
        });
        let all = futures_util::future::join_all(turns);
        timeout(PATIENCE, all).await.expect("somebody waits on");
    }
}
