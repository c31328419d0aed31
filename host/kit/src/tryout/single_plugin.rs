//! One component on its own: loaded as the bot would load it, with everything that it asks for granted.

use std::{fs, path::Path, sync::Arc};

use anyhow::{Context as _, bail};
use sha2::{Digest as _, Sha256};

use crate::{languages::project::MANIFEST, output::say};
use maro_bot::{commands::choosing::host_commands::RESERVED_NAMES, config};
use maro_process::{clock::Clock, metrics::Metrics};
use maro_runtime::{
    engine::Effort,
    inspection::preflight::{self, Wishes},
    loading::{error::LoadError, folder as plugins_folder, loader::PluginLoader},
    policy::{grants::Grant, manifest::Manifest},
    registry::{Registry, snapshot::Plugins},
    running::plugin::LoadedPlugin,
};

/// Components larger than this contain an interpreter and take long to compile.
const LARGE_BYTES: usize = 5_000_000;

/// A plugins folder with one plugin. It is removed when dropped.
pub(crate) struct SinglePlugin {
    folder: tempfile::TempDir,
    /// The name of the component's file, without its ending.
    stem: String,
    pub(crate) grants: Vec<Grant>,
    /// Whether its language can ask for the time.
    pub(crate) reads_time: bool,
    pub(crate) bytes: usize,
    is_slow_to_load: bool,
}

impl SinglePlugin {
    /// Sets up the component at `path` with the limits and settings in the `.toml` next to it. It gets the
    /// grants it needs, not those in that file.
    ///
    /// # Errors
    /// A file can't be read or written, or it isn't a component.
    pub(crate) fn set_up(path: &Path) -> anyhow::Result<Self> {
        let wasm = fs::read(path).with_context(|| format!("can't read {}", path.display()))?;
        let wishes = preflight::inspect(&wasm)?;
        let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let folder = tempfile::tempdir().context("can't write to the folder for temporary files")?;
        let (file, told_as) = (path.with_extension("toml"), authors_manifest(path));
        let manifest = plugins_folder::read_manifest_as(&file, &told_as)?.unwrap_or_default();
        let reads_time = wishes.reads_time;
        let grants = grants(wishes, &manifest);
        let (bytes, is_slow_to_load) = (wasm.len(), is_slow_to_load(&wasm));
        let granted = with_grants(&manifest, &grants);
        if Manifest::parse(&granted).is_err()
            && let Err(problem) = Manifest::parse(&manifest)
        {
            bail!("{told_as}: {problem}");
        }
        fs::write(folder.path().join(format!("{stem}.wasm")), wasm)
            .and_then(|()| fs::write(folder.path().join(format!("{stem}.toml")), granted))
            .context("can't write to the folder for temporary files")?;
        Ok(Self { folder, stem, grants, reads_time, bytes, is_slow_to_load })
    }

    pub(crate) fn dir(&self) -> &Path {
        self.folder.path()
    }

    /// If loading will take a while, says why.
    pub(crate) fn warn_of_compiling(&self) {
        if self.is_slow_to_load {
            say(
                "It contains an interpreter, so loading takes about 10 s the first time. After that it is fast.",
            );
        }
    }

    /// Loads the plugin as the bot does, under the name that it says: what a build leaves behind may be called
    /// otherwise ([`SinglePlugin::name_problem`]).
    ///
    /// # Errors
    /// Why the bot would refuse it.
    pub(crate) async fn load(&self) -> anyhow::Result<Arc<LoadedPlugin>> {
        let registry = registry(self.dir())?;
        registry.load().await?;
        self.loaded(&registry).await
    }

    /// The plugin in a registry of [`SinglePlugin::dir`] that has loaded it.
    ///
    /// # Errors
    /// As [`SinglePlugin::load`].
    pub(crate) async fn loaded(&self, registry: &Registry) -> anyhow::Result<Arc<LoadedPlugin>> {
        let mut plugins = registry.plugins();
        if let Some(LoadError::OtherName { name }) = plugins.refused.first().map(|refusal| &refusal.reason) {
            for ending in ["wasm", "toml"] {
                let file = |stem: &str| self.dir().join(format!("{stem}.{ending}"));
                fs::rename(file(&self.stem), file(name))
                    .context("can't write to the folder for temporary files")?;
            }
            plugins = registry.load().await?;
        }
        only(&plugins)
    }

