//! From a component to machine code: from the cache, or compiled in turn without holding up others.
//!
//! Compiling takes many times the memory and the time of anything else here. At most two components compile
//! at once, and only one of them may be large, so a small one never waits for a large one. While they wait,
//! their files aren't kept in memory. The compiler is a process of its own, unless this program is a library
//! in another.

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use sha2::{Digest as _, Sha256};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    task::spawn_blocking,
};
use wasmtime::component::Component;

use crate::{
    engine::{self, Effort, PluginEngine, target_processor::Cpu},
    invocation::memory_shares::PluginMemory,
    loading::{
        cache::CodeCache,
        cache_key, compiler_process,
        error::LoadError,
        folder::{self, Identity, PluginFile},
        plugin_memory_budget::Ceiling,
        progress::{Progress, Stage},
    },
};

/// A component above this size, in bytes, is large: those with an interpreter have 12 to 18 MiB, others a few
/// hundred KiB.
const LARGE_BYTES: usize = 1024 * 1024;

/// How often to check that the file being compiled is still there.
const LOOK_INTERVAL: Duration = Duration::from_millis(500);

/// How many components are compiled at once.
const AT_ONCE: usize = 2;

/// Turns components into machine code, and keeps that for later.
pub(crate) struct Compiler {
    engine: Arc<PluginEngine>,
    cache: Option<CodeCache>,
    turns: CompilerTurns,
    memory: Arc<PluginMemory>,
    ceiling: Ceiling,
    effort: Effort,
    /// What stands in the names of entries that are compiled here.
    own: u64,
    /// What stands in the names of those that can run here: that of this engine's best code, then those of code for a
    /// family of processors, if an image brought any.
    compatible: Vec<u64>,
}

/// Limits how many compile at once.
struct CompilerTurns {
    all: Arc<Semaphore>,
    large: Arc<Semaphore>,
}

/// The permission to compile, until dropped.
struct Turn {
    _one: Option<OwnedSemaphorePermit>,
    _large: Option<OwnedSemaphorePermit>,
}

impl CompilerTurns {
    fn new() -> Self {
        Self { all: Arc::new(Semaphore::new(AT_ONCE)), large: Arc::new(Semaphore::new(AT_ONCE - 1)) }
    }

    /// Waits until a component of this size may be compiled. First come, first served among the small, and
    /// among the large.
    async fn take(&self, bytes: usize) -> Turn {
        // Nobody closes these semaphores. Large components queue among themselves first, so that they hold up
        // no small one.
        let large = match bytes > LARGE_BYTES {
            true => Arc::clone(&self.large).acquire_owned().await.ok(),
            false => None,
        };
        Turn { _one: Arc::clone(&self.all).acquire_owned().await.ok(), _large: large }
    }
}

/// A component as machine code.
pub(super) struct Compiled {
    pub(super) component: Component,
    /// `None` if it came from the cache.
    pub(super) compile_time: Option<Duration>,
    /// Its entry in the cache stays as long as this does.
    pub(super) lease: Arc<()>,
}

impl Compiler {
    /// A compiler for `engine` that keeps what it compiles in `cache_dir`, if it can.
    pub(super) fn new(
        engine: Arc<PluginEngine>,
        cache_dir: Option<&Path>,
        memory: Arc<PluginMemory>,
        ceiling: Ceiling,
        effort: Effort,
    ) -> Self {
        let cache = cache_dir.and_then(open_cache);
        let mut compatible = vec![cache_key::own_compatibility(&engine.engine)];
        if cache.as_ref().is_some_and(CodeCache::is_given) {
            let of_families = Cpu::of_this_family().iter().map(|cpu| cache_key::compatibility(Some(*cpu)));
            compatible.extend(of_families.filter_map(Result::ok));
        }
        let own = match effort {
            Effort::Full => compatible[0],
            Effort::Quick => !compatible[0],
        };
        // Better code is taken where there is any, and never the other way round.
        if effort == Effort::Quick {
            compatible.push(own);
        }
        Self { engine, cache, turns: CompilerTurns::new(), memory, ceiling, effort, own, compatible }
    }

