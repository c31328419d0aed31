//! Running an earlier version of a file instead of the one that lies there.

use std::{
    collections::BTreeMap,
    io,
    path::PathBuf,
    sync::{Arc, MutexGuard, PoisonError},
};

use crate::{
    loading::{
        folder::{self, ContentDigest, PluginFile},
        kept::KeptVersion,
    },
    registry::Registry,
    running::plugin::LoadedPlugin,
};
use maro_store::plugin_switches::RollBack;
use maro_tickets::texts::plugins::plugin_files;

impl Registry {
    /// Rolls back exactly the plugins that `roll_backs` name, as long as their files have the content that it says.
    pub async fn set_roll_backs(&self, roll_backs: Vec<RollBack>) {
        let now: BTreeMap<_, _> = roll_backs.into_iter().map(|row| (row.plugin.clone(), row)).collect();
        let before = std::mem::replace(&mut *self.roll_backs(), now.clone());
        let changed = |name: &&String| before.get(*name) != now.get(*name);
        let changed: Vec<_> = now.keys().chain(before.keys()).filter(changed).cloned().collect();
        for name in changed {
            let file = format!("{name}.wasm");
            // At the start, nothing is loaded yet.
            if self.files().files().contains(&file) {
                self.load_one(&file).await;
            }
        }
    }

    /// The versions of a plugin that are kept here, the latest first. `None` if none can be kept.
    pub async fn kept_versions(&self, plugin: &str) -> Option<Vec<KeptVersion>> {
        let (loader, plugin) = (Arc::clone(&self.loader), plugin.to_owned());
        let listing = tokio::task::spawn_blocking(move || Some(loader.kept.as_ref()?.list(&plugin)));
        listing.await.ok().flatten()
    }

    /// What a plugin's file has to contain for a roll-back: its content of now, in hexadecimal.
    ///
    /// # Errors
    /// It can't be read.
    pub async fn file_content(&self, plugin: &str) -> io::Result<String> {
        let (dir, name) = (self.dir.clone(), format!("{plugin}.wasm"));
        let reading = tokio::task::spawn_blocking(move || folder::read(&dir, &name));
        Ok(hex::encode(reading.await.map_err(io::Error::other)??.content().0))
    }

    /// The version to roll a plugin back to: the latest that is neither the one that runs nor newer.
    pub async fn version_before(&self, plugin: &str, running: Option<&LoadedPlugin>) -> Option<KeptVersion> {
        let kept = self.kept_versions(plugin).await?;
        let runs = |version: &KeptVersion| running.is_some_and(|running| running.runs(&version.content));
        let after = kept.iter().position(runs).map_or(0, |position| position + 1);
        kept.into_iter().nth(after)
    }

    /// The file that runs instead of what was read, if there is a roll-back and its version is kept here.
    pub(super) fn rolled_back(&self, file: PluginFile) -> io::Result<PluginFile> {
        let content = file.content();
        let Some(roll_back) = self.roll_backs().get(&file.stem).cloned() else { return Ok(file) };
        if roll_back.file_content != hex::encode(content.0) {
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

    /// Keeps a version that begins to run, or says of one that was kept that it runs instead of its file.
    pub(super) fn keep(
        &self,
        plugin: &mut LoadedPlugin,
        content: ContentDigest,
        dir: PathBuf,
        is_rolled_back: bool,
    ) {
        if is_rolled_back {
            let kept = dir.file_name().unwrap_or_default().to_string_lossy().into_owned();
            plugin.set_content(kept);
            return plugin.warn(plugin_files::ROLLED_BACK.to_owned());
        }
        plugin.set_content(hex::encode(content.0));
        let (loader, name) = (Arc::clone(&self.loader), plugin.name().to_owned());
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

    fn roll_backs(&self) -> MutexGuard<'_, BTreeMap<String, RollBack>> {
        self.roll_backs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
