//! The compiler in a process of its own, with limits on its memory and its time.
//!
//! A few hundred bytes can ask a compiler for more than any machine has, and nothing stops it half-way. So
//! this program starts itself again for each component: whatever is too much ends that process and nothing
//! else. It has no secrets, and `confinement` takes its rights away.

use std::{
    fs,
    io::{self, Read as _, Write as _},
    os::unix::process::ExitStatusExt as _,
    panic,
    path::{Path, PathBuf},
    process::{ExitCode, ExitStatus, Stdio},
    sync::{Once, OnceLock},
    thread,
};

use clap::Args;
use rustix::process::{Resource, Rlimit, Signal, getrlimit, setrlimit};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    process::{Child, Command},
};

use crate::{
    engine::{self, Effort, target_processor::Cpu},
    loading::{cache::MAX_ENTRY_BYTES, confinement, error::LoadError, plugin_memory_budget::Ceiling},
    running::priority,
};
use maro_texts as texts;

/// The subcommand that tells the process what to do. People have no use for it.
pub const SUBCOMMAND: &str = "compile-component";

/// What the compiler may use for any component, and for each MiB of it. Components with an interpreter use 30
/// MiB and one second for each MiB.
const MEMORY_MIB: u64 = 1024;
const MEMORY_MIB_PER_MIB: u64 = 64;
/// What counts against its limit and takes no memory: the stacks of its threads, and what its allocator has set
/// aside.
const UNTOUCHED_MIB: u64 = 192;
const MAX_THREADS: usize = 4;

/// What it usually takes.
const EXPECTED_MIB: usize = 64;
const EXPECTED_MIB_PER_MIB: usize = 32;

const CPU_SECONDS: u64 = 5;
const CPU_SECONDS_PER_MIB: u64 = 8;

/// The exit code for an invalid component; the output says what is wrong.
const WRONG: u8 = 3;

/// Signals that don't come from the process itself: the system ends it where memory is short, or somebody does.
const KILLING: [Signal; 5] = [Signal::KILL, Signal::TERM, Signal::INT, Signal::HUP, Signal::QUIT];

/// How to start this program again. Empty if it is a library in another program.
static PROGRAM: OnceLock<PathBuf> = OnceLock::new();

/// Said once, if at all: what the system lacks.
static NOTE: Once = Once::new();

/// What one compilation may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Args)]
pub struct CompilerLimits {
    #[arg(long)]
    memory_mib: u64,
    #[arg(long)]
    cpu_seconds: u64,
}

impl CompilerLimits {
    fn of(bytes: usize, ceiling: Ceiling) -> Self {
        let of = |per_mib: u64| (bytes as u64 * per_mib).div_ceil(1024 * 1024);
        let memory_mib = MEMORY_MIB + of(MEMORY_MIB_PER_MIB);
        Self {
            memory_mib: ceiling.mib().map_or(memory_mib, |most| (most + UNTOUCHED_MIB).min(memory_mib)),
            cpu_seconds: CPU_SECONDS + of(CPU_SECONDS_PER_MIB),
        }
    }

    fn impose(self) -> io::Result<()> {
        let impose = |resource: Resource, most: u64, grace: u64| {
            // Existing limits can only be narrowed.
            let narrowed =
                |most: u64| Some(getrlimit(resource).maximum.map_or(most, |before| before.min(most)));
            setrlimit(resource, Rlimit { current: narrowed(most), maximum: narrowed(most + grace) })
        };
        // A second later the process ends without a signal that says why.
        impose(Resource::Cpu, self.cpu_seconds, 1)?;
        // Only memory that is written to counts: the engine reserves terabytes of addresses.
        impose(Resource::Data, self.memory_mib * 1024 * 1024, 0)?;
        impose(Resource::Core, 0, 0)?;
        Ok(())
    }
}

/// How much memory compiling a component of this size takes, in bytes.
pub(super) fn expected_bytes(bytes: usize) -> usize {
    EXPECTED_MIB * 1024 * 1024 + bytes.saturating_mul(EXPECTED_MIB_PER_MIB)
}

/// How many threads compile where memory is short.
fn threads() -> usize {
    thread::available_parallelism().map_or(1, |processors| processors.get().min(MAX_THREADS))
}

/// From now on, processes of this program compile components. It must answer [`SUBCOMMAND`] with [`serve`].
pub fn enable() {
    // This also finds the program if a newer one has replaced it since the start.
    let own = Path::new("/proc/self/exe");
    let program = if own.exists() { Ok(own.to_owned()) } else { std::env::current_exe() };
    if let Ok(program) = program {
        let _ = PROGRAM.set(program);
    }
}