    /// Fetches a component from the cache or compiles it. When its turn comes, it is read again.
    /// If it has gone or is another by then, it isn't compiled.
    ///
    /// # Errors
    /// It can no longer be read, has changed, or doesn't compile.
    pub(super) async fn compile(
        self: &Arc<Self>,
        file: PluginFile,
        progress: &Arc<Progress>,
    ) -> Result<Compiled, LoadError> {
        let PluginFile { stem, wasm, digest, room, dir, .. } = file;
        if !self.engine.runs_code {
            return Err(LoadError::NoCodeRuns);
        }
        let bytes = wasm.len();
        drop((wasm, room));
        let key = cache_key::entry(&digest, self.own);
        if let Some(cached) = self.from_cache(digest).await {
            return Ok(cached);
        }
        progress.enter(Stage::CompilersTurn);
        let turn = self.turns.take(bytes).await;
        // The previous one may have compiled the same component.
        if let Some(cached) = self.from_cache(digest).await {
            return Ok(cached);
        }
        let source = ComponentFile { dir, name: format!("{stem}.wasm") };
        let before = source.look().await;
        let wasm = source.read().await.map_err(LoadError::Unreadable)?;
        if !is(&wasm, &digest) {
            return Err(LoadError::Unsettled);
        }
        let (compiler, progress) = (Arc::clone(self), Arc::clone(progress));
        // Nobody may be waiting any longer, for instance because the manifest has changed. The next attempt
        // finds it in the cache.
        let compiling = tokio::spawn(async move {
            tokio::select! {
                compiled = compiler.compile_in_turn(wasm, key, turn, &progress) => compiled,
                () = source.replaced(before, digest) => Err(LoadError::Unsettled),
            }
        });
        compiling.await.unwrap_or_else(|error| Err(LoadError::Compile(error.to_string())))
    }

    async fn compile_in_turn(
        self: Arc<Self>,
        wasm: Vec<u8>,
        key: String,
        turn: Turn,
        progress: &Progress,
    ) -> Result<Compiled, LoadError> {
        progress.enter(Stage::Memory);
        let _lease = self.memory.lend_to_compiler(compiler_process::expected_bytes(wasm.len())).await;
        progress.enter(Stage::Compiling);
        let started = Instant::now();
        let Some(code) =
            compiler_process::compile(&wasm, self.engine.has_pool, None, self.effort, self.ceiling).await
        else {
            return self.compile_here(wasm, key, turn).await;
        };
        let (code, compile_time) = (code?, started.elapsed());
        let keeping = spawn_blocking(move || {
            let _turn = turn;
            self.keep(&code, &key, compile_time)
        });
        keeping.await.unwrap_or_else(|error| Err(LoadError::Compile(error.to_string())))
    }

    /// Compiles in this process, where nothing limits or stops it.
    async fn compile_here(
        self: Arc<Self>,
        wasm: Vec<u8>,
        key: String,
        turn: Turn,
    ) -> Result<Compiled, LoadError> {
        let compiling = spawn_blocking(move || {
            let _turn = turn;
            let started = Instant::now();
            let code = engine::precompile(self.engine.has_pool, None, self.effort, &wasm)
                .map_err(|error| LoadError::Compile(format!("{error:#}")))?;
            self.keep(&code, &key, started.elapsed())
        });
        compiling.await.unwrap_or_else(|error| Err(LoadError::Compile(error.to_string())))
    }

    /// Stores compiled code in the cache, and loads it.
    fn keep(&self, code: &[u8], key: &str, compile_time: Duration) -> Result<Compiled, LoadError> {
        let lease = self.cache.as_ref().map(|cache| cache.lease(key)).unwrap_or_default();
        if let Some(Err(error)) = self.cache.as_ref().map(|cache| cache.put(key, code)) {
            tracing::warn!(%error, "can't cache a compiled plugin: the next start compiles it again");
        }
        #[expect(unsafe_code, reason = "it is what wasmtime has just compiled")]
        // SAFETY: as the reason says.
        let component = unsafe { Component::deserialize(&self.engine.engine, code) };
        let component = component.map_err(|error| LoadError::Compile(format!("{error:#}")))?;
        Ok(Compiled { component, compile_time: Some(compile_time), lease })
    }

