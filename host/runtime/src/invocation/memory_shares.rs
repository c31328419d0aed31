//! The memory of all plugins together: who has how much of it.
//!
//! A plugin takes more only if as much is free afterwards as it has then. So one that keeps what it takes gets half
//! of it, and leaves the other half.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{sync::Notify, time::timeout};

/// The largest part of it that compiling a component waits for: commands go on meanwhile.
const COMPILER_QUARTERS: usize = 3;

/// How long the compiler waits until that is free all at once. After that, it gathers what commands give back: those
/// that come one after the other may never leave so much.
const COMPILERS_PATIENCE: Duration = Duration::from_secs(10);

/// The part of all that it leaves to commands while it gathers.
const LEFT_TO_COMMANDS: usize = 8;

/// A number of bytes that plugins and the compiler share.
#[derive(Debug)]
pub(crate) struct PluginMemory {
    total: usize,
    free: Mutex<usize>,
    /// Held by the one compiler that gathers: two of them could have all of it between them, and neither enough.
    gathering: tokio::sync::Mutex<()>,
    /// Some of it was given back, or a place.
    pub(crate) freed: Notify,
}

impl PluginMemory {
    pub(crate) fn new(total: usize) -> Arc<Self> {
        Arc::new(Self {
            total,
            free: Mutex::new(total),
            gathering: tokio::sync::Mutex::default(),
            freed: Notify::new(),
        })
    }

    /// The most that one plugin can have.
    pub(crate) fn share(&self) -> usize {
        self.total / 2
    }

    pub(crate) fn account(self: &Arc<Self>) -> Arc<Account> {
        Arc::new(Account { memory: Arc::clone(self), held: AtomicUsize::new(0) })
    }

    /// Waits for the memory to compile something, or for most of all there is.
    pub(crate) async fn lend_to_compiler(self: &Arc<Self>, bytes: usize) -> Lease {
        self.lend_patiently(bytes, COMPILERS_PATIENCE).await
    }

    async fn lend_patiently(self: &Arc<Self>, bytes: usize, patience: Duration) -> Lease {
        let bytes = bytes.min(self.total / 4 * COMPILER_QUARTERS);
        let account = self.account();
        let all_at_once = async {
            loop {
                let freed = self.freed.notified();
                if account.take(bytes, |free, _| free >= bytes) {
                    return account.lease(bytes);
                }
                freed.await;
            }
        };
        match timeout(patience, all_at_once).await {
            Ok(lease) => lease,
            Err(_) => self.gather(&account, bytes).await,
        }
    }

    async fn gather(&self, account: &Arc<Account>, bytes: usize) -> Lease {
        let _alone = self.gathering.lock().await;
        let mut lease = account.lease(0);
        loop {
            let freed = self.freed.notified();
            let gathered = lease.reserved.get_mut();
            *gathered += account.take_some(bytes - *gathered, self.total / LEFT_TO_COMMANDS);
            if *gathered == bytes {
                return lease;
            }
            freed.await;
        }
    }

    fn free(&self) -> MutexGuard<'_, usize> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What one plugin has of it.
#[derive(Debug)]
pub(crate) struct Account {
    memory: Arc<PluginMemory>,
    /// Changes only while `memory.free` is locked.
    held: AtomicUsize,
}

impl Account {
    /// Takes memory for an invocation. `None` if there isn't enough at the moment.
    pub(crate) fn lend(self: &Arc<Self>, bytes: usize) -> Option<Lease> {
        self.take_share(bytes).then(|| self.lease(bytes))
    }

    fn lease(self: &Arc<Self>, bytes: usize) -> Lease {
        let (reserved, used) = (AtomicUsize::new(bytes), AtomicUsize::new(0));
        Lease { account: Arc::clone(self), reserved, used }
    }

    fn take_share(&self, bytes: usize) -> bool {
        self.take(bytes, |free, held| {
            free.checked_sub(bytes).is_some_and(|rest| rest >= held.saturating_add(bytes))
        })
    }

    /// Takes `most` bytes, or as many of them as leave `rest` free.
    fn take_some(&self, most: usize, rest: usize) -> usize {
        let mut free = self.memory.free();
        let bytes = free.saturating_sub(rest).min(most);
        *free -= bytes;
        self.held.fetch_add(bytes, Ordering::Relaxed);
        bytes
    }

