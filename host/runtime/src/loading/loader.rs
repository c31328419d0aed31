//! From a file to a plugin that can run: preflight, compile or fetch from the cache, link, describe.

use std::{io, path::Path, sync::Arc, time::Duration};

use wasmtime::component::Component;

use crate::{
    engine::{Effort, PluginEngine, exports_of_any_version::InterfacePre},
    inspection::{
        instance_size::Needs,
        preflight::{self, PreflightError, Wishes},
    },
    interface::{bindings::exports::maro::plugin::command, wasi},
    invocation::{Invocation, authority::Origin, memory_shares::PluginMemory},
    loading::{
        compiler::{Compiled, Compiler},
        error::LoadError,
        folder::PluginFile,
        plugin_memory_budget::memory_for_plugins,
        progress::{Progress, Stage},
        version_history::KeptVersions,
    },
    plugin_changes::Events,
    policy::{admission, manifest::Manifest},
    running::{
        invoke::{self, Fault},
        manifest_in_force::ManifestInForce,
        plugin::LoadedPlugin,
        plugin_health::PluginHealth,
        pool_places::{Places, Share},
        version::{Description, Version},
    },
};
use maro_domain::issue::one_line;
use maro_process::metrics::Metrics;
use maro_texts::plugins::refused_files;

/// The longest name of a subcommand, in characters.
const MAX_NAME_LENGTH: usize = 32;

/// The longest version, summary and usage of a plugin, in characters.
const MAX_VERSION_LENGTH: usize = 32;
pub const MAX_SUMMARY_LENGTH: usize = 100;
const MAX_USAGE_LENGTH: usize = 100;

/// How many plugins describe themselves at once, however many are loaded: the rest of the pool is for
/// commands. Enough that a few slow ones hardly hold up the others.
const MAX_DESCRIBING: usize = 16;

/// How long a plugin may take to describe itself, in milliseconds. It has nothing to wait for.
const MAX_DESCRIBE_MS: u32 = 2_000;

/// How often it may try while others have the memory, and the pause in between.
const MAX_DESCRIBE_ATTEMPTS: u32 = 40;
const DESCRIBE_PAUSE: Duration = Duration::from_millis(250);

/// Makes plugins out of files. Holds what all of them share.
pub struct PluginLoader {
    engine: Arc<PluginEngine>,
    compiler: Arc<Compiler>,
    /// Held by every invocation, so that the pool is never exhausted.
    places: Arc<Places>,
    /// The places in which plugins describe themselves.
    describing: Arc<Share>,
    /// Versions that ran before, if they can be kept.
    pub(crate) kept: Option<KeptVersions>,
}

impl PluginLoader {
    /// Starts the engine. `cache_dir` is where compiled plugins are kept; if it can't be used, each start
    /// compiles again. `memory_mib` is for all plugins together; half of what there is if it isn't given.
    ///
    /// # Errors
    /// Wasmtime refuses the configuration, which is a bug.
    pub fn new(cache_dir: Option<&Path>, memory_mib: Option<u32>) -> anyhow::Result<Self> {
        Self::with_effort(cache_dir, memory_mib, Effort::Full)
    }

    /// As [`PluginLoader::new`], where authors may wait less for slower code.
    ///
    /// # Errors
    /// As [`PluginLoader::new`].
    pub fn with_effort(
        cache_dir: Option<&Path>,
        memory_mib: Option<u32>,
        effort: Effort,
    ) -> anyhow::Result<Self> {
        let engine = Arc::new(PluginEngine::new(effort)?);
        let (bytes, ceiling) = memory_for_plugins(memory_mib);
        tracing::debug!(mib = bytes >> 20, "the memory of all plugins");
        let memory = PluginMemory::new(bytes);
        let compiler = Compiler::new(Arc::clone(&engine), cache_dir, Arc::clone(&memory), ceiling, effort);
        let places = Places::new(memory);
        let describing = places.share_of_many(MAX_DESCRIBING);
        let kept = cache_dir.and_then(|dir| {
            let kept = KeptVersions::open(dir);
            // An image that brings its code has no place for them.
            kept.inspect_err(|error| {
                tracing::info!(error = %error, "earlier versions of plugins aren't kept, so none can be rolled back");
            })
            .ok()
        });
        Ok(Self { engine, compiler: Arc::new(compiler), places, describing, kept })
    }

    /// Makes a plugin out of a file. Nothing is compiled if `running` has the same component.
    ///
    /// # Errors
    /// The first step that fails, and why.
    pub(crate) async fn load(
        &self,
        file: PluginFile,
        running: Option<&LoadedPlugin>,
        reserved_names: &[&str],
        metrics: &Metrics,
        events: &Events,
        progress: &Arc<Progress>,
    ) -> Result<LoadedPlugin, LoadError> {
        let manifest_file = format!("{}.toml", file.stem);
        // A file that has no command's name is told its plugin's: until it has that, nothing else matters, least of
        // all a manifest that has to be renamed, too.
        let has_name = is_subcommand_name(&file.stem);
        let manifest = file.manifest.as_deref().filter(|_| has_name);
        let manifest = Manifest::parse(manifest.unwrap_or(""))
            .map_err(|problem| LoadError::Manifest { file: manifest_file.clone(), problem })?;
        admission::check_pin(&hex::encode(file.digest), &manifest, &manifest_file)
            .map_err(PreflightError::from)?;
        let stem = file.stem.clone();
        let origin = Arc::new(Origin { digest: hex::encode(file.digest), manifest_file });
        let size = file.wasm.len();
        let (wishes, pre, lease) = match running.map(LoadedPlugin::version) {
            Some(same) if same.origin.digest == origin.digest => {
                let file = &origin.manifest_file;
                admission::check_grants(&same.wishes.grants, &manifest, file)
                    .map_err(PreflightError::from)?;
                (same.wishes.clone(), Arc::clone(&same.pre), Arc::clone(&same.lease))
            }
            _ => {
                let (file, wishes) = inspect(file).await?;
                if has_name {
                    admission::check_grants(&wishes.grants, &manifest, &origin.manifest_file)
                        .map_err(PreflightError::from)?;
                }
                self.compile(file, wishes, metrics, progress).await?
            }
        };
        let manifest = Arc::new(manifest);
        let mut limited = Manifest::clone(&manifest);
        limited.limits.wall_ms = limited.limits.wall_ms.min(MAX_DESCRIBE_MS);
        let invocation =
            || Invocation::for_describe(stem.as_str().into(), Arc::clone(&origin), Arc::new(limited.clone()));
        let description =
            self.describe(&pre, wishes.needs, invocation, progress).await.map_err(LoadError::Describe)?;
        let description = check_description(description, &stem, reserved_names)?;
        let version = Arc::new(Version { description, origin, wishes, pre, size, lease });
        let in_force = ManifestInForce::new(&version, manifest, &self.places);
        for warning in &in_force.warnings {
            tracing::warn!(plugin = &*version.description.name, "{warning}");
        }
        let health = PluginHealth::new(metrics.commands.of(&version.description.name), events.clone());
        Ok(LoadedPlugin::new(version, in_force, health))
    }

