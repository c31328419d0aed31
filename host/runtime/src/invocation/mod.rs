//! The state behind one invocation: who called, what is allowed, and what is left of each limit.

mod printed;
pub mod services;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use wasmtime::{ResourceLimiter, component::ResourceTable};
use wasmtime_wasi::{HostWallClock, WasiCtx, WasiCtxView, WasiView};

use crate::{
    invocation::{printed::Printed, services::Capabilities},
    policy::{
        grants::{Denial, Grant},
        limits::{Limits, MAX_CORE_INSTANCES, MAX_MEMORIES, MAX_TABLE_ELEMENTS, MAX_TABLES},
        manifest::Manifest,
    },
    recording::tape::Tape,
};
use maro_domain::{caller::Caller, ids::Incident, issue::Issue};
use maro_process::clock::Clock;
use maro_tickets::texts;

/// Bytes of randomness that a guest may take in one call.
const MAX_RANDOM_BYTES: u64 = 64 * 1024;

/// Which file a plugin came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// SHA-256 of the component, in hexadecimal.
    pub digest: String,
    /// The name of the `NAME.toml` that speaks for it.
    pub manifest_file: String,
}

/// Why the host stopped a guest. Travels through wasmtime as the cause of a trap.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum LimitReached {
    #[error("{}", texts::faults::over_cpu_limit(*.cpu_ms))]
    Cpu { cpu_ms: u32 },
    #[error("{}", texts::faults::over_memory_limit(*.memory_mib))]
    Memory { memory_mib: u32 },
    #[error("{}", texts::faults::OVER_TABLE_LIMIT)]
    Table,
    #[error("{}", texts::faults::over_call_limit(*.host_calls))]
    HostCalls { host_calls: u32 },
}

/// The state of one invocation; wasmtime's store owns it.
pub(crate) struct Invocation {
    pub(crate) plugin: Arc<str>,
    pub(crate) origin: Arc<Origin>,
    pub(crate) caller: Option<Arc<Caller>>,
    pub(crate) incident: Option<Incident>,
    pub(crate) capabilities: Option<Arc<Capabilities>>,
    pub(crate) manifest: Arc<Manifest>,
    /// The latest denial that the operator was told of: a guest that insists must not fill the log.
    denied: Option<(Grant, Denial)>,
    limits: Limits,
    /// What Jira confirmed during this invocation: the only issues that can be tracked.
    pub(crate) confirmed: Vec<Issue>,
    pub(crate) jira_deadline: Option<tokio::time::Instant>,
    /// How often the guest has asked for a new issue.
    pub(crate) creations: u32,
    pub(crate) http_requests: u32,
    host_calls: u32,
    pub(crate) log_lines: u32,
    memory_bytes: usize,
    /// Time spent in capabilities.
    pub(crate) host_time: Duration,
    /// Where calls are written down or answered from, if anywhere.
    pub(crate) tape: Option<Arc<Tape>>,
    /// Made when the guest first uses WASI, which most never do.
    wasi: Option<Box<Wasi>>,
}

struct Wasi {
    context: WasiCtx,
    table: ResourceTable,
    /// Standard output and standard error, in the order written.
    printed: Printed,
    tape: Option<Arc<Tape>>,
}

impl Invocation {
    /// The state for `describe`, which has no caller and no capabilities.
    pub(crate) fn for_describe(plugin: Arc<str>, origin: Arc<Origin>, manifest: Arc<Manifest>) -> Self {
        Self {
            plugin,
            origin,
            caller: None,
            incident: None,
            capabilities: None,
            limits: manifest.limits,
            manifest,
            denied: None,
            confirmed: Vec::new(),
            jira_deadline: None,
            creations: 0,
            http_requests: 0,
            host_calls: 0,
            log_lines: 0,
            memory_bytes: 0,
            host_time: Duration::ZERO,
            tape: None,
            wasi: None,
        }
    }

