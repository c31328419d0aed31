//! Which plugins serve, and which files do not and why. Read on every command, swapped as a whole.

use std::{collections::BTreeMap, io, path::PathBuf, sync::Arc};

use arc_swap::ArcSwap;
use futures_util::{StreamExt as _, stream};

use crate::{
    metrics::Metrics,
    plugin::{
        engine::PluginEngine,
        folder::{self, FolderEntry},
        loaded::LoadedPlugin,
        loader::{self, LoadError},
    },
};

/// How many files are loaded at once.
const LOADING_AT_ONCE: usize = 8;

/// A file that does not serve.
#[derive(Debug)]
pub struct Refusal {
    /// The file's name without its ending.
    pub file: String,
    pub reason: LoadError,
}

/// All plugins at one moment.
#[derive(Default)]
pub struct Plugins {
    by_name: BTreeMap<Arc<str>, Arc<LoadedPlugin>>,
    pub refused: Vec<Refusal>,
}

impl Plugins {
    pub fn get(&self, name: &str) -> Option<&Arc<LoadedPlugin>> {
        self.by_name.get(name)
    }

    /// The plugins that serve, by name.
    pub fn all(&self) -> impl Iterator<Item = &Arc<LoadedPlugin>> {
        self.by_name.values()
    }
}

/// The plugins of one folder.
pub struct Registry {
    engine: Arc<PluginEngine>,
    dir: PathBuf,
    reserved_names: &'static [&'static str],
    metrics: Arc<Metrics>,
    plugins: ArcSwap<Plugins>,
}

impl Registry {
    /// A registry of `dir` that is empty until [`Registry::load`].
    pub fn new(
        engine: Arc<PluginEngine>,
        dir: PathBuf,
        reserved_names: &'static [&'static str],
        metrics: Arc<Metrics>,
    ) -> Self {
        Self { engine, dir, reserved_names, metrics, plugins: ArcSwap::default() }
    }

    /// The plugins of this moment. Whoever holds them keeps their versions alive.
    pub fn plugins(&self) -> Arc<Plugins> {
        self.plugins.load_full()
    }

    /// Loads the folder anew and swaps it in. Files that do not load are listed in
    /// [`Plugins::refused`] and logged; the others serve.
    ///
    /// # Errors
    /// The folder cannot be read; what served before serves on.
    pub async fn load(&self) -> io::Result<Arc<Plugins>> {
        let dir = self.dir.clone();
        let entries =
            tokio::task::spawn_blocking(move || folder::read(&dir)).await.map_err(io::Error::other)??;
        let results: Vec<_> =
            stream::iter(entries).map(|entry| self.load_one(entry)).buffered(LOADING_AT_ONCE).collect().await;
        let mut plugins = Plugins::default();
        let mut loaded = Vec::new();
        for result in results {
            match result {
                Ok(plugin) => loaded.push(plugin),
                Err(refusal) => plugins.refused.push(refusal),
            }
        }
        // A plugin in a file of its own name goes first, so that no other file can take that name.
        loaded.sort_by_key(|plugin| (*plugin.file != *plugin.description.name, plugin.file.clone()));
        for plugin in loaded {
            let name = Arc::clone(&plugin.description.name);
            match plugins.by_name.get(&name) {
                Some(holder) => plugins.refused.push(Refusal {
                    file: plugin.file,
                    reason: LoadError::NameTaken {
                        name: name.to_string(),
                        by: format!("{}.wasm", holder.file),
                    },
                }),
                None => drop(plugins.by_name.insert(name, Arc::new(plugin))),
            }
        }
        self.report(&plugins);
        let plugins = Arc::new(plugins);
        self.plugins.store(Arc::clone(&plugins));
        Ok(plugins)
    }

    async fn load_one(&self, entry: FolderEntry) -> Result<LoadedPlugin, Refusal> {
        let loaded = match entry.file {
            Ok(file) => loader::load(&self.engine, file, self.reserved_names, &self.metrics).await,
            Err(error) => Err(LoadError::Unreadable(error)),
        };
        loaded.map_err(|reason| Refusal { file: entry.stem, reason })
    }

    fn report(&self, plugins: &Plugins) {
        self.metrics.set_plugins(plugins.by_name.len(), plugins.refused.len());
        for Refusal { file, reason } in &plugins.refused {
            tracing::error!("plugin {file}.wasm does not serve: {reason}");
        }
        for plugin in plugins.all() {
            tracing::info!(
                plugin = &*plugin.description.name,
                version = plugin.description.version,
                digest = plugin.digest,
                "plugin serves"
            );
        }
    }
}
