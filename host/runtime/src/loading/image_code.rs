//! Compiled code that an image brings, so that no start compiles: `maro plugin compile`.

use std::{
    collections::BTreeMap,
    fs::{self, DirBuilder, Permissions},
    io,
    os::unix::fs::{DirBuilderExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use tokio::task::spawn_blocking;

use crate::{
    engine::{self, Effort, target_processor::Cpu},
    inspection::preflight,
    loading::{
        cache::CodeCache, cache_key, compiler_process, error::LoadError, folder,
        plugin_memory_budget::Ceiling,
    },
};

/// Modes: while code is written, and once everybody may read it.
const PRIVATE: u32 = 0o700;
const READABLE_FOLDER: u32 = 0o755;
const READABLE_FILE: u32 = 0o644;

/// What entries are signed with where they are added by and by.
const KEY: &str = "key";

/// A component that was compiled: how many bytes of code it came to.
pub type CompiledFiles = BTreeMap<String, Result<usize, LoadError>>;

/// Compiles every component of the folder `plugins` into the folder `into`, for `cpu` or, without it, for the processor
/// at hand. Where nobody but root can write `into`, a bot that has it as its cache runs this code.
///
/// # Errors
/// One of the folders can't be used. Components that don't compile are among the result.
pub async fn compile(plugins: &Path, into: &Path, cpu: Option<Cpu>) -> anyhow::Result<CompiledFiles> {
    let listing = folder::look(plugins).with_context(|| format!("{} can't be read", plugins.display()))?;
    let unusable = || format!("{} can't be used", into.display());
    let dir = into.to_owned();
    let opening = spawn_blocking(move || {
        DirBuilder::new().recursive(true).mode(PRIVATE).create(&dir)?;
        // Until all is there. Else a folder of its own would be made within.
        fs::set_permissions(&dir, Permissions::from_mode(PRIVATE))?;
        CodeCache::open(&dir)
    });
    let cache = opening.await?.with_context(unusable)?;
    let compatibility = cache_key::compatibility(cpu)?;
    let mut compiled = BTreeMap::new();
    for name in listing.components.into_keys() {
        let result = compile_one(plugins.to_owned(), &name, cpu).await.and_then(|(digest, code)| {
            cache.put(&cache_key::entry(&digest, compatibility), &code).map_err(LoadError::Unreadable)?;
            Ok(code.len())
        });
        compiled.insert(name, result);
    }
    let dir = into.to_owned();
    spawn_blocking(move || publish(&dir)).await?.with_context(unusable)?;
    Ok(compiled)
}

/// Lets everybody read what was compiled. The image's own cache isn't signed: it needs no key, as nobody else can
/// write there.
fn publish(dir: &Path) -> io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        match path.file_name().is_some_and(|name| name == KEY) {
            true => fs::remove_file(path)?,
            false => fs::set_permissions(path, Permissions::from_mode(READABLE_FILE))?,
        }
    }
    fs::set_permissions(dir, Permissions::from_mode(READABLE_FOLDER))
}

async fn compile_one(dir: PathBuf, name: &str, cpu: Option<Cpu>) -> Result<([u8; 32], Vec<u8>), LoadError> {
    let file = name.to_owned();
    let reading = spawn_blocking(move || {
        let file = folder::read(&dir, &file).map_err(LoadError::Unreadable)?;
        preflight::inspect(&file.wasm)?;
        Ok::<_, LoadError>(file)
    });
    let file = reading.await.map_err(|error| LoadError::Unreadable(io::Error::other(error)))??;
    let code = match compiler_process::compile(&file.wasm, true, cpu, Effort::Full, Ceiling::None).await {
        Some(code) => code?,
        None => spawn_blocking(move || engine::precompile(true, cpu, Effort::Full, &file.wasm))
            .await
            .map_err(|error| LoadError::Compile(error.to_string()))?
            .map_err(|error| LoadError::Compile(format!("{error:#}")))?,
    };
    Ok((file.digest, code))
}

#[cfg(test)]
mod tests {
    use wasmtime::component::Component;

    use super::*;
    use crate::engine::PluginEngine;

    /// An empty component.
    const EMPTY: &[u8] = b"\0asm\x0d\0\x01\0";

    #[test]
    fn code_for_a_family_of_processors_runs_here_under_a_name_of_its_own() {
        let engine = PluginEngine::new(Effort::Full).unwrap();
        let mut names = vec![cache_key::compatibility(None).unwrap()];
        for cpu in Cpu::of_this_family() {
            let code = engine::precompile(true, Some(*cpu), Effort::Full, EMPTY).unwrap();
            #[expect(unsafe_code, reason = "it has just been compiled")]
            // SAFETY: as the reason says.
            let loaded = unsafe { Component::deserialize(&engine.engine, code) };
            if let Err(error) = loaded {
                let error = format!("{error:#}");
                assert!(error.contains("incompatible with native host"), "{cpu:?}: {error}");
                assert_ne!(*cpu, Cpu::X86, "every processor of the family has that");
            }
            names.push(cache_key::compatibility(Some(*cpu)).unwrap());
        }
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}