    /// The state for one command.
    pub(crate) fn for_command(
        plugin: Arc<str>,
        origin: Arc<Origin>,
        manifest: Arc<Manifest>,
        caller: Arc<Caller>,
        capabilities: Arc<Capabilities>,
        incident: Incident,
    ) -> Self {
        Self {
            caller: Some(caller),
            incident: Some(incident),
            tape: capabilities.recorder.tape(),
            capabilities: Some(capabilities),
            ..Self::for_describe(plugin, origin, manifest)
        }
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

    pub(crate) fn limits(&self) -> &Limits {
        &self.limits
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

    /// The caller and the capabilities, if the operator granted `grant` for this caller. `describe` has
    /// neither.
    ///
    /// # Errors
    /// The sentence for the person; the operator has been told what to change.
    pub(crate) fn authorised(&mut self, grant: Grant) -> Result<(Arc<Caller>, Arc<Capabilities>), String> {
        match (&self.caller, &self.capabilities) {
            (Some(caller), Some(capabilities)) if self.manifest.allows(grant) => {
                // Nearly all plugins have no scopes at all.
                let scope = self.manifest.scope.get(&grant);
                match scope.map_or(Ok(()), |scope| scope.admits(caller, &capabilities.admins)) {
                    Ok(()) => Ok((Arc::clone(caller), Arc::clone(capabilities))),
                    Err(denial) => Err(self.denied(grant, denial)),
                }
            }
            _ => Err(self.denied(grant, Denial::NotGranted)),
        }
    }

    /// Whether `grant` reaches issues of a project.
    ///
    /// # Errors
    /// As [`Invocation::authorised`].
    pub(crate) fn reaches_project(&mut self, grant: Grant, project_key: &str) -> Result<(), String> {
        if self.manifest.scope.get(&grant).is_none_or(|scope| scope.has_project(project_key)) {
            return Ok(());
        }
        Err(self.denied(grant, Denial::OtherProject(project_key.to_owned())))
    }

    /// Tells the operator of a denial, and words it for the person.
    pub(crate) fn denied(&mut self, grant: Grant, denial: Denial) -> String {
        let sentence = denial.sentence(grant);
        if self.denied.as_ref().is_none_or(|(before, why)| *before != grant || *why != denial) {
            let (plugin, cure) = (&*self.plugin, denial.cure(grant, &self.origin.manifest_file));
            let caller = self.caller.as_deref();
            let channel = caller.map(|caller| caller.channel.as_str());
            let user = caller.map(|caller| caller.user.as_str());
            let incident = self.incident.map(tracing::field::display);
            tracing::warn!(plugin, channel, user, incident, "a plugin was denied {grant}: {cure}");
            self.denied = Some((grant, denial));
        }
        sentence
    }

    /// Runs a capability and adds the time it took to [`Invocation::host_time`].
    pub(crate) async fn timed<T>(&mut self, work: impl Future<Output = T>) -> T {
        let started = Instant::now();
        let result = work.await;
        self.host_time += started.elapsed();
        result
    }

    /// Tells the operator how many lines of the guest's log are missing.
    pub(crate) fn report_dropped_log_lines(&self) {
        let dropped = self.log_lines.saturating_sub(self.limits.log_lines);
        if dropped > 0 {
            tracing::warn!(plugin = &*self.plugin, dropped, "dropped log lines over the limit");
        }
    }

    /// What the guest wrote to standard output and standard error: the message of a panic.
    pub(crate) fn printed(&self) -> String {
        self.wasi.as_ref().map(|wasi| wasi.printed()).unwrap_or_default()
    }
}

impl WasiView for Invocation {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        let Self { wasi, tape, caller, capabilities, manifest, .. } = self;
        let wasi = wasi.get_or_insert_with(|| {
            let time = TimeOfDay::of(manifest, caller.as_deref(), capabilities.as_deref());
            Box::new(Wasi::new(time, tape.clone()))
        });
        WasiCtxView { ctx: &mut wasi.context, table: &mut wasi.table }
    }
}

impl Wasi {
    /// A WASI in which there is nothing: no files, environment, arguments, network or input.
    fn new(time: TimeOfDay, tape: Option<Arc<Tape>>) -> Self {
        let printed = Printed::default();
        let context = WasiCtx::builder()
            .stdout(printed.clone())
            .stderr(printed.clone())
            .wall_clock(time)
            .allow_tcp(false)
            .allow_udp(false)
            .allow_ip_name_lookup(false)
            .max_random_size(MAX_RANDOM_BYTES)
            .build();
        let mut table = ResourceTable::new();
        table.set_max_capacity(1_000);
        Self { context, table, printed, tape }
    }

    fn printed(&self) -> String {
        self.printed.text()
    }
}

/// WASI's time of day, which stands still at the start of 1970 for whom the grant `clock` is not given: nothing
/// that is granted can be had another way.
struct TimeOfDay(Option<Clock>);

impl TimeOfDay {
    fn of(manifest: &Manifest, caller: Option<&Caller>, capabilities: Option<&Capabilities>) -> Self {
        let (Some(caller), Some(capabilities)) = (caller, capabilities) else { return Self(None) };
        let scope = manifest.scope.get(&Grant::Clock);
        let is_granted = manifest.allows(Grant::Clock)
            && scope.is_none_or(|scope| scope.admits(caller, &capabilities.admins).is_ok());
        Self(is_granted.then(|| capabilities.clock.clone()))
    }
}

impl HostWallClock for TimeOfDay {
    fn resolution(&self) -> Duration {
        Duration::from_millis(1)
    }

    fn now(&self) -> Duration {
        let now = self.0.as_ref().map(|clock| clock.now().duration_since(jiff::Timestamp::UNIX_EPOCH));
        now.and_then(|now| now.try_into().ok()).unwrap_or_default()
    }
}

/// An author reads what was printed however the invocation ended, by a limit too.
impl Drop for Wasi {
    fn drop(&mut self) {
        if let Some(tape) = &self.tape {
            tape.note_printed(self.printed());
        }
    }
}

impl ResourceLimiter for Invocation {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        // The limit is on all memories of the invocation together.
        self.memory_bytes += desired.saturating_sub(current);
        if self.memory_bytes > self.limits.memory_bytes() {
            Err(LimitReached::Memory { memory_mib: self.limits.memory_mib }.into())
        } else {
            Ok(true)
        }
    }

    fn table_growing(
        &mut self,
        _current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        if desired > MAX_TABLE_ELEMENTS { Err(LimitReached::Table.into()) } else { Ok(true) }
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
