//! Which plugins run, and which files don't and why. Read on every command, swapped as a whole.

pub mod case_replay;
mod event;
mod file_life;
mod files;
pub mod snapshot;
#[cfg(test)]
mod tests;
pub mod watch;

use std::{
    io,
    path::PathBuf,
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use arc_swap::ArcSwap;
use futures_util::{StreamExt as _, stream};
use tokio::{
    sync::Semaphore,
    time::{Instant, timeout},
};
use tokio_util::sync::CancellationToken;

use crate::{
    events::{Events, PluginChange},
    loading::{
        error::LoadError,
        folder::{self, Identity, Listing, PluginFile},
        loader::PluginLoader,
    },
    policy::manifest::Manifest,
    registry::{
        event::{Effect, Event, Known, Outcome, Refused, Ticket},
        files::{Attempt, Files},
        snapshot::Plugins,
    },
    running::plugin::LoadedPlugin,
};
use maro_process::{clock::Clock, metrics::Metrics};
use maro_store::plugin_switches::Switch;
use maro_tickets::texts;

/// How many files are loaded at once, most of them waiting for something, and how many are in memory.
const LOADING_AT_ONCE: usize = 32;
const IN_MEMORY_AT_ONCE: usize = 8;

/// How long reading a file may take: a file on a network may never arrive.
const READING_TIME: Duration = Duration::from_secs(10);

/// How often a file is read if it changes while it is being read, and the pause in between.
const READINGS: usize = 10;
const READING_PAUSE: Duration = Duration::from_millis(100);

/// How long loading a file may take before it is shown, and before its manifest applies to the version that is
/// already running.
const MOMENT: Duration = Duration::from_millis(500);

/// The plugins of one folder.
pub struct Registry {
    loader: Arc<PluginLoader>,
    dir: PathBuf,
    reserved_names: &'static [&'static str],
    metrics: Arc<Metrics>,
    events: Events,
    /// Held while the whole folder is loaded, so that whoever waits for it sees what was there when they asked.
    loading: tokio::sync::Mutex<()>,
    closing: CancellationToken,
    /// For files in memory.
    room: Arc<Semaphore>,
    /// Never locked for longer than it takes to step files from one state to the next.
    files: Mutex<Files>,
    plugins: ArcSwap<Plugins>,
}

