//! Which processors who may use: a server one, and everything else the others.

use std::process::{Child, Command};

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// Keeps the calling thread, and what it starts, off the servers' core until dropped. With one processor,
/// everybody uses that.
pub(crate) struct Cores {
    all: CpuSet,
    server: CpuSet,
    others: CpuSet,
}

impl Cores {
    pub(crate) fn divide() -> Self {
        let all = sched_getaffinity(None).unwrap();
        let mut cores = (0..CpuSet::MAX_CPU).filter(|&core| all.is_set(core));
        let only = |cores: &mut dyn Iterator<Item = usize>| {
            let mut set = CpuSet::new();
            cores.for_each(|core| set.set(core));
            set
        };
        let server = only(&mut cores.by_ref().take(1));
        let others = only(&mut cores);
        let others = if others.count() == 0 { all } else { others };
        sched_setaffinity(None, &others).unwrap();
        Self { all, server, others }
    }

    /// Starts a server on its core.
    pub(crate) fn spawn(&self, command: &mut Command) -> Child {
        sched_setaffinity(None, &self.server).unwrap();
        let child = command.spawn().unwrap();
        sched_setaffinity(None, &self.others).unwrap();
        child
    }
}

impl Drop for Cores {
    fn drop(&mut self) {
        let _ = sched_setaffinity(None, &self.all);
    }
}
