//! Finishes or reports what was in progress before a crash.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    form::{create::submission::CreateForm, link_duplicate::LinkForm, stories::StoriesForm},
    intents::{exactly_once::Driver, forgetting::Forgetting, lease::LEASE},
    plugin_creation,
};
use maro_process::telemetry::error_chain;
use maro_store::intents::{Intent, IntentKind, work::Stop};

/// A lone process takes over even what seems to have been written up to an hour from now: the clock may have been
/// ahead.
const ALONE: SignedDuration = SignedDuration::from_hours(-1);

/// The pause between two looks.
const INTERVAL: Duration = Duration::from_secs(3);

/// How many intents are taken over at once.
const BATCH: u32 = 20;

/// Takes over intents that nobody works on.
pub(crate) struct Recovery {
    pub(crate) driver: Arc<Driver>,
    pub(crate) create: Arc<CreateForm>,
    pub(crate) link: Arc<LinkForm>,
    pub(crate) stories: Arc<StoriesForm>,
    pub(crate) tasks: TaskTracker,
    /// The intents whose records this release can't read, which are left to another one.
    pub(crate) unreadable: Mutex<HashSet<String>>,
}

impl Recovery {
    /// Takes over intents that other processes left behind, until `shutdown`. `is_alone` says that no other
    /// process uses the database, so whatever is there at the start was left behind.
    pub(crate) async fn run(self: Arc<Self>, is_alone: bool, shutdown: CancellationToken) {
        let mut idle_before = self.before(if is_alone { ALONE } else { LEASE });
        let mut forgetting = Forgetting::default();
        loop {
            self.recover_once(idle_before).await;
            forgetting.forget_if_due(&self.driver).await;
            if shutdown.run_until_cancelled(tokio::time::sleep(INTERVAL)).await.is_none() {
                return;
            }
            idle_before = self.before(LEASE);
        }
    }

    async fn recover_once(self: &Arc<Self>, idle_before: Timestamp) {
        let abandoned =
            match self.driver.intents.claim_abandoned(idle_before, self.driver.clock.now(), BATCH).await {
                Ok(abandoned) => abandoned,
                Err(error) => {
                    tracing::debug!(error = error_chain(&error), "couldn't look for unfinished work");
                    return;
                }
            };
        for intent in abandoned {
            let id = intent.id.clone();
            if self.unreadable().contains(&id) {
                continue;
            }
            tracing::info!(intent = id, "taking over unfinished work");
            let recovery = Arc::clone(self);
            self.tasks.spawn(async move {
                let Err(stop) = recovery.finish(intent).await else { return };
                if !stop.is_outage() {
                    tracing::error!(
                        intent = id,
                        error = error_chain(&stop),
                        "couldn't take over unfinished work"
                    );
                }
                if matches!(stop, Stop::Unreadable) {
                    recovery.unreadable().insert(id);
                }
            });
        }
    }

    fn unreadable(&self) -> MutexGuard<'_, HashSet<String>> {
        self.unreadable.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn finish(&self, intent: Intent) -> Result<(), Stop> {
        match intent.kind {
            IntentKind::Create => self.create.finish(intent).await,
            IntentKind::Link => self.link.finish(intent).await,
            IntentKind::Stories => self.stories.finish(intent).await,
            IntentKind::PluginCreate => plugin_creation::finish(&self.driver, intent).await,
        }
    }

    fn before(&self, age: SignedDuration) -> Timestamp {
        self.driver.clock.now().checked_sub(age).unwrap_or(Timestamp::UNIX_EPOCH)
    }
}