impl Registry {
    /// A registry of `dir` that is empty until [`Registry::load`]. `clock` dates events and times breakers.
    pub fn new(
        loader: Arc<PluginLoader>,
        dir: PathBuf,
        reserved_names: &'static [&'static str],
        metrics: Arc<Metrics>,
        clock: Clock,
    ) -> Self {
        Self {
            loader,
            dir,
            reserved_names,
            metrics,
            events: Events::new(clock),
            loading: tokio::sync::Mutex::default(),
            closing: CancellationToken::new(),
            room: Arc::new(Semaphore::new(IN_MEMORY_AT_ONCE)),
            files: Mutex::default(),
            plugins: ArcSwap::default(),
        }
    }

    /// The plugins of this moment. Whoever holds them keeps their versions alive.
    pub fn plugins(&self) -> Arc<Plugins> {
        self.plugins.load_full()
    }

    /// What happens to the plugins.
    pub fn events(&self) -> &Events {
        &self.events
    }

    /// Loads what is new or has changed in the folder, tries again what was refused, and swaps all of it in
    /// at once. Files that can't be loaded are listed in [`Plugins::refused`]; their previous versions keep
    /// running.
    ///
    /// # Errors
    /// The folder can't be read, which is logged, or the registry is closed; what ran before keeps running.
    pub async fn load(&self) -> io::Result<Arc<Plugins>> {
        let closed = || Err(io::Error::other("MARO is stopping"));
        self.closing.run_until_cancelled(self.load_all()).await.unwrap_or_else(closed)
    }

    /// Stops loading: nobody waits for a compiler any longer.
    pub fn close(&self) {
        self.closing.cancel();
    }

    async fn load_all(&self) -> io::Result<Arc<Plugins>> {
        let _loading = self.loading.lock().await;
        let listing = self.look().await.inspect_err(report_unreadable)?;
        let mut names = self.files().files();
        names.extend(listing.components.into_keys());
        let attempts: Vec<_> = stream::iter(names)
            .map(|name| async move { self.insist(&name).await })
            .buffer_unordered(LOADING_AT_ONCE)
            .filter_map(std::future::ready)
            .collect()
            .await;
        self.change(|files| {
            let mut effects = files.set_misnamed(listing.misnamed);
            effects.extend(files.settle(attempts, false));
            effects
        });
        Ok(self.plugins())
    }

    /// Loads one file if its content has changed, and swaps it in. If `lenient`, a refusal isn't reported
    /// yet: the file may not be whole.
    async fn update(&self, name: &str, lenient: bool) {
        match self.attempt(name, false).await {
            Some(attempt) => self.change(|files| files.settle(vec![attempt], lenient)),
            None => self.metrics.plugin_reload("stale"),
        }
    }

    /// Lists the folder without reading its files.
    async fn look(&self) -> io::Result<Listing> {
        let dir = self.dir.clone();
        tokio::task::spawn_blocking(move || folder::look(&dir)).await.map_err(io::Error::other)?
    }

    /// Starts watching the files, as they were when they were last read.
    fn start_watching(&self) {
        self.files().start_watching(Instant::now());
    }

    /// Takes what a look at the folder found, and returns what is to be done about which file. `is_busy` says
    /// of which files a lenient update is under way.
    fn see(&self, listing: Listing, is_busy: impl Fn(&str) -> bool) -> Vec<(String, Effect)> {
        if !self.files().are_misnamed(&listing.misnamed) {
            self.change(|files| files.set_misnamed(listing.misnamed));
        }
        self.files().see(listing.components, is_busy, Instant::now())
    }

    /// Switches off exactly the plugins that `switches` name.
    pub fn set_switches(&self, switches: Vec<Switch>) {
        self.change(|files| files.set_switches(switches));
    }

    /// Sets the metrics that show how things are at this moment.
    pub fn observe(&self) {
        let plugins = self.plugins();
        let disabled = plugins.all_disabled().count();
        self.metrics.set_plugins(plugins.all().count(), plugins.refused.len(), disabled);
        let breakers = plugins.all().map(|plugin| (plugin.name(), plugin.breaker().is_open()));
        self.metrics.set_breakers(breakers);
    }

    /// The one way to another set of plugins: one change at a time, one swap for each.
    fn change(&self, change: impl FnOnce(&mut Files) -> Vec<Effect>) {
        let mut files = self.files();
        let effects = change(&mut files);
        self.plugins.store(Arc::new(files.plugins()));
        for effect in effects {
            if let Effect::Publish(plugin, what) = effect {
                self.report(&plugin, &what);
                self.events.publish(&plugin, what);
            }
        }
    }

    fn files(&self) -> MutexGuard<'_, Files> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// As [`Registry::attempt`], but also tries again what was refused, and waits until the file holds still.
    async fn insist(&self, name: &str) -> Option<Attempt> {
        for _ in 0..READINGS {
            if let Some(attempt) = self.attempt(name, true).await {
                return Some(attempt);
            }
            tokio::time::sleep(READING_PAUSE).await;
        }
        let (ticket, _) = self.files().begin(name, true);
        let outcome = Outcome::Refused(Refused::unread(LoadError::Unsettled));
        Some(Attempt { file: name.to_owned(), identity: self.identity(name).await?, ticket, outcome })
    }

    /// Reads a file and loads what has changed. `None` if the file changed meanwhile.
    async fn attempt(&self, name: &str, again: bool) -> Option<Attempt> {
        let (ticket, known) = self.files().begin(name, again);
        let before = self.identity(name).await?;
        let outcome = {
            let mut trying = pin!(self.try_out(name, &before, known));
            match timeout(MOMENT, &mut trying).await {
                Ok(outcome) => outcome,
                Err(_) => {
                    let _loading = Loading::show(self, name, ticket);
                    self.enforce(name, ticket, &before).await;
                    trying.await
                }
            }
        };
        // A compiler takes its time, and what was read may be an older file by now.
        let is_stale = self.identity(name).await? != before;
        (!is_stale).then(|| Attempt { file: name.to_owned(), identity: before, ticket, outcome })
    }

    async fn try_out(&self, name: &str, before: &Identity, known: Known) -> Outcome {
        let file = match self.read(name).await {
            Ok(file) => file,
            Err(error) if before.is_absent() && error.kind() == io::ErrorKind::NotFound => {
                return Outcome::Gone;
            }
            Err(error) => {
                let manifest = self.read_manifest(name).await;
                let unread = Refused::unread(LoadError::Unreadable(error));
                return Outcome::Refused(Refused { manifest, ..unread });
            }
        };
        let content = file.content();
        if Some(content) == known.tried {
            return Outcome::Unchanged;
        }
        if let Some(withheld) = known.withheld.filter(|withheld| withheld.content == Some(content)) {
            return Outcome::Refused(withheld);
        }
        let digest = Some(hex::encode(file.digest));
        let manifest = Manifest::parse(file.manifest.as_deref().unwrap_or("")).ok().map(Arc::new);
        match self.admit(file).await {
            Ok(plugin) => Outcome::Loaded { content, plugin: Arc::new(plugin) },
            Err(reason) => Outcome::Refused(Refused { content: Some(content), digest, manifest, reason }),
        }
    }

    /// Applies the current manifest to the version that is running, before its successor is loaded.
    async fn enforce(&self, name: &str, ticket: Ticket, before: &Identity) {
        let manifest = self.read_manifest(name).await;
        if let Some(manifest) = manifest
            && self.identity(name).await.as_ref() == Some(before)
            && !before.is_absent()
        {
            self.change(|files| files.step(name, Event::ManifestRead { ticket, manifest }));
        }
    }

    /// The manifest of a file, if it can be understood.
    async fn read_manifest(&self, name: &str) -> Option<Arc<Manifest>> {
        let (dir, name) = (self.dir.clone(), name.to_owned());
        let reading = tokio::task::spawn_blocking(move || folder::read_manifest(&dir, &name));
        let text = reading.await.ok()?.ok()?;
        Manifest::parse(text.as_deref().unwrap_or("")).ok().map(Arc::new)
    }

    /// Everything that a new version must pass before it may run.
    async fn admit(&self, file: PluginFile) -> Result<LoadedPlugin, LoadError> {
        let mut plugin =
            self.loader.load(&self.dir, file, self.reserved_names, &self.metrics, &self.events).await?;
        case_replay::admit(&mut plugin, &self.dir).await?;
        Ok(plugin)
    }

    async fn identity(&self, name: &str) -> Option<Identity> {
        let (dir, name) = (self.dir.clone(), name.to_owned());
        tokio::task::spawn_blocking(move || folder::identity(&dir, &name)).await.ok()
    }

    async fn read(&self, name: &str) -> io::Result<PluginFile> {
        // Nobody closes this semaphore.
        let room = Arc::clone(&self.room).acquire_owned().await.ok();
        let (dir, name) = (self.dir.clone(), name.to_owned());
        let reading = tokio::task::spawn_blocking(move || folder::read(&dir, &name));
        let late = |_| io::Error::new(io::ErrorKind::TimedOut, texts::plugin_files::READING_TOO_SLOW);
        let read = timeout(READING_TIME, reading).await.map_err(late)?;
        Ok(PluginFile { room, ..read.map_err(io::Error::other)?? })
    }

    fn report(&self, plugin: &str, what: &PluginChange) {
        match what {
            PluginChange::Loaded { digest } => {
                self.metrics.plugin_reload("loaded");
                tracing::info!(plugin, digest, "plugin loaded");
            }
            PluginChange::Replaced { from, to } => {
                self.metrics.plugin_reload("replaced");
                tracing::info!(plugin, from, digest = to, "plugin reloaded");
            }
            PluginChange::Removed => {
                self.metrics.plugin_reload("removed");
                tracing::info!(plugin, "plugin unloaded");
            }
            PluginChange::Refused { reason, kept, .. } => {
                self.metrics.plugin_reload("refused");
                let earlier = if kept.is_some() { "; the previous version is still running" } else { "" };
                tracing::error!("plugin {plugin} couldn't be loaded: {reason}{earlier}");
            }
            PluginChange::Disabled { by } => {
                tracing::warn!(plugin, user = by.as_str(), "plugin turned off");
            }
            PluginChange::Enabled => tracing::info!(plugin, "plugin turned on"),
            PluginChange::BreakerOpened { .. } | PluginChange::BreakerClosed => {}
        }
    }
}

/// Logs that the folder can't be read.
fn report_unreadable(error: &io::Error) {
    tracing::error!(%error, "can't read the plugins folder");
}

/// Shows a file as being loaded until this is dropped.
struct Loading<'a> {
    registry: &'a Registry,
    name: &'a str,
    ticket: Ticket,
}

impl<'a> Loading<'a> {
    fn show(registry: &'a Registry, name: &'a str, ticket: Ticket) -> Self {
        registry.change(|files| files.step(name, Event::TakesLong(ticket)));
        Self { registry, name, ticket }
    }
}

impl Drop for Loading<'_> {
    fn drop(&mut self) {
        self.registry.change(|files| files.step(self.name, Event::TakesNoLonger(self.ticket)));
    }
}
