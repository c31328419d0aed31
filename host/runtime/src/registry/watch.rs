//! Watching the plugins folder, by looking at it often.
//!
//! Looking at a hundred plugins costs a fraction of a millisecond. It also notices what file events miss: a
//! folder on the network or in another container, and links whose distant target is exchanged, as Kubernetes
//! does it.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use tokio::{
    task::{AbortHandle, JoinSet},
    time::{MissedTickBehavior, interval},
};
use tokio_util::sync::CancellationToken;

use crate::registry::{Registry, event::Effect, report_unreadable};

/// The time between two looks. A file is read at the second look that finds it the same.
const LOOK_INTERVAL: Duration = Duration::from_millis(80);

/// Keeps a registry in step with its folder until `shutdown`. Starts from what the registry has read.
pub async fn watch(registry: Arc<Registry>, shutdown: CancellationToken) {
    registry.start_watching();
    let mut watcher =
        Watcher { registry, is_readable: true, updates: JoinSet::new(), lenient: BTreeMap::new() };
    let mut ticks = interval(LOOK_INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while shutdown.run_until_cancelled(ticks.tick()).await.is_some() {
        watcher.look().await;
    }
}

struct Watcher {
    registry: Arc<Registry>,
    is_readable: bool,
    /// Updates under way. They end with the watcher.
    updates: JoinSet<()>,
    /// Those of them that are lenient, by file.
    lenient: BTreeMap<String, AbortHandle>,
}

impl Watcher {
    async fn look(&mut self) {
        while self.updates.try_join_next().is_some() {}
        let listing = match self.registry.look().await {
            Ok(listing) => listing,
            Err(error) => {
                // The plugins keep running: a volume that is gone for a moment doesn't mean that they should
                // go.
                if std::mem::replace(&mut self.is_readable, false) {
                    report_unreadable(&error);
                }
                return;
            }
        };
        self.is_readable = true;
        self.lenient.retain(|_, update| !update.is_finished());
        for (file, effect) in self.registry.see(listing, |file| self.lenient.contains_key(file)) {
            self.carry_out(file, &effect);
        }
    }

    fn carry_out(&mut self, file: String, effect: &Effect) {
        match *effect {
            Effect::Update { lenient } => {
                let (registry, name) = (Arc::clone(&self.registry), file.clone());
                let update = self.updates.spawn(async move { registry.update(&name, lenient).await });
                if lenient {
                    self.lenient.insert(file, update);
                }
            }
            Effect::Abandon => {
                if let Some(update) = self.lenient.remove(&file) {
                    update.abort();
                }
            }
            // A look begins no attempts, and changes no plugins.
            Effect::Try(_) | Effect::Publish(..) => {}
        }
    }
}
