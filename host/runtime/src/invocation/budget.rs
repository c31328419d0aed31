//! What is left of each limit of an invocation.

use std::{sync::Arc, time::Duration};

use tokio::time::Instant;
use wasmtime::ResourceLimiter;

use crate::{
    invocation::memory_shares::{Lease, Shortage},
    policy::limits::{
        Limits, MAX_CORE_INSTANCES, MAX_MEMORIES, MAX_TABLE_ELEMENTS, MAX_TABLES, TABLE_ELEMENT_BYTES,
    },
};
use maro_texts as texts;

/// Why the host stopped a guest. Travels through wasmtime as the cause of a trap.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum LimitReached {
    #[error("{}", texts::plugins::faults::over_cpu_limit(*.cpu_ms))]
    Cpu { cpu_ms: u32 },
    #[error("{}", texts::plugins::faults::over_memory_limit(*.memory_mib))]
    Memory { memory_mib: u32 },
    #[error("{}", texts::plugins::faults::OVER_TABLE_LIMIT)]
    Table,
    #[error("{}", texts::plugins::faults::over_call_limit(*.host_calls))]
    HostCalls { host_calls: u32 },
    /// It has as much memory as one plugin can have here, whatever its own limit is.
    #[error("{}", texts::plugins::faults::over_memory_share(*.mib))]
    Share { mib: usize },
    /// Others have the memory. `has_acted`: whether it has called the host by then.
    #[error("{}", texts::plugins::faults::NO_FREE_MEMORY)]
    Crowded { has_acted: bool },
}

impl LimitReached {
    /// A word for which limit it is.
    pub(crate) fn kind(self) -> &'static str {
        match self {
            Self::Cpu { .. } => "cpu",
            Self::Memory { .. } => "memory",
            Self::Table => "table",
            Self::HostCalls { .. } => "calls",
            Self::Share { .. } => "memory",
            Self::Crowded { .. } => "busy",
        }
    }
}

/// What an invocation has used so far.
#[derive(Debug)]
pub(crate) struct Budget {
    pub(crate) limits: Limits,
    host_calls: u32,
    log_lines: u32,
    /// How often the guest has asked for a new issue.
    creations: u32,
    http_requests: u32,
    memory_bytes: usize,
    /// What it has of the memory of all plugins.
    lease: Option<Arc<Lease>>,
    began_at: Instant,
    jira_deadline: Option<Instant>,
    /// Time spent in capabilities.
    pub(crate) host_time: Duration,
}

impl Budget {
    pub(super) fn new(limits: Limits) -> Self {
        Self {
            limits,
            host_calls: 0,
            log_lines: 0,
            creations: 0,
            http_requests: 0,
            memory_bytes: 0,
            lease: None,
            began_at: Instant::now(),
            jira_deadline: None,
            host_time: Duration::ZERO,
        }
    }

    /// From now on, memory is taken from this.
    pub(crate) fn borrow_from(&mut self, lease: Arc<Lease>) {
        self.lease = Some(lease);
    }

    /// Takes bytes of the memory of all plugins.
    fn take_memory(&self, bytes: usize) -> Result<(), LimitReached> {
        let Some(lease) = &self.lease else { return Ok(()) };
        lease.grow(bytes).map_err(|shortage| match shortage {
            Shortage::OwnShare { bytes } => LimitReached::Share { mib: bytes >> 20 },
            Shortage::Others => LimitReached::Crowded { has_acted: self.host_calls > 0 },
        })
    }

    /// Counts a capability call.
    ///
    /// # Errors
    /// [`LimitReached::HostCalls`] once there were too many.
    pub(crate) fn count_host_call(&mut self) -> wasmtime::Result<()> {
        self.host_calls += 1;
        let host_calls = self.limits.host_calls;
        if self.host_calls > host_calls { Err(LimitReached::HostCalls { host_calls }.into()) } else { Ok(()) }
    }

    /// Counts a line of the log. Returns whether to write it.
    pub(crate) fn takes_log_line(&mut self) -> bool {
        self.log_lines += 1;
        self.log_lines <= self.limits.log_lines
    }

    pub(super) fn dropped_log_lines(&self) -> u32 {
        self.log_lines.saturating_sub(self.limits.log_lines)
    }

    /// Counts a new issue. Returns whether there were at most `most`.
    pub(crate) fn takes_creation(&mut self, most: u32) -> bool {
        self.creations += 1;
        self.creations <= most
    }

    /// Counts a request. Returns whether there were at most `most`.
    pub(crate) fn takes_http_request(&mut self, most: u32) -> bool {
        self.http_requests += 1;
        self.http_requests <= most
    }

    /// As [`Budget::jira_deadline`], but early enough for the guest to say that Jira doesn't answer. So Jira's
    /// fault isn't taken for the guest's.
    pub(crate) fn jira_read_deadline(&mut self, patience: Duration) -> Instant {
        self.jira_deadline(patience).min(self.began_at + self.limits.wall() / 4 * 3)
    }

    /// When the invocation has waited long enough for Jira. The first call starts the time.
    pub(crate) fn jira_deadline(&mut self, patience: Duration) -> Instant {
        *self.jira_deadline.get_or_insert_with(|| Instant::now() + patience)
    }
}

impl ResourceLimiter for Budget {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        // The limit is on all memories of the invocation together.
        let more = desired.saturating_sub(current);
        self.memory_bytes += more;
        if self.memory_bytes > self.limits.memory_bytes() {
            return Err(LimitReached::Memory { memory_mib: self.limits.memory_mib }.into());
        }
        self.take_memory(more)?;
        Ok(true)
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        if desired > MAX_TABLE_ELEMENTS {
            return Err(LimitReached::Table.into());
        }
        self.take_memory(desired.saturating_sub(current) * TABLE_ELEMENT_BYTES)?;
        Ok(true)
    }

    fn instances(&self) -> usize {
        MAX_CORE_INSTANCES as usize
    }

    fn tables(&self) -> usize {
        MAX_TABLES as usize
    }

    fn memories(&self) -> usize {
        MAX_MEMORIES as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: usize = 1024 * 1024;

    #[test]
    fn all_memories_together_are_limited() {
        let limited = || Budget::new(Limits { memory_mib: 8, ..Limits::default() });
        let mut budget = limited();
        let mut grow = |from: usize, to: usize| budget.memory_growing(from * MIB, to * MIB, None);
        // One memory, and a second one.
        assert!(grow(0, 3).is_ok() && grow(0, 2).is_ok() && grow(3, 5).is_ok() && grow(2, 3).is_ok());
        assert!(grow(5, 6).is_err(), "they have nine in all");
        let mut budget = limited();
        assert!(budget.memory_growing(0, 8 * MIB, None).is_ok());
        assert!(budget.memory_growing(8 * MIB, 8 * MIB + 1, None).is_err());
    }

    #[test]
    fn calls_are_counted_to_the_limit() {
        let mut budget = Budget::new(Limits { host_calls: 3, ..Limits::default() });
        let answers = [(); 5].map(|()| budget.count_host_call().is_ok());
        assert_eq!(answers, [true, true, true, false, false]);
    }

    #[test]
    fn lines_over_the_limit_are_dropped_and_counted() {
        let mut budget = Budget::new(Limits { log_lines: 2, ..Limits::default() });
        let written = [(); 4].map(|()| budget.takes_log_line());
        assert_eq!((written, budget.dropped_log_lines()), ([true, true, false, false], 2));
    }
}
