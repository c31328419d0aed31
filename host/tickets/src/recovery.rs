//! After a crash: what was under way is finished, or reported.

use std::{sync::Arc, time::Duration};

use jiff::{SignedDuration, Timestamp};
use tokio_util::sync::CancellationToken;

use crate::{
    LOOK_UP_PATIENCE, Tickets, deadline,
    plugin_creation::Creation,
    record::{CreateRecord, LinkRecord, StoriesRecord},
};
use maro_process::telemetry::error_chain;
use maro_store::intents::{
    Intent, IntentKind, IntentState,
    work::{Stop, Work},
};

/// How long an intention may lie still before another process takes it over. Longer than any one step of
/// those who work on it.
const LEASE: SignedDuration = SignedDuration::from_secs(25);

/// The pause between two looks.
const INTERVAL: Duration = Duration::from_secs(3);

/// How many intentions are taken over at once.
const BATCH: u32 = 20;

/// The pause between two rounds of forgetting.
const FORGETTING_INTERVAL: SignedDuration = SignedDuration::from_hours(1);

/// For how long finished intentions are kept, so that a modal left open does not create a second ticket.
const KEPT: SignedDuration = SignedDuration::from_hours(24 * 7);

impl Tickets {
    /// Takes over what others left behind, until `shutdown`. `is_alone` tells that no other process uses
    /// the database: then what lies there at the start is nobody's.
    pub async fn recover(self: Arc<Self>, is_alone: bool, shutdown: CancellationToken) {
        let mut idle_before = if is_alone { self.clock.now() } else { self.before(LEASE) };
        let mut forgotten_at = Timestamp::UNIX_EPOCH;
        loop {
            self.recover_once(idle_before).await;
            if forgotten_at < self.before(FORGETTING_INTERVAL) {
                forgotten_at = self.clock.now();
                self.forget().await;
            }
            if shutdown.run_until_cancelled(tokio::time::sleep(INTERVAL)).await.is_none() {
                return;
            }
            idle_before = self.before(LEASE);
        }
    }

    async fn recover_once(self: &Arc<Self>, idle_before: Timestamp) {
        let abandoned = match self.journal.claim_abandoned(idle_before, self.clock.now(), BATCH).await {
            Ok(abandoned) => abandoned,
            Err(error) => {
                tracing::warn!(error = error_chain(&error), "unfinished work cannot be looked for");
                return;
            }
        };
        for intent in abandoned {
            tracing::info!(intent = intent.id, "unfinished work is taken over");
            let tickets = Arc::clone(self);
            self.tasks.spawn(async move {
                if let Err(stop) = tickets.finish(intent).await {
                    tracing::error!(error = error_chain(&stop), "unfinished work cannot be taken over");
                }
            });
        }
    }

    async fn forget(&self) {
        if let Err(error) = self.journal.forget_before(self.before(KEPT)).await {
            tracing::warn!(error = error_chain(&error), "old work cannot be forgotten");
        }
    }

    async fn finish(&self, intent: Intent) -> Result<(), Stop> {
        let is_confirmed = intent.state == IntentState::Confirmed;
        match intent.kind {
            IntentKind::Create => {
                let work = Work::<CreateRecord>::read(intent)?;
                let (view_id, origin) = (work.record.view_id.clone(), work.record.origin.clone());
                let outcome = if is_confirmed {
                    self.conclude_create(work, false).await
                } else {
                    self.settle_create(work).await
                };
                self.show_late(&view_id, &origin, outcome).await;
            }
            IntentKind::Link => {
                let work = Work::<LinkRecord>::read(intent)?;
                let (view_id, origin) = (work.record.view_id.clone(), work.record.origin.clone());
                let outcome =
                    if is_confirmed { self.conclude_link(work).await } else { self.link_in_jira(work).await };
                self.show_late(&view_id, &origin, outcome).await;
            }
            IntentKind::Stories => {
                let work = Work::<StoriesRecord>::read(intent)?;
                let (view_id, origin) = (work.record.view_id.clone(), work.record.origin.clone());
                let outcome = if is_confirmed {
                    self.conclude_stories(work).await
                } else {
                    self.create_stories(work).await
                };
                self.show_late(&view_id, &origin, outcome).await;
            }
            IntentKind::PluginCreate => {
                let creation = Creation::taken_over(Arc::clone(&self.flows), intent)?;
                match creation.confirmed() {
                    Some(created) => drop(creation.conclude(created, deadline(LOOK_UP_PATIENCE)).await),
                    None => self.settle_plugin_creation(creation).await?,
                }
            }
        }
        Ok(())
    }

    fn before(&self, age: SignedDuration) -> Timestamp {
        self.clock.now().checked_sub(age).unwrap_or(Timestamp::UNIX_EPOCH)
    }
}
