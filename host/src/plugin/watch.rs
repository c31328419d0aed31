//! Watching the plugins folder, by looking at it often.
//!
//! Looking costs a fraction of a millisecond for a hundred plugins, and sees what file events do not: a
//! folder on the network or of another container, and links of which a target far away is exchanged, as
//! Kubernetes does it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use tokio::{
    task::{AbortHandle, JoinSet},
    time::{Instant, MissedTickBehavior, interval},
};
use tokio_util::sync::CancellationToken;

use crate::plugin::{
    folder::{Identity, NameFault},
    registry::Registry,
};

/// The time between two looks. A file is read at the second look that finds it the same.
const LOOK_INTERVAL: Duration = Duration::from_millis(80);

/// How long a file must hold still before it is said not to serve: whoever is still writing it may pause for
/// longer than between two looks.
const SETTLING_TIME: Duration = Duration::from_millis(500);

/// Keeps a registry at what is in its folder, until `shutdown`. Begins with what the registry has read.
pub async fn watch(registry: Arc<Registry>, shutdown: CancellationToken) {
    let mut watcher = Watcher::new(registry);
    let mut ticks = interval(LOOK_INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while shutdown.run_until_cancelled(ticks.tick()).await.is_some() {
        watcher.look().await;
    }
}

struct Watcher {
    registry: Arc<Registry>,
    sightings: BTreeMap<String, Sighting>,
    misnamed: BTreeMap<String, NameFault>,
    is_readable: bool,
    /// Updates under way. They end with the watcher.
    updates: JoinSet<()>,
}

/// How a file was last seen.
struct Sighting {
    /// `None` if it is not there any more.
    identity: Option<Identity>,
    since: Instant,
    stage: Stage,
}

enum Stage {
    /// Seen once in this form.
    Changing,
    /// Seen twice; it serves once it is loaded, if it can.
    Tried(AbortHandle),
    /// What is to be said of it has been said.
    Settled,
}

impl Sighting {
    fn new(identity: Option<Identity>, stage: Stage) -> Self {
        Self { identity, since: Instant::now(), stage }
    }
}

impl Watcher {
    fn new(registry: Arc<Registry>) -> Self {
        let sightings = registry
            .identities()
            .into_iter()
            .map(|(name, identity)| (name, Sighting::new(Some(identity), Stage::Settled)))
            .collect();
        Self { registry, sightings, misnamed: BTreeMap::new(), is_readable: true, updates: JoinSet::new() }
    }

    async fn look(&mut self) {
        while self.updates.try_join_next().is_some() {}
        let mut listing = match self.registry.look().await {
            Ok(listing) => listing,
            Err(error) => {
                // What served serves on: a volume that is gone for a moment is no wish to remove plugins.
                if std::mem::replace(&mut self.is_readable, false) {
                    tracing::error!(%error, "the plugins folder cannot be read");
                }
                return;
            }
        };
        self.is_readable = true;
        if listing.misnamed != self.misnamed {
            self.misnamed.clone_from(&listing.misnamed);
            self.registry.set_misnamed(listing.misnamed);
        }
        let known = self.sightings.keys().chain(listing.components.keys());
        for name in known.cloned().collect::<BTreeSet<_>>() {
            let identity = listing.components.remove(&name);
            self.compare(name, identity);
        }
    }

    fn compare(&mut self, name: String, identity: Option<Identity>) {
        let sighting = match self.sightings.get(&name) {
            Some(sighting) if sighting.identity == identity => sighting,
            _ => {
                self.sightings.insert(name, Sighting::new(identity, Stage::Changing));
                return;
            }
        };
        let since = sighting.since;
        let stage = match &sighting.stage {
            Stage::Changing => Stage::Tried(self.update(&name, true)),
            Stage::Tried(update) if !update.is_finished() => return,
            Stage::Tried(_) if identity.is_none() => {
                self.sightings.remove(&name);
                return;
            }
            Stage::Tried(_) if since.elapsed() < SETTLING_TIME => return,
            Stage::Tried(_) => {
                self.update(&name, false);
                Stage::Settled
            }
            Stage::Settled => return,
        };
        self.sightings.insert(name, Sighting { identity, since, stage });
    }

    fn update(&mut self, name: &str, lenient: bool) -> AbortHandle {
        let (registry, name) = (Arc::clone(&self.registry), name.to_owned());
        self.updates.spawn(async move { registry.update(&name, lenient).await })
    }
}
