//! From a file to a plugin that serves: preflight, compile or fetch from the cache, link, describe.

use std::{
    hash::{DefaultHasher, Hash as _, Hasher as _},
    io,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use rayon::ThreadPoolBuilder;
use wasmtime::component::Component;

use crate::{
    domain::issue::one_line,
    memory,
    metrics::Metrics,
    plugin::{
        bindings::exports::maro::plugin::command,
        breaker::Breaker,
        cache::CodeCache,
        engine::PluginEngine,
        events::Events,
        folder::{NameFault, PluginFile},
        instance::{Invocation, Origin},
        interface::{InterfacePre, Version},
        lanes::Habit,
        loaded::{self, Description, Fault, LoadedPlugin},
        manifest::Manifest,
        preflight::{self, PreflightError},
    },
    priority,
};

/// The longest name of a subcommand, in characters.
const MAX_NAME_LENGTH: usize = 32;

/// The longest version, summary and usage of a plugin, in characters.
const MAX_VERSION_LENGTH: usize = 32;
const MAX_SUMMARY_LENGTH: usize = 100;
const MAX_USAGE_LENGTH: usize = 100;

/// Why a file in the plugins folder does not serve.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    #[error("it cannot be read: {0}")]
    Unreadable(#[source] io::Error),
    #[error("it changes whenever it is read: is it still being written?")]
    Unsettled,
    #[error(transparent)]
    Misnamed(#[from] NameFault),
    #[error("{file}: {problem}")]
    Manifest { file: String, problem: String },
    #[error(transparent)]
    Preflight(#[from] PreflightError),
    #[error("it does not compile: {0}")]
    Compile(String),
    #[error("it does not fit this host's interface: {0}; build it again")]
    Link(String),
    #[error("it could not describe itself: {0}")]
    Describe(#[source] Fault),
    #[error("it describes itself wrongly: {0}")]
    Description(String),
    #[error("it calls itself {name}, which is a command of MARO itself")]
    ReservedName { name: String },
    #[error("it calls itself {name}, and so does {by}, which serves")]
    NameTaken { name: String, by: String },
    #[error("its recorded cases cannot be read: {0}")]
    UnreadableCases(#[source] io::Error),
    #[error(
        "it does not answer as recorded in {}: mend it, record the cases anew, or set cases = \"warn\" in {file}",
        .cases.join(", ")
    )]
    OtherReplies { cases: Vec<String>, file: String },
}

/// Makes a plugin out of a file.
///
/// # Errors
/// The first of the steps that fails, with its reason.
pub(super) async fn load(
    engine: &Arc<PluginEngine>,
    file: PluginFile,
    reserved_names: &[&str],
    metrics: &Metrics,
    events: &Events,
) -> Result<LoadedPlugin, LoadError> {
    let manifest_file = format!("{}.toml", file.stem);
    let manifest = Manifest::parse(file.manifest.as_deref().unwrap_or(""))
        .map_err(|problem| LoadError::Manifest { file: manifest_file.clone(), problem })?;
    preflight::check_pin(&hex::encode(file.digest), &manifest, &manifest_file)?;
    let wishes = preflight::inspect(&file.wasm)?;
    preflight::check_grants(&wishes, &manifest, &manifest_file)?;
    let warnings = manifest.warnings(&wishes.grants, &manifest_file);
    let manifest = Arc::new(manifest);
    let PluginFile { stem, wasm, digest, .. } = file;
    let Compiled { pre, compile_time } = compile_and_link(engine, wasm, digest, wishes.version).await?;
    metrics.plugin_code(compile_time);
    let origin = Arc::new(Origin { digest: hex::encode(digest), manifest_file });
    let (name, describing) = (stem.as_str().into(), Arc::clone(&origin));
    let invocation = Invocation::for_describe(name, describing, Arc::clone(&manifest));
    let places = engine.places.share(manifest.limits.concurrency as usize);
    let description = {
        // Without a place of its own it would take that of a command, and one of the two would fail.
        let place = places.take().await;
        loaded::describe(Arc::clone(&pre), place, invocation).await.map_err(LoadError::Describe)?
    };
    let description = check_description(description, reserved_names)?;
    for warning in &warnings {
        tracing::warn!(plugin = &*description.name, "{warning}");
    }
    Ok(LoadedPlugin {
        metrics: metrics.subcommand(&description.name),
        description,
        file: stem,
        digest: hex::encode(digest),
        pre,
        places,
        habit: Habit::default(),
        manifest,
        warnings,
        origin,
        breaker: Breaker::new(),
        last_fault: Mutex::new(None),
        events: events.clone(),
    })
}

/// A component, ready to be instantiated.
struct Compiled {
    pre: Arc<InterfacePre>,
    /// `None` if the code came from the cache.
    compile_time: Option<Duration>,
}

/// Compiles away from the threads that answer people.
async fn compile_and_link(
    engine: &Arc<PluginEngine>,
    wasm: Vec<u8>,
    digest: [u8; 32],
    version: Version,
) -> Result<Compiled, LoadError> {
    let engine = Arc::clone(engine);
    let compiling = tokio::task::spawn_blocking(move || {
        let (component, compile_time) = component(&engine, &wasm, &digest)?;
        let pre = engine
            .linker
            .instantiate_pre(&component)
            .and_then(|pre| InterfacePre::new(pre, version))
            .map_err(|error| LoadError::Link(format!("{error:#}")))?;
        Ok(Compiled { pre: Arc::new(pre), compile_time })
    });
    compiling.await.unwrap_or_else(|error| Err(LoadError::Compile(error.to_string())))
}

fn component(
    engine: &PluginEngine,
    wasm: &[u8],
    digest: &[u8],
) -> Result<(Component, Option<Duration>), LoadError> {
    let mut compatibility = DefaultHasher::new();
    engine.engine.precompile_compatibility_hash().hash(&mut compatibility);
    let key = format!("{}-{:016x}", hex::encode(digest), compatibility.finish());
    if let Some(component) = engine.cache.as_ref().and_then(|cache| cached(engine, cache, &key)) {
        return Ok((component, None));
    }
    let started = Instant::now();
    let component = compile(engine, wasm)?;
    let compile_time = started.elapsed();
    if let Some(cache) = &engine.cache {
        let stored = component.serialize().map_err(io::Error::other).and_then(|code| cache.put(&key, &code));
        if let Err(error) = stored {
            tracing::warn!(%error, "a compiled plugin cannot be kept: the next start compiles it again");
        }
    }
    memory::give_back();
    Ok((component, Some(compile_time)))
}

/// Compiles on threads of its own, which end with it: those of people's commands are not held up.
fn compile(engine: &PluginEngine, wasm: &[u8]) -> Result<Component, LoadError> {
    let threads = ThreadPoolBuilder::new()
        .thread_name(|_| "maro-compiler".to_owned())
        .start_handler(|_| priority::give_way())
        .build()
        .map_err(|error| LoadError::Compile(error.to_string()))?;
    threads
        .install(|| Component::from_binary(&engine.engine, wasm))
        .map_err(|error| LoadError::Compile(format!("{error:#}")))
}

fn cached(engine: &PluginEngine, cache: &CodeCache, key: &str) -> Option<Component> {
    let code = cache.get(key)?;
    #[expect(
        unsafe_code,
        reason = "the code comes from a folder that only this user can write, under a digest of its \
                  content, the plugin's and the engine's; whoever can change it can change this program"
    )]
    let component = unsafe { Component::deserialize(&engine.engine, &code) };
    component
        .inspect_err(|error| {
            tracing::warn!(
                error = format!("{error:#}"),
                "an unusable entry of the code cache is compiled again"
            );
        })
        .ok()
}

/// Whether a subcommand can be called so: 1 to 32 of `a`–`z`, `0`–`9` and `-`, a letter first.
pub fn is_subcommand_name(name: &str) -> bool {
    name.len() <= MAX_NAME_LENGTH
        && name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

fn check_description(
    description: command::Description,
    reserved_names: &[&str],
) -> Result<Description, LoadError> {
    let command::Description { name, version, summary, usage } = description;
    if !is_subcommand_name(&name) {
        return Err(LoadError::Description(format!(
            "{:?} is no name for a subcommand: use 1 to {MAX_NAME_LENGTH} of a-z, 0-9 and -, a letter first",
            one_line(&name, MAX_NAME_LENGTH)
        )));
    }
    if reserved_names.contains(&name.as_str()) {
        return Err(LoadError::ReservedName { name });
    }
    if summary.trim().is_empty() {
        return Err(LoadError::Description("it has no summary, which /maro help needs".to_owned()));
    }
    Ok(Description {
        name: name.into(),
        version: one_line(&version, MAX_VERSION_LENGTH),
        summary: one_line(&summary, MAX_SUMMARY_LENGTH),
        usage: one_line(&usage, MAX_USAGE_LENGTH),
    })
}
