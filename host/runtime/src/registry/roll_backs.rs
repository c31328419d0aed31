//! Running an earlier version of a file instead of the one that lies there.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    path::PathBuf,
    sync::{Arc, MutexGuard, PoisonError},
};

use crate::{
    loading::{
        folder::{self, ContentDigest, PluginFile},
        version_history::KeptVersion,
    },
    registry::{Registry, known_roll_backs::RollBacks, table_readings::TableReading},
    running::plugin::LoadedPlugin,
};
use maro_store::plugin_switches::RollBack;

impl Registry {
    /// Rolls back exactly the plugins that `roll_backs` name, as long as their files have the content that it says,
    /// unless they have been read again since. Returns the files that are to be loaded again for it.
    #[must_use = "until the files are loaded, what ran goes on"]
    pub fn set_roll_backs(&self, reading: TableReading, roll_backs: Vec<RollBack>) -> BTreeSet<String> {
        let Some(_latest) = self.readings.roll_backs.take(reading) else { return BTreeSet::new() };
        // What this replica has lifted may not have gone from the database yet. What another one has lifted has gone,
        // and goes on here until the file changes here, too.
        let mut all = self.roll_backs();
        let rows = roll_backs.into_iter().filter(|row| all.lifted.get(&row.plugin) != Some(row));
        let now: BTreeMap<_, _> = rows.map(|row| (row.plugin.clone(), row)).collect();
        let before = std::mem::replace(&mut all.in_force, now);
        let changed = all.in_force.iter().filter(|(name, row)| before.get(*name) != Some(row));
        changed.map(|(name, _)| format!("{name}.wasm")).collect()
    }

    /// Loads a file again, if it has been seen: at the start, nothing is loaded yet.
    pub async fn load_again(&self, file: &str) {
        let is_known = self.files().files().contains(file);
        if is_known {
            self.load_one(file).await;
        }
    }

    /// The rollbacks that have ended here, since their files have changed, and are to be removed for good.
    pub fn lifted_roll_backs(&self) -> Vec<RollBack> {
        self.roll_backs().lifted.values().cloned().collect()
    }

    /// Takes that a plugin's rollback was removed, or is about to be made again.
    pub fn forget_lifted(&self, plugin: &str) {
        self.roll_backs().lifted.remove(plugin);
    }

    /// Waits until a rollback has ended.
    pub async fn roll_back_lifted(&self) {
        self.lifting.notified().await;
    }

    /// The versions of a plugin that are kept here, the latest first. `None` if none can be kept.
    pub async fn kept_versions(&self, plugin: &str) -> Option<Vec<KeptVersion>> {
        let (loader, dir, plugin) = (Arc::clone(&self.loader), self.dir.clone(), plugin.to_owned());
        let listing = tokio::task::spawn_blocking(move || Some(loader.kept.as_ref()?.list(&dir, &plugin)));
        listing.await.ok().flatten()
    }

    /// What a plugin's file has to contain for a rollback: its content of now, in hexadecimal.
    ///
    /// # Errors
    /// It can't be read.
    pub async fn file_content(&self, plugin: &str) -> io::Result<String> {
        let (dir, name) = (self.dir.clone(), format!("{plugin}.wasm"));
        let reading = tokio::task::spawn_blocking(move || folder::read(&dir, &name));
        Ok(hex::encode(reading.await.map_err(io::Error::other)??.content().0))
    }

    /// The version to roll a plugin back to: the latest that is neither the one that runs nor newer,
    /// and has another component or another manifest.
    pub async fn version_before(&self, plugin: &str, running: Option<&LoadedPlugin>) -> Option<KeptVersion> {
        let kept = self.kept_versions(plugin).await?;
        let runs = |version: &KeptVersion| running.is_some_and(|running| running.runs(&version.content));
        let after = kept.iter().position(runs).map_or(0, |position| position + 1);
        let is_same = |version: &KeptVersion| {
            running.is_some_and(|running| version.is_same_build(running.digest(), running.manifest()))
        };
        kept.into_iter().skip(after).find(|version| !is_same(version))
    }

    /// The file that runs instead of what was read, if there is a rollback and its version is kept here.
    pub(super) fn rolled_back(&self, file: PluginFile) -> io::Result<PluginFile> {
        let content = file.content();
        let Some(roll_back) = self.roll_backs().in_force.get(&file.stem).cloned() else { return Ok(file) };
        let was_undone = roll_back.kept_content == roll_back.file_content;
        if was_undone || roll_back.file_content != hex::encode(content.0) {
            return Ok(file);
        }
        let Some(dir) = self.kept_folder(&roll_back) else {
            tracing::warn!(
                plugin = file.stem,
                version = roll_back.kept_content,
                "a plugin was rolled back to a version that isn't kept here: its file runs"
            );
            return Ok(file);
        };
        let kept = folder::read(&dir, &format!("{}.wasm", file.stem))?;
        Ok(PluginFile { instead_of: Some(content), ..kept })
    }

    fn kept_folder(&self, roll_back: &RollBack) -> Option<PathBuf> {
        self.loader.kept.as_ref()?.folder(&roll_back.plugin, &roll_back.kept_content)
    }

    /// Keeps a version that begins to run, and ends the rollback from what the file contained before.
    pub(super) fn begins_to_run(&self, plugin: &LoadedPlugin, content: ContentDigest) {
        let content_name = hex::encode(content.0);
        if !plugin.runs(&content_name) {
            // It runs instead of its file.
            return;
        }
        self.roll_backs().lift(plugin.name(), &content_name, &self.lifting);
        let (loader, dir, name) = (Arc::clone(&self.loader), self.dir.clone(), plugin.name().to_owned());
        let version = plugin.description().version.clone();
        // Nobody waits for a disk.
        tokio::task::spawn_blocking(move || {
            let kept = loader.kept.as_ref()?.keep(&dir, &name, content, &version);
            kept.inspect_err(
                |error| tracing::warn!(plugin = name, %error, "can't keep a version for a roll-back"),
            )
            .ok()
        });
    }

    fn roll_backs(&self) -> MutexGuard<'_, RollBacks> {
        self.roll_backs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
