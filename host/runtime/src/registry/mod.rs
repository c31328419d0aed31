//! Which plugins run, and which files don't and why. Read on every command, swapped as a whole.

mod attempt;
pub mod case_replay;
mod file_event;
mod file_life;
mod file_version;
mod files;
mod folder_knowledge;
mod folder_look;
mod known_roll_backs;
mod quiet_time;
mod retrying;
mod roll_backs;
pub mod snapshot;
mod table_readings;
#[cfg(test)]
mod tests;
pub mod waiting;
pub mod watch;

use std::{
    collections::BTreeSet,
    io,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use arc_swap::ArcSwap;
use futures_util::{StreamExt as _, stream};
use tokio::{
    sync::{Notify, Semaphore, watch as watch_channel},
    task::JoinSet,
    time::{Instant, timeout},
};
use tokio_util::sync::CancellationToken;

use crate::{
    loading::{
        folder::{self, Listing},
        loader::PluginLoader,
    },
    plugin_changes::{Events, PluginChange},
    registry::{
        file_event::{AttemptOutcome, Effect},
        files::{Attempt, Files},
        folder_knowledge::FolderKnowledge,
        known_roll_backs::RollBacks,
        snapshot::{Absence, Plugins},
        table_readings::{TableReading, TableReadings},
        waiting::Wait,
    },
};
use maro_process::{clock::Clock, metrics::Metrics};
use maro_store::plugin_switches::Switch;
use maro_texts::plugins::loading::loading_long;

/// How many files are loaded at once, most of them waiting for something, and how many are in memory.
const LOADING_AT_ONCE: usize = 32;
const IN_MEMORY_AT_ONCE: usize = 8;

/// MARO's own plugins, and how long the others wait for them where something has to be compiled.
const OWN: [&str; 3] = ["track", "tracked", "untrack"];
const HEAD_START: Duration = Duration::from_millis(500);

/// How often to look for what has to be tried again.
const RETRY_INTERVAL: Duration = Duration::from_millis(250);

/// The plugins of one folder.
pub struct Registry {
    loader: Arc<PluginLoader>,
    dir: PathBuf,
    reserved_names: &'static [&'static str],
    metrics: Arc<Metrics>,
    events: Events,
    /// Held while the whole folder is loaded, so that those who wait for it see what was there when they asked.
    loading: tokio::sync::Mutex<()>,
    closing: CancellationToken,
    /// For files in memory.
    room: Arc<Semaphore>,
    /// Never locked for longer than it takes to step files from one state to the next.
    files: Mutex<Files>,
    plugins: ArcSwap<Plugins>,
    /// Says that there may be another set of plugins, or another attempt.
    changed: watch_channel::Sender<()>,
    folder_knowledge: Mutex<FolderKnowledge>,
    readings: TableReadings,
    roll_backs: Mutex<RollBacks>,
    /// Says that a rollback was lifted.
    lifting: Notify,
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
            changed: watch_channel::Sender::new(()),
            folder_knowledge: Mutex::default(),
            readings: TableReadings::default(),
            roll_backs: Mutex::default(),
            lifting: Notify::new(),
        }
    }

    /// The plugins of this moment. Holding them keeps their versions alive.
    pub fn plugins(&self) -> Arc<Plugins> {
        self.plugins.load_full()
    }

    /// How long people have been waiting for what is in a file, if that is longer than some seconds.
    pub fn wait(&self, file: &str) -> Option<Wait> {
        self.files().wait(file, Instant::now())
    }

    /// What happens to the plugins.
    pub fn events(&self) -> &Events {
        &self.events
    }

    /// Loads what is new or has changed in the folder, tries again what was refused, and swaps in each file as soon
    /// as it is loaded, MARO's own plugins first. Files that can't be loaded are listed in [`Plugins::refused`];
    /// their previous versions keep running.
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
        let listing = self.look(true).await.inspect_err(|error| self.note_outage(error, true))?;
        let mut names = self.files().files();
        names.extend(listing.components.into_keys());
        let _awaiting = Awaiting::all(self, &names);
        self.change(|files| {
            // What is copied while MARO runs may be half of something.
            let is_first = !files.is_listed;
            files.is_listed = true;
            files.find_misnamed(listing.misnamed, Instant::now(), is_first)
        });
        let (own, others): (Vec<_>, Vec<_>) =
            names.iter().partition(|name| OWN.contains(&folder::stem(name)));
        let own_are_loaded = CancellationToken::new();
        let own = async {
            stream::iter(own).for_each_concurrent(LOADING_AT_ONCE, |name| self.load_one(name)).await;
            own_are_loaded.cancel();
        };
        let others = async {
            let _ = timeout(HEAD_START, own_are_loaded.cancelled()).await;
            stream::iter(others).for_each_concurrent(LOADING_AT_ONCE, |name| self.load_one(name)).await;
        };
        tokio::join!(own, others);
        Ok(self.plugins())
    }

    /// As [`Registry::load`], for the file of one plugin, whether it has been seen before or not.
    ///
    /// # Errors
    /// As [`Registry::load`].
    pub async fn load_plugin(&self, plugin: &str) -> io::Result<()> {
        let file = format!("{plugin}.wasm");
        let loading = async {
            let _loading = self.loading.lock().await;
            // Who wants one plugin doesn't say that an empty folder is meant.
            self.look(false).await.inspect_err(|error| self.note_outage(error, true))?;
            self.load_one(&file).await;
            Ok(())
        };
        let closed = || Err(io::Error::other("MARO is stopping"));
        self.closing.run_until_cancelled(loading).await.unwrap_or_else(closed)
    }

    /// Loads one file, and swaps it in as soon as it is loaded.
    async fn load_one(&self, name: &str) {
        if let Some(attempt) = self.insist(name).await {
            self.settle(attempt, false);
        }
    }

    /// Takes an attempt that has ended. A version that begins to run is kept.
    fn settle(&self, attempt: Attempt, lenient: bool) {
        let loaded = match &attempt.outcome {
            AttemptOutcome::Loaded { content, plugin } => {
                Some((attempt.file.clone(), *content, Arc::clone(plugin)))
            }
            _ => None,
        };
        self.change(|files| files.settle(attempt, lenient, Instant::now()));
        if let Some((file, content, plugin)) = loaded
            && self.files().running(&file).is_some_and(|running| Arc::ptr_eq(running, &plugin))
        {
            self.begins_to_run(&plugin, content);
        }
    }

    /// Loads one file if its content has changed, and swaps it in. If `lenient`, a refusal isn't reported
    /// yet: the file may not be whole.
    async fn update(&self, name: &str, lenient: bool) {
        match self.attempt(name, false).await {
            Some(attempt) => self.settle(attempt, lenient),
            None => self.metrics.plugin_reload("stale"),
        }
    }

    /// Tries again what may have passed since it was refused, and logs for what people wait, until `shutdown`.
    pub async fn retry(self: Arc<Self>, shutdown: CancellationToken) {
        let mut retries = JoinSet::new();
        while shutdown.run_until_cancelled(tokio::time::sleep(RETRY_INTERVAL)).await.is_some() {
            while retries.try_join_next().is_some() {}
            let effects = self.files().tick(Instant::now());
            for (file, effect) in effects {
                match effect {
                    Effect::Retry => {
                        let registry = Arc::clone(&self);
                        retries.spawn(async move { registry.load_one(&file).await });
                    }
                    Effect::TellWait(wait) => {
                        tracing::info!("{}", loading_long(&file, (wait.time, wait.stage.reason())));
                    }
                    Effect::Update { .. } | Effect::Try(_) | Effect::Publish(..) => {}
                }
            }
        }
    }

    /// The plugins as soon as one called `name` may be run or is known not to be, or after `patience`.
    pub async fn settled(&self, name: &str, patience: Duration) -> Arc<Plugins> {
        let mut changed = self.changed.subscribe();
        let is_settled = || {
            let plugins = self.plugins.load();
            let is_known = plugins.get(name).is_some() || plugins.disabled(name).is_some();
            is_known || plugins.absence(name) != Absence::Loading
        };
        let waiting = async {
            // Nobody closes this channel.
            while !is_settled() && changed.changed().await.is_ok() {}
        };
        let _ = timeout(patience, waiting).await;
        self.plugins()
    }

    /// Takes what a look at the folder found, and returns what is to be done about which file. `is_busy` says
    /// of which files an update is under way.
    fn see(&self, listing: Listing, is_busy: impl Fn(&str) -> bool) -> Vec<(String, Effect)> {
        let (mut files, now) = (self.files(), Instant::now());
        let before = (files.is_listed, files.shown());
        files.is_listed = true;
        let told = files.find_misnamed(listing.misnamed, now, false);
        let effects = files.see(listing.components, is_busy, now);
        if (true, files.shown()) != before {
            self.swap(&files, told);
        }
        effects
    }

    /// Call this before the table of switches or that of rollbacks is read.
    pub fn begin_reading(&self) -> TableReading {
        self.readings.begin()
    }

    /// Switches off exactly the plugins that `switches` name, unless they have been read again since.
    pub fn set_switches(&self, reading: TableReading, switches: Vec<Switch>) {
        if let Some(_latest) = self.readings.switches.take(reading) {
            self.change(|files| files.set_switches(switches));
        }
    }

    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// Sets the metrics that show how things are at this moment.
    pub fn observe(&self) {
        let plugins = self.plugins();
        let disabled = plugins.all_disabled().count();
        let versions =
            plugins.all().map(|plugin| (plugin.name(), plugin.digest(), &*plugin.description().version));
        self.metrics.plugin_versions.set(versions);
        self.metrics.set_plugins(plugins.all().count(), plugins.refused.len(), disabled);
        let breakers = plugins.all().map(|plugin| (plugin.name(), plugin.breaker().is_open()));
        self.metrics.set_breakers(breakers);
    }

    /// The one way to another set of plugins: one change at a time, one swap for each.
    fn change(&self, change: impl FnOnce(&mut Files) -> Vec<Effect>) {
        let mut files = self.files();
        let effects = change(&mut files);
        self.swap(&files, effects);
    }

    fn swap(&self, files: &Files, effects: Vec<Effect>) {
        self.plugins.store(Arc::new(files.plugins()));
        for effect in effects {
            if let Effect::Publish(plugin, what) = effect {
                self.report(&plugin, &what);
                self.events.publish(&plugin, what);
            }
        }
        self.changed.send_replace(());
    }

    fn files(&self) -> MutexGuard<'_, Files> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
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
            // It was logged once, at the start.
            PluginChange::Refused { of_the_machine: true, .. } => self.metrics.plugin_reload("refused"),
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

/// Shows files as being loaded until this is dropped.
struct Awaiting<'a> {
    registry: &'a Registry,
    files: &'a BTreeSet<String>,
}

impl<'a> Awaiting<'a> {
    fn all(registry: &'a Registry, files: &'a BTreeSet<String>) -> Self {
        registry.change(|all| {
            all.await_all(files);
            Vec::new()
        });
        Self { registry, files }
    }
}

impl Drop for Awaiting<'_> {
    fn drop(&mut self) {
        self.registry.change(|all| {
            all.await_no_longer(self.files);
            Vec::new()
        });
    }
}
