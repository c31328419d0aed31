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

use crate::{
    loading::folder::{Identity, NameFault},
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

/// How long after a file was seen to change another write may hide behind the same times: file systems keep
/// them to two seconds at worst.
const COARSEST_TIME: Duration = Duration::from_secs(2);

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
    /// What is to be said of it has been said. Another write may hide behind its times.
    Told,
    /// Nobody writes to it without its looking different.
    Settled,
}

/// What is to be done about a file that looks as it did at the last look.
#[derive(Debug, PartialEq, Eq)]
enum Step {
    Wait,
    /// Read it, and load it if its content is new and can serve.
    Try,
    /// Forget that it was there.
    Forget,
    /// As `Try`, and say so if it cannot serve. Nothing more is to be done about it if `settled`.
    Insist {
        settled: bool,
    },
}

impl Stage {
    /// `seen_for` since it first looked as it does; `identity` is `None` if it is not there.
    fn step(&self, seen_for: Duration, identity: Option<&Identity>) -> Step {
        let hides_nothing =
            || seen_for >= COARSEST_TIME || !identity.is_some_and(|identity| identity.is_coarse());
        match self {
            Self::Changing => Step::Try,
            Self::Tried(update) if !update.is_finished() => Step::Wait,
            Self::Tried(_) if identity.is_none() => Step::Forget,
            Self::Tried(_) if seen_for < SETTLING_TIME => Step::Wait,
            Self::Tried(_) => Step::Insist { settled: hides_nothing() },
            Self::Told if seen_for < COARSEST_TIME => Step::Wait,
            Self::Told => Step::Insist { settled: true },
            Self::Settled => Step::Wait,
        }
    }
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
            .map(|(name, identity)| {
                let stage = if identity.is_coarse() { Stage::Told } else { Stage::Settled };
                (name, Sighting::new(Some(identity), stage))
            })
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
                    tracing::error!(%error, "can't read the plugins folder");
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
            earlier => {
                // What it was is of no use any more, and need not wait for a compiler.
                if let Some(Sighting { stage: Stage::Tried(update), .. }) = earlier {
                    update.abort();
                }
                self.sightings.insert(name, Sighting::new(identity, Stage::Changing));
                return;
            }
        };
        let since = sighting.since;
        let stage = match sighting.stage.step(since.elapsed(), identity.as_ref()) {
            Step::Wait => return,
            Step::Forget => {
                self.sightings.remove(&name);
                return;
            }
            Step::Try => Stage::Tried(self.update(&name, true)),
            Step::Insist { settled } => {
                self.update(&name, false);
                if settled { Stage::Settled } else { Stage::Told }
            }
        };
        self.sightings.insert(name, Sighting { identity, since, stage });
    }

    fn update(&mut self, name: &str, lenient: bool) -> AbortHandle {
        let (registry, name) = (Arc::clone(&self.registry), name.to_owned());
        self.updates.spawn(async move { registry.update(&name, lenient).await })
    }
}

#[cfg(test)]
mod tests {
    use std::{
        fs::File,
        time::{Duration, SystemTime},
    };

    use super::*;
    use crate::loading::folder;

    /// A file that was last written at a time with these nanoseconds, as its file system tells it.
    fn written(nanoseconds: u64) -> Identity {
        let folder = tempfile::tempdir().unwrap();
        let file = File::create(folder.path().join("a.wasm")).unwrap();
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_767_225_600);
        file.set_modified(time + Duration::from_nanos(nanoseconds)).unwrap();
        folder::identity(folder.path(), "a.wasm")
    }

    async fn tried() -> Stage {
        let update = tokio::spawn(async {});
        let handle = update.abort_handle();
        update.await.unwrap();
        Stage::Tried(handle)
    }

    #[tokio::test]
    async fn a_write_that_hides_behind_whole_seconds_is_looked_for_again() {
        let (coarse, fine) = (written(0), written(1_000_000));
        let milliseconds = Duration::from_millis;
        let step = |stage: &Stage, seen_for, identity: &Identity| stage.step(seen_for, Some(identity));
        assert_eq!(step(&Stage::Changing, milliseconds(80), &coarse), Step::Try);
        assert_eq!(step(&tried().await, milliseconds(160), &coarse), Step::Wait);
        assert_eq!(step(&tried().await, milliseconds(560), &coarse), Step::Insist { settled: false });
        assert_eq!(step(&Stage::Told, milliseconds(1_900), &coarse), Step::Wait);
        assert_eq!(step(&Stage::Told, milliseconds(2_000), &coarse), Step::Insist { settled: true });
        assert_eq!(step(&Stage::Settled, milliseconds(9_000), &coarse), Step::Wait);
        // Where the compiler took longer than that, the one look is the last.
        assert_eq!(step(&tried().await, milliseconds(5_000), &coarse), Step::Insist { settled: true });
        if !fine.is_coarse() {
            assert_eq!(step(&tried().await, milliseconds(560), &fine), Step::Insist { settled: true });
        }
        assert_eq!(tried().await.step(milliseconds(160), None), Step::Forget);
    }
}