    /// Why a host wouldn't load the component under the name of its file.
    pub(crate) fn name_problem(&self, plugin: &LoadedPlugin) -> Option<String> {
        let name = plugin.name().to_owned();
        (name != self.stem).then(|| LoadError::OtherName { name }.to_string())
    }
}

/// The file in which an author wrote what stands in the `.toml` beside a component.
fn authors_manifest(component: &Path) -> String {
    let project = component.ancestors().nth(2).map(|project| project.join(MANIFEST));
    let is_built = component.parent().is_some_and(|folder| folder.ends_with("build"));
    if is_built && project.is_some_and(|manifest| manifest.is_file()) {
        return MANIFEST.to_owned();
    }
    component.with_extension("toml").file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// What a plugin is granted here: what it imports, and the clock if the manifest grants it and its language's own clock
/// needs it, which every component with an interpreter imports.
fn grants(wishes: Wishes, manifest: &str) -> Vec<Grant> {
    let Wishes { mut grants, reads_time, .. } = wishes;
    let is_proposed = Manifest::parse(manifest).is_ok_and(|manifest| manifest.allows(Grant::Clock));
    if reads_time && is_proposed && !grants.contains(&Grant::Clock) {
        grants.push(Grant::Clock);
    }
    grants
}

/// The plugin of a folder that has no other.
pub(crate) fn only(plugins: &Plugins) -> anyhow::Result<Arc<LoadedPlugin>> {
    if let Some(refusal) = plugins.refused.first() {
        bail!("{}", refusal.reason);
    }
    plugins.all().next().cloned().context("there is no plugin")
}

/// The plugins in a folder, compiled with the bot's cache.
pub(crate) fn registry(dir: &Path) -> anyhow::Result<Registry> {
    let loader =
        Arc::new(PluginLoader::with_effort(config::load::cache_dir().as_deref(), None, Effort::Quick)?);
    Ok(Registry::new(loader, dir.to_owned(), &RESERVED_NAMES, Arc::new(Metrics::new()), Clock::system()))
}

/// Whether a component takes long to compile and isn't in the cache yet. The names of cache entries start
/// with the component's digest.
pub fn is_slow_to_load(wasm: &[u8]) -> bool {
    wasm.len() > LARGE_BYTES && !config::load::cache_dir().is_some_and(|cache| is_compiled(&cache, wasm))
}

fn is_compiled(cache: &Path, wasm: &[u8]) -> bool {
    let digest = hex::encode(Sha256::digest(wasm));
    let entries = fs::read_dir(cache).into_iter().flatten().flatten();
    entries.into_iter().any(|entry| entry.file_name().to_string_lossy().starts_with(&digest))
}

/// The manifest with its grants replaced.
fn with_grants(manifest: &str, grants: &[Grant]) -> String {
    let granted: Vec<_> = grants.iter().map(|grant| format!("\"{grant}\"")).collect();
    let granted = format!("grants = [{}]", granted.join(", "));
    let mut rest = manifest.parse::<toml::Table>().unwrap_or_default();
    rest.remove("grants");
    // A pin is meant for the operator's file, not for what was just built.
    rest.remove("sha256");
    // Limits on a grant that isn't there would be refused.
    if !grants.contains(&Grant::Http) {
        rest.remove("http");
        rest.remove("secrets");
    }
    if let Some(toml::Value::Table(scopes)) = rest.get_mut("scope") {
        scopes.retain(|grant, _| grants.iter().any(|granted| granted.as_str() == grant));
    }
    format!("{granted}\n{}", toml::to_string(&rest).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grants_are_replaced_and_limits_stay() {
        let manifest = with_grants("grants = [\"jira\"]\n[limits]\ncpu-ms = 100\n", &[Grant::Tracker]);
        assert_eq!(manifest, "grants = [\"tracker\"]\n[limits]\ncpu-ms = 100\n");
    }

    #[test]
    fn what_narrows_a_grant_that_is_not_needed_is_left_out() {
        let manifest =
            "[http]\nhosts = [\"a.example\"]\n[scope]\njira.projects = [\"A\"]\ntracker.admins-only = true\n";
        let manifest = Manifest::parse(&with_grants(manifest, &[Grant::Tracker])).unwrap();
        assert_eq!(manifest.scope.keys().collect::<Vec<_>>(), [&Grant::Tracker]);
        assert!(manifest.hosts.is_empty());
    }
}
