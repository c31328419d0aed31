//! The engine that all plugins share: its limits, its instance pool, its clock for CPU time.

mod cpu_time;
mod executable;
pub(crate) mod exports_of_any_version;
pub mod target_processor;

use anyhow::anyhow;
use wasmtime::{
    Config, Enabled, Engine, InstanceAllocationStrategy, OptLevel, PoolingAllocationConfig,
    RegallocAlgorithm, component::Linker,
};

use wasmtime_wasi::p2::bindings::clocks::wall_clock;

use maro_texts::plugins::refused_files;

use crate::{
    capabilities::call_recorder::{HasTap, Tap},
    engine::target_processor::Cpu,
    interface::bindings::Subcommand,
    invocation::Invocation,
    policy::limits::{
        MAX_CORE_INSTANCES, MAX_INVOCATIONS, MAX_MEMORIES, MAX_MEMORY_MIB, MAX_TABLE_ELEMENTS, MAX_TABLES,
        POOL_MEMORIES, POOL_TABLES,
    },
};

/// The most stack that a guest may use, in bytes: enough that JavaScript comes to its own limit first, and says where.
const GUEST_STACK_BYTES: usize = 1536 * 1024;

/// How much more of it code takes that was compiled quickly: 43 KiB instead of 4 for one getter of JavaScript's that
/// calls another.
const QUICK_CODES_SHARE: usize = 11;

/// What the host's functions have beyond that, on the same stack.
const HOST_STACK_BYTES: usize = 1536 * 1024;

/// How much of a used place in the pool is overwritten with zeros instead of wiped by the kernel: the working
/// set of a small guest. A higher value slows large guests down.
const KEEP_RESIDENT_BYTES: usize = 256 * 1024;

/// What compiles and runs the code of all plugins.
pub(crate) struct PluginEngine {
    pub(crate) engine: Engine,
    /// Whether instances come from a pool. The compiled code depends on it.
    pub(crate) has_pool: bool,
    /// Whether the system lets compiled code run at all.
    pub(crate) runs_code: bool,
    pub(crate) linker: Linker<Invocation>,
}

impl PluginEngine {
    /// Builds the engine and links the capabilities.
    ///
    /// # Errors
    /// Wasmtime refuses the configuration, which is a bug.
    pub(crate) fn new(effort: Effort) -> anyhow::Result<Self> {
        let (engine, has_pool) = match new_engine(true, effort) {
            Ok(engine) => (engine, true),
            Err(error) => {
                // The pool reserves address space, which a container or ulimit may restrict.
                tracing::warn!(
                    error = format!("{error:#}"),
                    "can't create the instance pool: commands will be slower"
                );
                let engine = new_engine(false, effort)
                    .map_err(|error| anyhow!("can't start the WebAssembly engine: {error:#}"))?;
                (engine, false)
            }
        };
        let runs_code = executable::is_allowed(&engine, |module| {
            compiling_engine(has_pool, None)?.precompile_module(module)
        });
        if !runs_code {
            tracing::error!("{} {}", refused_files::NO_CODE_RUNS, refused_files::LET_CODE_RUN);
        }
        cpu_time::start_clock(&engine)?;
        let mut linker = Linker::new(&engine);
        wasmtime_wasi::p2::add_to_linker_async(&mut linker)
            .map_err(|error| anyhow!("can't link WASI: {error:#}"))?;
        linker.allow_shadowing(true);
        wall_clock::add_to_linker::<Invocation, HasTap>(&mut linker, |invocation| Tap(invocation))
            .map_err(|error| anyhow!("can't link the clock: {error:#}"))?;
        linker.allow_shadowing(false);
        Subcommand::add_to_linker::<Invocation, HasTap>(&mut linker, |invocation| Tap(invocation))
            .and_then(|()| exports_of_any_version::link_older_versions(&mut linker))
            .map_err(|error| anyhow!("can't link the capabilities: {error:#}"))?;
        Ok(Self { engine, has_pool, runs_code, linker })
    }
}

