//! The plugins of a running bot: loaded, watched, and switched as the database says.

pub(crate) mod operators_channel;
pub(crate) mod owners;

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::watch::{Receiver, Sender, channel},
    task::JoinSet,
};
use tokio_util::sync::CancellationToken;

use crate::{commands::choosing::host_commands::RESERVED_NAMES, config::Config, services::Services};
use maro_process::telemetry::error_chain;
use maro_runtime::{
    loading::loader::PluginLoader,
    recording::recorder::Recorder,
    registry::{Registry, watch},
};
use maro_store::plugin_switches::PluginSwitches;

/// How often the switches of plugins are read, which another replica may have changed.
const SWITCHES_INTERVAL: Duration = Duration::from_secs(3);

/// The plugins, and whether they are loaded yet.
pub(crate) struct PluginHost {
    pub(crate) registry: Arc<Registry>,
    pub(crate) recorder: Arc<Recorder>,
    loaded: Receiver<bool>,
}

/// What goes on with the plugins beside the commands.
pub(crate) struct PluginUpkeep {
    registry: Arc<Registry>,
    switches: Arc<dyn PluginSwitches>,
    loaded: Sender<bool>,
}

impl PluginHost {
    /// Nothing is loaded until [`PluginUpkeep::run`].
    pub(crate) fn new(
        loader: Arc<PluginLoader>,
        config: &Config,
        services: &Services,
    ) -> (Self, PluginUpkeep) {
        let registry = Arc::new(Registry::new(
            loader,
            config.plugins.dir.clone(),
            &RESERVED_NAMES,
            Arc::clone(&services.metrics),
            services.clock.clone(),
        ));
        let (sender, loaded) = channel(false);
        let switches = Arc::clone(&services.plugin_switches);
        let upkeep = PluginUpkeep { registry: Arc::clone(&registry), switches, loaded: sender };
        (Self { registry, recorder: Arc::default(), loaded }, upkeep)
    }

    pub(crate) fn are_loaded(&self) -> bool {
        *self.loaded.borrow()
    }

    /// Waits until all plugins are loaded or refused.
    pub(crate) async fn wait_until_loaded(&self) {
        if !self.are_loaded() {
            // An error means that loading has ended for good; commands then find what there is.
            let _ = self.loaded.clone().wait_for(|loaded| *loaded).await;
        }
    }
}

impl PluginUpkeep {
    /// Loads the plugins, says so, and keeps to the folder and the switches, also meanwhile.
    pub(crate) async fn run(self, hot_reload: bool, shutdown: CancellationToken) {
        // First, so that not one command reaches a plugin that is switched off, or a version that was rolled back.
        let mut reloading = JoinSet::new();
        self.follow_switches(&mut reloading).await;
        let loading = async {
            match self.registry.load().await {
                Ok(plugins) => {
                    if plugins.are_none() {
                        tracing::warn!(
                            folder = %self.registry.folder().display(),
                            "no plugin was found: is this the folder with the plugins, and is its volume mounted?"
                        );
                    }
                    tracing::info!(running = plugins.all().count(), refused = plugins.refused.len(), "ready");
                }
                Err(_) if shutdown.is_cancelled() => return,
                // The registry has logged it; the watcher waits for the folder.
                Err(_) => {}
            }
            self.loaded.send_replace(true);
        };
        let retrying = Arc::clone(&self.registry).retry(shutdown.clone());
        let watching = async {
            if hot_reload {
                watch::watch(Arc::clone(&self.registry), shutdown.clone()).await;
            }
        };
        let following = async {
            let pause = async || {
                tokio::select! {
                    () = tokio::time::sleep(SWITCHES_INTERVAL) => {}
                    () = self.registry.roll_back_lifted() => {}
                }
            };
            while shutdown.run_until_cancelled(pause()).await.is_some() {
                self.follow_switches(&mut reloading).await;
            }
        };
        tokio::join!(loading, watching, retrying, following);
    }

    /// What has to be loaded for it is loaded in tasks of its own: a compiler takes its time, and the next switch
    /// doesn't wait for it.
    async fn follow_switches(&self, reloading: &mut JoinSet<()>) {
        while reloading.try_join_next().is_some() {}
        let reading = self.registry.begin_reading();
        match self.switches.disabled().await {
            Ok(switches) => self.registry.set_switches(reading, switches),
            Err(error) => {
                tracing::debug!(error = error_chain(&error), "couldn't read which plugins are off");
            }
        }
        for ended in self.registry.lifted_roll_backs() {
            match self.switches.lift_roll_back(&ended.plugin, &ended.file_content).await {
                Ok(()) => self.registry.forget_lifted(&ended.plugin),
                Err(error) => {
                    tracing::debug!(error = error_chain(&error), "couldn't remove a rollback that has ended");
                }
            }
        }
        let reading = self.registry.begin_reading();
        match self.switches.rolled_back().await {
            Ok(roll_backs) => {
                for file in self.registry.set_roll_backs(reading, roll_backs) {
                    let registry = Arc::clone(&self.registry);
                    reloading.spawn(async move { registry.load_again(&file).await });
                }
            }
            Err(error) => {
                tracing::debug!(error = error_chain(&error), "couldn't read which plugins are rolled back");
            }
        }
    }
}
