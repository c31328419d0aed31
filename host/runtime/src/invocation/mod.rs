//! The state behind one invocation: who called and what is allowed, what is left of each limit, its WASI.

pub(crate) mod authority;
pub(crate) mod budget;
pub mod caller_ids;
pub(crate) mod changes_begun;
pub(crate) mod memory_shares;
mod printed;
pub(crate) mod search_cursor;
pub mod services;
mod wasi;

use std::{sync::Arc, time::Instant};

use jiff::Timestamp;
use wasmtime_wasi::{WasiCtxView, WasiView};

use crate::{
    invocation::{
        authority::{Authority, Origin},
        budget::Budget,
        changes_begun::ChangesBegun,
        search_cursor::OpenSearch,
        services::HostServices,
        wasi::Wasi,
    },
    policy::manifest::Manifest,
    recording::tape::Tape,
};
use maro_domain::{caller::Caller, ids::Incident, issue::Issue, tracked::TrackedPage};

/// The state of one invocation; wasmtime's store owns it.
pub(crate) struct Invocation {
    pub(crate) authority: Authority,
    pub(crate) budget: Budget,
    /// What Jira confirmed during this invocation: the only issues that can be tracked.
    pub(crate) confirmed: Vec<Issue>,
    /// The search that the guest may go on with.
    pub(crate) open_search: Option<OpenSearch>,
    /// If Jira doesn't answer: how old the oldest status is that it was given of the lists, and when it was.
    pub(crate) statuses_as_of: Option<(Timestamp, Timestamp)>,
    /// Whether Jira didn't say what is assigned to the person, of whose issues a part of the list was read.
    pub(crate) lacks_assigned: bool,
    /// What the last change of the list has read of it.
    pub(crate) list_just_read: Option<TrackedPage>,
    /// Whether it has begun to change something.
    pub(crate) changes: ChangesBegun,
    /// The tape that records calls or answers them, if any.
    pub(crate) tape: Option<Arc<Tape>>,
    wasi: Wasi,
}

impl Invocation {
    /// The state for `describe`, which has no caller and no capabilities.
    pub(crate) fn for_describe(plugin: Arc<str>, origin: Arc<Origin>, manifest: Arc<Manifest>) -> Self {
        Self {
            budget: Budget::new(manifest.limits),
            authority: Authority::of_nobody(plugin, origin, manifest),
            confirmed: Vec::new(),
            open_search: None,
            statuses_as_of: None,
            lacks_assigned: false,
            list_just_read: None,
            changes: ChangesBegun::default(),
            tape: None,
            wasi: Wasi::default(),
        }
    }

    /// The state for one command.
    pub(crate) fn for_command(
        plugin: Arc<str>,
        origin: Arc<Origin>,
        manifest: Arc<Manifest>,
        caller: Arc<Caller>,
        capabilities: Arc<HostServices>,
        incident: Incident,
    ) -> Self {
        let tape = capabilities.recorder.tape();
        let nobodys = Self::for_describe(plugin, origin, manifest);
        Self { authority: nobodys.authority.in_name_of(caller, capabilities, incident), tape, ..nobodys }
    }

    /// The state for playing a recorded command back: the tape answers, and the host is never asked.
    pub(crate) fn for_replay(
        plugin: Arc<str>,
        origin: Arc<Origin>,
        manifest: Arc<Manifest>,
        tape: Arc<Tape>,
    ) -> Self {
        Self { tape: Some(tape), ..Self::for_describe(plugin, origin, manifest) }
    }

    /// Runs a capability and adds the time it took to what the host has taken.
    pub(crate) async fn timed<T>(&mut self, work: impl Future<Output = T>) -> T {
        let started = Instant::now();
        let result = work.await;
        self.budget.host_time += started.elapsed();
        result
    }

    /// Tells the operator how many lines of the guest's log are missing.
    pub(crate) fn report_dropped_log_lines(&self) {
        let dropped = self.budget.dropped_log_lines();
        if dropped > 0 {
            tracing::warn!(plugin = &*self.authority.plugin, dropped, "dropped log lines over the limit");
        }
    }

    /// What the guest wrote to standard output and standard error: the message of a panic.
    pub(crate) fn printed(&self) -> String {
        self.wasi.printed()
    }
}

impl WasiView for Invocation {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        self.wasi.view(self.tape.as_ref())
    }
}