    fn take(&self, bytes: usize, may: impl FnOnce(usize, usize) -> bool) -> bool {
        let mut free = self.memory.free();
        let takes = may(*free, self.held.load(Ordering::Relaxed));
        if takes {
            *free -= bytes;
            self.held.fetch_add(bytes, Ordering::Relaxed);
        }
        takes
    }
}

/// Why there is no more memory for an invocation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shortage {
    /// It has as much as one plugin can have.
    OwnShare { bytes: usize },
    /// Others have it.
    Others,
}

/// The memory of one invocation. It is given back when this is dropped.
#[derive(Debug)]
pub(crate) struct Lease {
    account: Arc<Account>,
    reserved: AtomicUsize,
    used: AtomicUsize,
}

impl Lease {
    /// Uses more of what is reserved, and reserves more if that isn't enough.
    pub(crate) fn grow(&self, bytes: usize) -> Result<(), Shortage> {
        let used = self.used.load(Ordering::Relaxed).saturating_add(bytes);
        let missing = used.saturating_sub(self.reserved.load(Ordering::Relaxed));
        if missing > 0 && !self.account.take_share(missing) {
            let share = self.account.memory.share();
            return Err(if used > share { Shortage::OwnShare { bytes: share } } else { Shortage::Others });
        }
        self.reserved.fetch_add(missing, Ordering::Relaxed);
        self.used.store(used, Ordering::Relaxed);
        Ok(())
    }

    /// How much it has used at most.
    pub(crate) fn used(&self) -> usize {
        self.used.load(Ordering::Relaxed)
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let memory = &self.account.memory;
        {
            let mut free = memory.free();
            let reserved = *self.reserved.get_mut();
            *free += reserved;
            self.account.held.fetch_sub(reserved, Ordering::Relaxed);
        }
        memory.freed.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use futures_util::FutureExt as _;

    use super::*;

    #[test]
    fn plugins_that_keep_what_they_take_leave_half_to_the_others() {
        let memory = PluginMemory::new(1_024);
        let leases: Vec<_> = (0..4).map(|_| memory.account().lend(0).unwrap()).collect();
        let taken: Vec<_> =
            leases.iter().map(|lease| (0..).take_while(|_| lease.grow(1).is_ok()).count()).collect();
        assert_eq!(taken, [512, 256, 128, 64]);
        assert_eq!(leases[0].grow(1), Err(Shortage::OwnShare { bytes: 512 }));
        assert_eq!(leases[1].grow(1), Err(Shortage::Others));
        drop(leases);
        assert!(memory.account().lend(512).is_some(), "what was given back can be had");
    }

    #[test]
    fn what_is_reserved_is_there_when_it_is_used() {
        let memory = PluginMemory::new(100);
        let (account, other) = (memory.account(), memory.account());
        let lease = account.lend(40).unwrap();
        assert!(account.lend(40).is_none(), "it has 40 of 60 that are left");
        let others = other.lend(30).unwrap();
        assert_eq!((lease.grow(40), lease.grow(1)), (Ok(()), Err(Shortage::Others)));
        assert_eq!((lease.used(), others.used()), (40, 0));
    }

    #[tokio::test]
    async fn commands_that_come_one_after_the_other_do_not_keep_compilers_waiting() {
        let memory = PluginMemory::new(100);
        let account = memory.account();
        let mut running: VecDeque<_> = (0..2).map(|_| account.lend(15)).collect();
        let commands = async {
            loop {
                tokio::task::yield_now().await;
                running.pop_front();
                running.push_back(account.lend(15));
            }
        };
        let patience = Duration::from_millis(20);
        let compile = || async { drop(memory.lend_patiently(1_000, patience).await) };
        let compilers = timeout(Duration::from_secs(60), async { tokio::join!(compile(), compile()) });
        tokio::select! {
            () = commands => {}
            compiled = compilers => assert!(compiled.is_ok(), "they wait on"),
        }
    }

    #[tokio::test]
    async fn the_compiler_waits_for_most_of_it_and_takes_no_more() {
        let memory = PluginMemory::new(100);
        let lease = memory.account().lend(50).unwrap();
        let mut compiling = Box::pin(memory.lend_to_compiler(1_000));
        assert!(compiling.as_mut().now_or_never().is_none());
        drop(lease);
        let compiler = compiling.now_or_never().expect("it waits on");
        assert!(memory.account().lend(13).is_none());
        assert!(memory.account().lend(12).is_some());
        drop(compiler);
        assert!(memory.account().lend(50).is_some());
    }
}
