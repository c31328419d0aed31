//! Takes channels with something to tell from the queue, until it is told to stop. Several replicas do so.

use std::{sync::Arc, time::Duration};

use futures_util::future::join_all;
use jiff::SignedDuration;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, timeout},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    delivery::Teller,
    digests::waiting::DigestWaits,
    filter::sift,
    issues_as_jira_shows_now::{Asker, MAX_AGE},
    messages::Messages,
    recovery::{Found, settle_unconfirmed},
    send_log::Record,
    slack_poster::Poster,
};
use maro_access::Access;
use maro_process::{clock::Clock, telemetry::error_chain};
use maro_slack::{outgoing::render::Renderer, web_api::SlackWebApi};
use maro_store::{
    database::error::DatabaseError,
    notices::{ClaimedChannel, Mode, Notices, Outcome},
};
use maro_sync::{leadership::Leading, read_batching::SharedReading};

/// How often the queue is looked at, and how often for what another replica has left in it.
const POLL: Duration = Duration::from_millis(250);
const LEFT_POLL: Duration = Duration::from_secs(1);

/// The pause while the database doesn't answer.
const DATABASE_PAUSE: Duration = Duration::from_secs(2);

/// How many channels are claimed, so that Jira is asked for their issues together, and how many of them are told
/// something at a time.
const CHANNELS: usize = 256;
const PLACES: usize = 64;

/// How long a claimed channel waits for a place. What Jira said is too old then to be told.
const PLACE_PATIENCE: Duration = Duration::from_secs(2);

/// How often Jira is asked while it takes long to find out what may be told, and what Jira shows changes meanwhile.
const LOOKS: u32 = 3;

/// How long it's kept what was told.
const KEPT: SignedDuration = SignedDuration::from_hours(14 * 24);

/// How often the rest is forgotten.
const UPKEEP: Duration = Duration::from_secs(60 * 60);

/// Tells channels what changed.
pub struct NoticeWorker {
    pub notices: Arc<dyn Notices>,
    pub reading: Arc<SharedReading>,
    pub leading: Arc<Leading>,
    pub access: Arc<Access>,
    pub slack: Arc<SlackWebApi>,
    /// Seals buttons.
    pub renderer: Renderer,
    pub clock: Clock,
}

/// A place among the channels that are claimed.
type Claim = OwnedSemaphorePermit;

/// A worker at work.
struct Working {
    worker: NoticeWorker,
    asker: Asker,
    /// Those that take long keep their places, and hold up nobody else.
    places: Semaphore,
    waits: DigestWaits,
}

impl NoticeWorker {
    /// Works until `shutdown`. What is being sent then is completed.
    pub async fn run(self, shutdown: CancellationToken) {
        let asker = Asker::new(Arc::clone(&self.reading));
        let working =
            Working { worker: self, asker, places: Semaphore::new(PLACES), waits: DigestWaits::default() };
        let (this, tasks) = (Arc::new(working), TaskTracker::new());
        this.drain(&tasks, &shutdown).await;
        tasks.close();
        tasks.wait().await;
    }

    async fn forget(&self) {
        let before = self.clock.now().checked_sub(KEPT).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
        if let Err(error) = self.notices.forget_before(before).await {
            tracing::debug!(error = error_chain(&error), "old notices weren't forgotten");
        }
    }
}

impl Working {
    async fn drain(self: &Arc<Self>, tasks: &TaskTracker, shutdown: &CancellationToken) {
        let claims = Arc::new(Semaphore::new(CHANNELS));
        let mut upkeep = Instant::now() + UPKEEP;
        while !shutdown.is_cancelled() {
            if upkeep <= Instant::now() {
                upkeep = Instant::now() + UPKEEP;
                let (this, shutdown) = (Arc::clone(self), shutdown.clone());
                tasks.spawn(async move { shutdown.run_until_cancelled(this.worker.forget()).await });
            }
            let pause = match self.begin_round(&claims, tasks).await {
                Ok(pause) => pause,
                Err(error) => late(&error),
            };
            let _ = shutdown.run_until_cancelled(tokio::time::sleep(pause)).await;
        }
    }