    async fn from_cache(self: &Arc<Self>, digest: [u8; 32]) -> Option<Compiled> {
        let compiler = Arc::clone(self);
        let finding = spawn_blocking(move || {
            compiler
                .compatible
                .iter()
                .find_map(|compatibility| compiler.cached(&cache_key::entry(&digest, *compatibility)))
        });
        finding.await.ok().flatten()
    }

    fn cached(&self, key: &str) -> Option<Compiled> {
        let cache = self.cache.as_ref()?;
        let (lease, code) = (cache.lease(key), cache.get(key)?);
        #[expect(
            unsafe_code,
            reason = "the code comes from a folder that only this user can write, under a digest of its \
                      content, the plugin's and the engine's; anyone who can change it can change this program"
        )]
        let component = unsafe { Component::deserialize(&self.engine.engine, &code) };
        component
            .inspect_err(|error| {
                tracing::warn!(
                    error = format!("{error:#}"),
                    "recompiling a plugin because its entry in the code cache is unusable"
                );
            })
            .ok()
            .map(|component| Compiled { component, compile_time: None, lease })
    }
}

fn open_cache(dir: &Path) -> Option<CodeCache> {
    CodeCache::open(dir)
        .inspect_err(|error| {
            tracing::warn!(dir = %dir.display(), %error, "can't use the cache for compiled plugins: each start compiles them again");
        })
        .ok()
}

/// Where a component is read from.
struct ComponentFile {
    dir: PathBuf,
    name: String,
}

impl ComponentFile {
    async fn read(&self) -> io::Result<Vec<u8>> {
        let (dir, name) = (self.dir.clone(), self.name.clone());
        spawn_blocking(move || folder::read_component(&dir, &name)).await.map_err(io::Error::other)?
    }

    async fn look(&self) -> Option<Identity> {
        let (dir, name) = (self.dir.clone(), self.name.clone());
        spawn_blocking(move || folder::identity(&dir, &name)).await.ok()
    }

    /// Waits until the component has gone or is another. That somebody writes the same again changes nothing, so
    /// it is read once two looks find it the same.
    async fn replaced(&self, before: Option<Identity>, digest: [u8; 32]) {
        let (mut known, mut last) = (before, None);
        loop {
            tokio::time::sleep(LOOK_INTERVAL).await;
            let now = self.look().await;
            let is_news = !has_same_component(now.as_ref(), known.as_ref());
            if is_news && has_same_component(now.as_ref(), last.as_ref()) {
                match self.read().await {
                    Ok(wasm) if is(&wasm, &digest) => known.clone_from(&now),
                    _ => return,
                }
            }
            last = now;
        }
    }
}

fn has_same_component(one: Option<&Identity>, other: Option<&Identity>) -> bool {
    one.zip(other).is_some_and(|(one, other)| one.has_component_of(other))
}

fn is(wasm: &[u8], digest: &[u8; 32]) -> bool {
    Sha256::digest(wasm)[..] == digest[..]
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    #[tokio::test]
    async fn a_small_component_never_waits_for_a_large_one() {
        let turns = CompilerTurns::new();
        let large = turns.take(LARGE_BYTES + 1).await;
        let mut second_large = Box::pin(turns.take(LARGE_BYTES + 1));
        assert!(second_large.as_mut().now_or_never().is_none());
        let small = turns.take(LARGE_BYTES).now_or_never();
        let small = small.expect("it waits for the large ones");
        let mut second_small = Box::pin(turns.take(LARGE_BYTES));
        assert!(second_small.as_mut().now_or_never().is_none(), "three compile at once");
        drop(small);
        let second_small = second_small.now_or_never().expect("it waits for the large ones");
        drop(large);
        assert!(second_large.now_or_never().is_some());
        drop(second_small);
    }
}