    /// Compiles a component, and links it.
    async fn compile(
        &self,
        file: PluginFile,
        wishes: Wishes,
        metrics: &Metrics,
        progress: &Arc<Progress>,
    ) -> Result<(Wishes, Arc<InterfacePre>, Arc<()>), LoadError> {
        self.places
            .check(wishes.needs)
            .map_err(|(mib, share_mib)| LoadError::LargerThanShare { mib, share_mib })?;
        let compiled = self.compiler.compile(file, progress).await;
        let Compiled { component, compile_time, lease } =
            compiled.map_err(|error| explained(error, &wishes))?;
        metrics.plugin_code(compile_time);
        let pre =
            link(&self.engine, &component, &wishes).map_err(|error| LoadError::Link(format!("{error:#}")));
        let pre = pre.map_err(|error| explained(error, &wishes))?;
        Ok((wishes, Arc::new(pre), lease))
    }
}

impl PluginLoader {
    /// Asks a plugin to describe itself, again if others have the memory.
    async fn describe(
        &self,
        pre: &Arc<InterfacePre>,
        needs: Needs,
        invocation: impl Fn() -> Invocation,
        progress: &Progress,
    ) -> Result<command::Description, Fault> {
        let mut attempts = 0;
        loop {
            // Without a place of its own it would take one from a command, and one of the two would fail.
            progress.enter(Stage::Place);
            let place = self.describing.take(needs).await;
            progress.enter(Stage::Describing);
            let described = invoke::describe(Arc::clone(pre), place, invocation()).await;
            attempts += 1;
            match described {
                Err(fault) if fault.is_crowded() && attempts < MAX_DESCRIBE_ATTEMPTS => {
                    tokio::time::sleep(DESCRIBE_PAUSE).await;
                }
                described => return described,
            }
        }
    }
}

/// Inspects a file on a thread where nobody has to wait for it.
async fn inspect(file: PluginFile) -> Result<(PluginFile, Wishes), LoadError> {
    let inspecting = tokio::task::spawn_blocking(move || {
        let wishes = preflight::inspect(&file.wasm);
        (file, wishes)
    });
    let (file, wishes) = inspecting.await.map_err(|error| LoadError::Unreadable(io::Error::other(error)))?;
    Ok((file, wishes?))
}

/// What a component uses of a later WASI fails in words that nobody needs: what it was built for says more.
fn explained(error: LoadError, wishes: &Wishes) -> LoadError {
    match (error, wishes.later_wasi()) {
        (LoadError::Compile(_) | LoadError::Link(_), Some(version)) => {
            LoadError::LaterWasi { version: version.to_owned() }
        }
        (error, _) => error,
    }
}

fn link(engine: &PluginEngine, component: &Component, wishes: &Wishes) -> wasmtime::Result<InterfacePre> {
    let pre = if wishes.unoffered.is_empty() {
        engine.linker.instantiate_pre(component)?
    } else {
        wasi::with_stand_ins(&engine.linker, component, &wishes.unoffered)?.instantiate_pre(component)?
    };
    InterfacePre::new(pre, wishes.version)
}

/// Whether a subcommand may have this name: 1 to 32 of `a`–`z`, `0`–`9` and `-`, starting with a letter.
pub fn is_subcommand_name(name: &str) -> bool {
    name.len() <= MAX_NAME_LENGTH
        && name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

/// Checks what the plugin in the file `NAME.wasm` says of itself.
fn check_description(
    description: command::Description,
    stem: &str,
    reserved_names: &[&str],
) -> Result<Description, LoadError> {
    let command::Description { name, version, summary, usage } = description;
    if !is_subcommand_name(&name) {
        let shown = one_line(&name, MAX_NAME_LENGTH);
        return Err(LoadError::Description(refused_files::not_a_name(&shown, MAX_NAME_LENGTH)));
    }
    if reserved_names.contains(&name.as_str()) {
        return Err(LoadError::ReservedName { name });
    }
    if name != stem {
        return Err(LoadError::OtherName { name });
    }
    if summary.trim().is_empty() {
        return Err(LoadError::Description(refused_files::NO_SUMMARY.to_owned()));
    }
    Ok(Description {
        name: name.into(),
        version: one_line(&version, MAX_VERSION_LENGTH),
        summary: one_line(&summary, MAX_SUMMARY_LENGTH),
        usage: one_line(&usage, MAX_USAGE_LENGTH),
    })
}