/// The process itself: compiles standard input to standard output.
///
/// # Errors
/// The limits can't be set, or nobody reads the output.
pub fn serve(
    limits: CompilerLimits,
    has_pool: bool,
    cpu: Option<Cpu>,
    effort: Effort,
) -> io::Result<ExitCode> {
    limits.impose()?;
    abort_without_memory();
    #[cfg(target_os = "linux")]
    rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?;
    // If memory runs out anyway, the system should end this process first. It is no loss if it can't be told
    // so.
    let _ = fs::write("/proc/self/oom_score_adj", "1000");
    // The compiler's threads inherit this from the thread that starts them.
    priority::give_way();
    // So do they inherit this. The process that started this one logs it if Landlock isn't there.
    confinement::confine();
    let mut component = Vec::new();
    io::stdin().read_to_end(&mut component)?;
    let (output, code) = match engine::precompile(has_pool, cpu, effort, &component) {
        Ok(code) => (code, ExitCode::SUCCESS),
        Err(error) => (format!("{error:#}").into_bytes(), ExitCode::from(WRONG)),
    };
    io::stdout().write_all(&output)?;
    Ok(code)
}

/// Ends this process as Rust's own allocator does, with SIGABRT, also where the compiler's collections panic because
/// there's no memory left: which of the two comes first is chance.
fn abort_without_memory() {
    let usual = panic::take_hook();
    panic::set_hook(Box::new(move |panic| {
        if panic.payload_as_str().is_some_and(|reason| reason.contains("out-of-memory")) {
            std::process::abort();
        }
        usual(panic);
    }));
}

/// Compiles a component. `None` if that must be done in this process. Dropping the future ends the other
/// process.
pub(super) async fn compile(
    component: &[u8],
    has_pool: bool,
    cpu: Option<Cpu>,
    effort: Effort,
    ceiling: Ceiling,
) -> Option<Result<Vec<u8>, LoadError>> {
    NOTE.call_once(|| {
        if !confinement::is_possible() {
            tracing::debug!("this system has no Landlock: the compiler's process can open files");
        }
    });
    let limits = CompilerLimits::of(component.len(), ceiling);
    let mut command = Command::new(PROGRAM.get()?);
    command
        .arg(SUBCOMMAND)
        .args(["--memory-mib", &limits.memory_mib.to_string()])
        .args(["--cpu-seconds", &limits.cpu_seconds.to_string()])
        .args(has_pool.then_some("--has-pool"))
        .args(cpu.map(|cpu| format!("--cpu={}", cpu.as_str())))
        .args((effort == Effort::Quick).then_some("--quick"))
        // It doesn't need the secrets there.
        .env_clear()
        // The program's allocator reserves a GiB, which counts against the limit unless it isn't writable yet.
        .env("MIMALLOC_ARENA_EAGER_COMMIT", "0")
        // So do the stacks of its threads, of which there are as many as processors.
        .envs(ceiling.mib().map(|_| ("RAYON_NUM_THREADS", threads().to_string())))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        // Signals for all in MARO's group, such as Ctrl-C in a terminal, are MARO's alone.
        .process_group(0)
        .kill_on_drop(true);
    let started = command.spawn();
    let compiler = started
        .inspect_err(|error| {
            tracing::warn!(%error, "can't run the compiler in its own process: its memory and time aren't limited");
        })
        .ok()?;
    Some(match talk(compiler, component).await {
        Ok((_, code)) if code.len() as u64 >= MAX_ENTRY_BYTES => Err(LoadError::CodeTooLarge),
        Ok((status, code)) if status.success() => Ok(code),
        Ok((status, output)) => Err(failure(status, &output, limits, ceiling)),
        Err(error) => Err(LoadError::CompilerUnreachable(error)),
    })
}

/// Hands over the component and waits for the process to end. Returns its status and output.
async fn talk(mut compiler: Child, component: &[u8]) -> io::Result<(ExitStatus, Vec<u8>)> {
    if let Some(mut input) = compiler.stdin.take() {
        // This fails if the compiler has ended; the status says more.
        let _ = input.write_all(component).await;
    }
    let mut output = Vec::new();
    if let Some(pipe) = compiler.stdout.take() {
        // Output of that size can't be kept, and would be of no use.
        pipe.take(MAX_ENTRY_BYTES).read_to_end(&mut output).await?;
    }
    Ok((compiler.wait().await?, output))
}

fn failure(status: ExitStatus, output: &[u8], limits: CompilerLimits, ceiling: Ceiling) -> LoadError {
    let CompilerLimits { memory_mib, cpu_seconds } = limits;
    let signal = |expected: Signal| status.signal() == Some(expected.as_raw());
    if status.code() == Some(i32::from(WRONG)) {
        LoadError::Compile(String::from_utf8_lossy(output).into_owned())
    } else if signal(Signal::XCPU) {
        LoadError::CompilerTime { seconds: cpu_seconds }
    } else if let Some(killed) = KILLING.into_iter().find(|killing| signal(*killing)) {
        LoadError::CompilerKilled { signal: killed.as_raw() }
    } else if signal(Signal::ABORT) {
        // With less than any plugin may use, it isn't known that it's the plugin's fault.
        match ceiling.mib() {
            Some(most) if most < memory_mib => LoadError::NoRoomToCompile(ceiling),
            _ => LoadError::CompilerMemory { mib: memory_mib },
        }
    } else {
        LoadError::Compile(texts::plugins::refused_files::compiler_failed(status))
    }
}
