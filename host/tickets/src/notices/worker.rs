//! Takes channels with something to tell from the queue, until it is told to stop. Several replicas do so.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use futures_util::future::join_all;
use jiff::SignedDuration;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::Instant,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::notices::{
    finding::{Found, settle_unconfirmed},
    messages::Messages,
    posting::Poster,
    record::Record,
    sifting::{Answers, sift},
    telling::Teller,
};
use maro_access::Access;
use maro_domain::issue::IssueKey;
use maro_jira::{client::JiraClient, error::JiraError};
use maro_process::{clock::Clock, telemetry::error_chain};
use maro_slack::{outgoing::render::Renderer, web_api::SlackWebApi};
use maro_store::{
    database::error::DatabaseError,
    notices::{ClaimedChannel, Notices},
};

/// How often the queue is looked at.
const POLL: Duration = Duration::from_millis(250);

/// The pause while the database doesn't answer.
const OUTAGE_PAUSE: Duration = Duration::from_secs(2);

/// How many channels are claimed at a time, and how many are served.
const CHANNELS: usize = 16;
const PLACES: usize = 64;

/// How long Jira may take. With what else is asked before a message is begun, it has to fit into a claim.
const PATIENCE: Duration = Duration::from_secs(8);

/// The pause of a channel if nobody knows what may be told there.
const LATER: Duration = Duration::from_secs(5);

/// How long it's kept what was told.
const KEPT: SignedDuration = SignedDuration::from_hours(14 * 24);

/// How often the rest is forgotten.
const UPKEEP: Duration = Duration::from_secs(60 * 60);

/// Tells channels what changed.
pub struct NoticeWorker {
    pub notices: Arc<dyn Notices>,
    pub jira: Arc<JiraClient>,
    pub access: Arc<Access>,
    pub slack: Arc<SlackWebApi>,
    /// Seals buttons.
    pub renderer: Renderer,
    pub clock: Clock,
}

/// A place among the channels that are served.
type Place = OwnedSemaphorePermit;

impl NoticeWorker {
    /// Works until `shutdown`. What is being sent then is completed.
    pub async fn run(self, shutdown: CancellationToken) {
        let (this, tasks) = (Arc::new(self), TaskTracker::new());
        this.drain(&tasks, &shutdown).await;
        tasks.close();
        tasks.wait().await;
    }

    async fn drain(self: &Arc<Self>, tasks: &TaskTracker, shutdown: &CancellationToken) {
        let places = Arc::new(Semaphore::new(PLACES));
        let mut upkeep = Instant::now() + UPKEEP;
        while !shutdown.is_cancelled() {
            if upkeep <= Instant::now() {
                upkeep = Instant::now() + UPKEEP;
                let (this, shutdown) = (Arc::clone(self), shutdown.clone());
                tasks.spawn(async move { shutdown.run_until_cancelled(this.forget()).await });
            }
            let pause = match self.begin_round(&places, tasks).await {
                Ok(pause) => pause,
                Err(error) => late(&error),
            };
            let _ = shutdown.run_until_cancelled(tokio::time::sleep(pause)).await;
        }
    }

    /// Takes what is due, as far as there are places. Returns how long there is nothing else to do.
    async fn begin_round(
        self: &Arc<Self>,
        places: &Arc<Semaphore>,
        tasks: &TaskTracker,
    ) -> Result<Duration, DatabaseError> {
        match self.notices.next_due().await? {
            Some(due) if due.is_zero() => {}
            due => return Ok(due.unwrap_or(POLL).min(POLL)),
        }
        // Those that take long keep their places, and hold up nobody else. Nobody closes it.
        let Ok(first) = Arc::clone(places).acquire_owned().await else { return Ok(POLL) };
        let mut taken = vec![first];
        while taken.len() < CHANNELS
            && let Ok(place) = Arc::clone(places).try_acquire_owned()
        {
            taken.push(place);
        }
        let holder = rand::random();
        let limit = u32::try_from(taken.len()).unwrap_or(1);
        let mut claimed = self.notices.claim(holder, limit).await?;
        if claimed.is_empty() {
            // Another replica was faster.
            return Ok(POLL);
        }
        claimed.iter_mut().for_each(narrow);
        taken.truncate(claimed.len());
        let this = Arc::clone(self);
        tasks.spawn(async move { this.serve_all(holder, claimed.into_iter().zip(taken).collect()).await });
        Ok(Duration::ZERO)
    }