/// An engine with the settings that all share.
///
/// # Errors
/// There is no room for the pool.
fn new_engine(has_pool: bool, effort: Effort) -> wasmtime::Result<Engine> {
    let pool = has_pool.then(pool);
    let mut config = configuration(pool.as_ref());
    if effort == Effort::Quick {
        set_guest_stack(&mut config, GUEST_STACK_BYTES * QUICK_CODES_SHARE);
    }
    Engine::new(&config)
}

/// How well code is compiled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Effort {
    /// For code that serves people.
    #[default]
    Full,
    /// For an author who tries what was just edited: compiled in half the time, and slower.
    Quick,
}

/// Compiles for an engine with or without a pool, and for `cpu` or the processor at hand. Uses an engine of its own,
/// since an engine keeps its compiler's working memory, about 20 MB, for as long as it lives.
///
/// # Errors
/// There is no room for the pool, or the component is wrong.
pub(crate) fn precompile(
    has_pool: bool,
    cpu: Option<Cpu>,
    effort: Effort,
    wasm: &[u8],
) -> wasmtime::Result<Vec<u8>> {
    let mut config = compiling_configuration(has_pool, cpu)?;
    if effort == Effort::Quick {
        config.cranelift_opt_level(OptLevel::None);
        config.cranelift_regalloc_algorithm(RegallocAlgorithm::SinglePass);
    }
    Engine::new(&config)?.precompile_component(wasm)
}

/// An engine whose code others can run, with as little else as possible.
///
/// # Errors
/// There is no room for the pool, or code for `cpu` can't be made here.
pub(crate) fn compiling_engine(has_pool: bool, cpu: Option<Cpu>) -> wasmtime::Result<Engine> {
    Engine::new(&compiling_configuration(has_pool, cpu)?)
}

fn compiling_configuration(has_pool: bool, cpu: Option<Cpu>) -> wasmtime::Result<Config> {
    let pool = has_pool.then(|| {
        // Nothing runs here, and what the pool has reserved would count against the compiler's limit. The code
        // depends on the size of a place, not on how many there are.
        let mut pool = pool();
        pool.total_memories(MAX_MEMORIES).total_tables(MAX_TABLES).total_stacks(1);
        pool
    });
    let mut config = configuration(pool.as_ref());
    if let Some(cpu) = cpu {
        cpu.configure(&mut config)?;
    }
    Ok(config)
}

fn configuration(pool: Option<&PoolingAllocationConfig>) -> Config {
    let mut config = Config::new();
    // Waiting happens in the host's asynchronous functions; guests themselves are plain and sequential.
    config.concurrency_support(false);
    config.epoch_interruption(true);
    set_guest_stack(&mut config, GUEST_STACK_BYTES);
    if let Some(pool) = pool {
        config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool.clone()));
    }
    config
}

fn set_guest_stack(config: &mut Config, bytes: usize) {
    config.max_wasm_stack(bytes);
    config.async_stack_size(bytes + HOST_STACK_BYTES);
}

fn pool() -> PoolingAllocationConfig {
    let places = MAX_INVOCATIONS as u32;
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(places)
        // They come from the heap: this only counts them, and all places can have the most at once.
        .total_core_instances(places * MAX_CORE_INSTANCES)
        // Each place in use has reserved these.
        .total_memories(POOL_MEMORIES)
        .total_tables(POOL_TABLES)
        .total_stacks(places)
        .max_core_instances_per_component(MAX_CORE_INSTANCES)
        .max_memories_per_component(MAX_MEMORIES)
        .max_tables_per_component(MAX_TABLES)
        .max_memory_size(MAX_MEMORY_MIB as usize * 1024 * 1024)
        .table_elements(MAX_TABLE_ELEMENTS)
        // Wipes only what was written, where the kernel says what that is: Linux from 6.7 on.
        .pagemap_scan(Enabled::Auto)
        .linear_memory_keep_resident(KEEP_RESIDENT_BYTES)
        .table_keep_resident(KEEP_RESIDENT_BYTES)
        .max_unused_warm_slots(places);
    pool
}