    /// Takes what is due, as far as there are places. Returns how long there is nothing else to do.
    async fn begin_round(
        self: &Arc<Self>,
        claims: &Arc<Semaphore>,
        tasks: &TaskTracker,
    ) -> Result<Duration, DatabaseError> {
        let NoticeWorker { notices, leading, slack, .. } = &self.worker;
        let grace = leading.grace();
        let poll = if grace.is_zero() { POLL } else { LEFT_POLL };
        // Another replica may be able to reach Slack.
        if let Some(held) = slack.posting_is_held() {
            return Ok(held.min(poll));
        }
        if grace.is_zero() {
            match notices.next_due().await? {
                Some(due) if due.is_zero() => {}
                due => return Ok(due.unwrap_or(poll).min(poll)),
            }
        }
        // Nobody closes it.
        let Ok(first) = Arc::clone(claims).acquire_owned().await else { return Ok(poll) };
        let mut taken = vec![first];
        while let Ok(claim) = Arc::clone(claims).try_acquire_owned() {
            taken.push(claim);
        }
        let holder = rand::random();
        let limit = u32::try_from(taken.len()).unwrap_or(1);
        let mut claimed = notices.claim(holder, limit, grace).await?;
        if claimed.is_empty() {
            // Another replica was faster.
            return Ok(poll);
        }
        claimed.iter_mut().for_each(narrow);
        taken.truncate(claimed.len());
        let this = Arc::clone(self);
        tasks.spawn(async move { this.serve_all(holder, claimed.into_iter().zip(taken).collect()).await });
        Ok(Duration::ZERO)
    }

    /// Serves channels, as there are places.
    async fn serve_all(&self, holder: i64, claimed: Vec<(ClaimedChannel, Claim)>) {
        let ids = claimed.iter().flat_map(|(channel, _)| channel.notices.iter().map(|notice| notice.id));
        let through = ids.max().unwrap_or_default();
        let served = claimed.into_iter().map(|(channel, claim)| async move {
            if let Err(error) = self.serve(&channel, holder, through).await {
                tracing::debug!(error = error_chain(&error), "notices are late");
            }
            drop(claim);
        });
        join_all(served).await;
    }

    async fn serve(&self, claimed: &ClaimedChannel, holder: i64, through: i64) -> Result<(), DatabaseError> {
        let NoticeWorker { notices, access, slack, renderer, clock, .. } = &self.worker;
        let channel = &claimed.channel;
        let poster = Poster { slack, channel };
        let record = Record { notices: &**notices, claimed, holder, poster };
        let mut answers = self.asker.answers(claimed, through).await;
        // Nobody closes it.
        let Ok(Ok(_place)) = timeout(PLACE_PATIENCE, self.places.acquire()).await else {
            return record.finish(Outcome::default()).await;
        };
        if settle_unconfirmed(claimed, slack, access, &record, clock).await? == Found::Settled {
            return Ok(());
        }
        for _ in 0..LOOKS {
            let sifted = sift(access, claimed, &answers).await;
            let newer = match answers.read_at.elapsed() < MAX_AGE {
                true => None,
                false => {
                    // All these looks may take longer than a claim.
                    record.hold().await?;
                    Some(self.asker.answers(claimed, through).await)
                }
            };
            match newer.filter(|newer| newer.issues != answers.issues) {
                Some(newer) => answers = newer,
                None => {
                    let is_shared = access.may_have_strangers(channel).await;
                    let messages = Messages { renderer, channel, is_shared };
                    let (pause, waits) = (answers.pause, &self.waits);
                    return Teller { claimed, messages, poster, record, pause, waits }.tell(sifted).await;
                }
            }
        }
        record.finish(Outcome::default()).await
    }
}

/// Where Slack takes no messages, it's tried with one issue, whichever, before Jira is asked for the others. A digest
/// has all of them.
fn narrow(channel: &mut ClaimedChannel) {
    if channel.pauses == 0 || channel.mode == Mode::Digest || channel.notices.is_empty() {
        return;
    }
    let tried = channel.notices[rand::random_range(0..channel.notices.len())].issue_id.clone();
    channel.notices.retain(|notice| notice.is_unconfirmed || notice.issue_id == tried);
}

/// The database's outage is logged where all its calls pass.
fn late(error: &DatabaseError) -> Duration {
    tracing::debug!(error = error_chain(error), "notices are late");
    DATABASE_PAUSE
}