    /// Serves channels, each with its place.
    async fn serve_all(&self, holder: i64, claimed: Vec<(ClaimedChannel, Place)>) {
        let answers = &self.answers(&claimed).await;
        let served = claimed.into_iter().map(|(channel, place)| async move {
            if let Err(error) = self.serve(&channel, holder, answers).await {
                tracing::debug!(error = error_chain(&error), "notices are late");
            }
            drop(place);
        });
        join_all(served).await;
    }

    /// What Jira shows now of the issues, each channel's oldest first.
    async fn answers(&self, claimed: &[(ClaimedChannel, Place)]) -> Answers {
        let longest = claimed.iter().map(|(channel, _)| channel.notices.len()).max().unwrap_or(0);
        let mut keys: Vec<IssueKey> = Vec::new();
        let mut known = HashSet::new();
        for place in 0..longest {
            for notice in claimed.iter().filter_map(|(channel, _)| channel.notices.get(place)) {
                if known.insert(&notice.key) {
                    keys.push(notice.key.clone());
                }
            }
        }
        let answered = self.jira.get_each_issue(&keys, Instant::now() + PATIENCE).await;
        let mut answers = Answers { issues: HashMap::with_capacity(keys.len()), pause: LATER };
        let mut failed = Vec::new();
        for (key, answer) in keys.into_iter().zip(answered) {
            match answer {
                Ok(issue) => {
                    answers.issues.insert(key, issue);
                }
                Err(error) => failed.push(error),
            }
        }
        if let Some(error) = failed.first() {
            let (issues, error) = (failed.len(), error_chain(error));
            tracing::info!(
                issues,
                error,
                "Jira didn't say what may be shown of some issues; their notices are postponed"
            );
        }
        for error in &failed {
            if let JiraError::RateLimited { retry_after } = error {
                answers.pause = answers.pause.max(*retry_after);
            }
        }
        answers
    }

    async fn serve(
        &self,
        claimed: &ClaimedChannel,
        holder: i64,
        answers: &Answers,
    ) -> Result<(), DatabaseError> {
        let channel = &claimed.channel;
        let poster = Poster { slack: &self.slack, channel };
        let record = Record { notices: &*self.notices, claimed, holder, poster };
        if settle_unconfirmed(claimed, &self.slack, &self.access, &record).await? == Found::Settled {
            return Ok(());
        }
        let sifted = sift(&self.access, claimed, answers).await;
        let messages = Messages { renderer: &self.renderer, channel };
        Teller { claimed, messages, poster, record, pause: answers.pause }.tell(sifted).await
    }

    async fn forget(&self) {
        let before = self.clock.now().checked_sub(KEPT).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
        if let Err(error) = self.notices.forget_before(before).await {
            tracing::debug!(error = error_chain(&error), "old notices weren't forgotten");
        }
    }
}

/// Where Slack takes no messages, it's tried with one issue, whichever, before Jira is asked for the others.
fn narrow(channel: &mut ClaimedChannel) {
    if channel.pauses == 0 || channel.notices.is_empty() {
        return;
    }
    let tried = channel.notices[rand::random_range(0..channel.notices.len())].issue_id.clone();
    channel.notices.retain(|notice| notice.is_unconfirmed || notice.issue_id == tried);
}

/// The database's outage is logged where all its calls pass.
fn late(error: &DatabaseError) -> Duration {
    tracing::debug!(error = error_chain(error), "notices are late");
    OUTAGE_PAUSE
}
