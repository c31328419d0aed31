//! From a file to a plugin that serves: preflight, compile or fetch from the cache, link, describe.

use std::{
    hash::{DefaultHasher, Hash as _, Hasher as _},
    io,
    sync::{Arc, Mutex},
};

use sha2::{Digest as _, Sha256};
use tokio::sync::Semaphore;
use wasmtime::component::Component;

use crate::{
    domain::issue::one_line,
    metrics::Metrics,
    plugin::{
        bindings::exports::maro::plugin::command,
        engine::PluginEngine,
        folder::PluginFile,
        instance::Invocation,
        interface::{InterfacePre, Version},
        loaded::{self, Description, Fault, LoadedPlugin},
        manifest::Manifest,
        preflight::{self, PreflightError},
    },
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
) -> Result<LoadedPlugin, LoadError> {
    let manifest_file = format!("{}.toml", file.stem);
    let manifest = Manifest::parse(file.manifest.as_deref().unwrap_or(""))
        .map_err(|problem| LoadError::Manifest { file: manifest_file.clone(), problem })?;
    let wishes = preflight::inspect(&file.wasm)?;
    preflight::check_grants(&wishes, &manifest, &manifest_file)?;
    let manifest = Arc::new(manifest);
    let stem = file.stem;
    let (digest, pre) = compile_and_link(engine, file.wasm, wishes.version).await?;
    let invocation = Invocation::for_describe(stem.as_str().into(), Arc::clone(&manifest));
    let description = loaded::describe(&pre, invocation).await.map_err(LoadError::Describe)?;
    let description = check_description(description, reserved_names)?;
    Ok(LoadedPlugin {
        metrics: metrics.subcommand(&description.name),
        description,
        file: stem,
        digest,
        pre,
        places: Semaphore::new(manifest.limits.concurrency as usize),
        all_places: Arc::clone(&engine.places),
        manifest,
        last_fault: Mutex::new(None),
    })
}

/// Compiles away from the threads that answer people.
async fn compile_and_link(
    engine: &Arc<PluginEngine>,
    wasm: Vec<u8>,
    version: Version,
) -> Result<(String, InterfacePre), LoadError> {
    let engine = Arc::clone(engine);
    let compiling = tokio::task::spawn_blocking(move || {
        let digest = Sha256::digest(&wasm);
        let component = component(&engine, &wasm, &digest)?;
        let pre = engine
            .linker
            .instantiate_pre(&component)
            .and_then(|pre| InterfacePre::new(pre, version))
            .map_err(|error| LoadError::Link(format!("{error:#}")))?;
        Ok((hex::encode(digest), pre))
    });
    compiling.await.unwrap_or_else(|error| Err(LoadError::Compile(error.to_string())))
}

fn component(engine: &PluginEngine, wasm: &[u8], digest: &[u8]) -> Result<Component, LoadError> {
    let mut compatibility = DefaultHasher::new();
    engine.engine.precompile_compatibility_hash().hash(&mut compatibility);
    let key = format!("{}-{:016x}", hex::encode(digest), compatibility.finish());
    if let Some(code) = engine.cache.as_ref().and_then(|cache| cache.get(&key)) {
        #[expect(
            unsafe_code,
            reason = "the code comes from a folder that only this user can write, under a digest of its \
                      content, the plugin's and the engine's; whoever can change it can change this program"
        )]
        let component = unsafe { Component::deserialize(&engine.engine, &code) };
        match component {
            Ok(component) => return Ok(component),
            Err(error) => tracing::warn!(
                error = format!("{error:#}"),
                "an unusable entry of the code cache is compiled again"
            ),
        }
    }
    let component = Component::from_binary(&engine.engine, wasm)
        .map_err(|error| LoadError::Compile(format!("{error:#}")))?;
    if let Some(cache) = &engine.cache {
        let stored = component.serialize().map_err(io::Error::other).and_then(|code| cache.put(&key, &code));
        if let Err(error) = stored {
            tracing::warn!(%error, "a compiled plugin cannot be kept: the next start compiles it again");
        }
    }
    Ok(component)
}

fn check_description(
    description: command::Description,
    reserved_names: &[&str],
) -> Result<Description, LoadError> {
    let command::Description { name, version, summary, usage } = description;
    let well_formed = name.len() <= MAX_NAME_LENGTH
        && name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    if !well_formed {
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
