//! Takes channels with something to tell from the queue, until it is told to stop. Several replicas do so.

use std::{collections::HashMap, sync::Arc, time::Duration};

use futures_util::future::join_all;
use jiff::SignedDuration;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

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
use maro_slack::{render::Renderer, web_api::SlackWebApi};
use maro_store::{
    database::error::DatabaseError,
    notices::{ClaimedChannel, Notices, Outcome},
};

/// How often the queue is looked at.
const POLL: Duration = Duration::from_millis(250);

/// The pause while the database doesn't answer.
const OUTAGE_PAUSE: Duration = Duration::from_secs(2);

/// How many channels are served at a time.
const CHANNELS: u32 = 16;

/// How many issues are asked for at once.
const ISSUES_PER_REQUEST: usize = 100;

/// How long Jira may take. With Slack's patience, it has to fit into a claim.
const PATIENCE: Duration = Duration::from_secs(5);

/// The pause of a channel whose issues Jira doesn't tell.
const JIRA_PAUSE: Duration = Duration::from_secs(5);

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

impl NoticeWorker {
    /// Works until `shutdown`. What is being sent then is completed.
    pub async fn run(self, shutdown: CancellationToken) {
        let mut upkeep = Instant::now() + UPKEEP;
        while !shutdown.is_cancelled() {
            let pause = match self.notices.next_due().await {
                Ok(Some(due)) if due.is_zero() => match self.round().await {
                    Ok(()) => continue,
                    Err(error) => late(&error),
                },
                Ok(due) => due.unwrap_or(POLL).min(POLL),
                Err(error) => late(&error),
            };
            if upkeep <= Instant::now() {
                upkeep = Instant::now() + UPKEEP;
                self.forget().await;
            }
            let _ = shutdown.run_until_cancelled(tokio::time::sleep(pause)).await;
        }
    }

    async fn round(&self) -> Result<(), DatabaseError> {
        let holder = rand::random();
        let claimed = self.notices.claim(holder, CHANNELS).await?;
        if claimed.is_empty() {
            // Another replica was faster.
            tokio::time::sleep(POLL).await;
            return Ok(());
        }
        match self.answers(&claimed).await {
            Ok(answers) => {
                let served = claimed.iter().map(|channel| self.serve(channel, holder, &answers));
                join_all(served).await.into_iter().collect()
            }
            Err(error) => {
                tracing::info!(
                    error = error_chain(&error),
                    "Jira didn't say what may be shown; notices are postponed"
                );
                let pause = match error {
                    JiraError::RateLimited { retry_after } => retry_after.max(JIRA_PAUSE),
                    _ => JIRA_PAUSE,
                };
                let late = Outcome { pause, ..Outcome::default() };
                for channel in &claimed {
                    self.notices.finish(&channel.channel, holder, &late, false).await?;
                }
                Ok(())
            }
        }
    }

    /// What Jira shows now.
    async fn answers(&self, claimed: &[ClaimedChannel]) -> Result<Answers, JiraError> {
        let mut answers: Answers = HashMap::new();
        let keys =
            claimed.iter().flat_map(|channel| &channel.notices).map(|notice| (notice.key.clone(), None));
        answers.extend(keys);
        let keys: Vec<IssueKey> = answers.keys().cloned().collect();
        let deadline = Instant::now() + PATIENCE;
        for keys in keys.chunks(ISSUES_PER_REQUEST) {
            let issues = self.jira.get_issues(keys, deadline).await?;
            answers.extend(keys.iter().cloned().zip(issues));
        }
        Ok(answers)
    }

    async fn serve(
        &self,
        claimed: &ClaimedChannel,
        holder: i64,
        answers: &Answers,
    ) -> Result<(), DatabaseError> {
        let record = Record { notices: &*self.notices, claimed, holder };
        if settle_unconfirmed(claimed, &self.slack, &self.access, &record).await? == Found::Settled {
            return Ok(());
        }
        let sifted = sift(&self.access, claimed, answers).await;
        let channel = &claimed.channel;
        let messages = Messages { renderer: &self.renderer, channel };
        let poster = Poster { slack: &self.slack, channel };
        Teller { claimed, messages, poster, record }.tell(sifted).await
    }

    async fn forget(&self) {
        let before = self.clock.now().checked_sub(KEPT).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
        if let Err(error) = self.notices.forget_before(before).await {
            tracing::debug!(error = error_chain(&error), "old notices weren't forgotten");
        }
    }
}

/// The database's outage is logged where all its calls pass.
fn late(error: &DatabaseError) -> Duration {
    tracing::debug!(error = error_chain(error), "notices are late");
    OUTAGE_PAUSE
}
