//! Of several replicas, one leads: it reads from Jira what all of them would have to ask for, and so one request
//! serves many. The others do what it leaves undone, as when it has died or has too much to do. Nothing is wrong if
//! two lead for a moment: what is done only once is claimed in the database.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use maro_process::telemetry::error_chain;
use maro_store::{database::error::DatabaseError, jira_polls::JiraPolls};

/// How long a replica leads without saying so again, and how often it does.
const TERM: Duration = Duration::from_secs(3);
const ROUND: Duration = Duration::from_secs(1);

/// How long a replica that doesn't reach Jira lets others lead.
const ASIDE: Duration = Duration::from_secs(10);

/// How long the others leave to the leader what is to be done.
const GRACE: Duration = Duration::from_secs(2);

/// Whether this replica leads.
pub struct Leading {
    polls: Arc<dyn JiraPolls>,
    holder: i64,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    leads_until: Option<Instant>,
    stands_aside_until: Option<Instant>,
}

impl Leading {
    pub fn new(polls: Arc<dyn JiraPolls>) -> Self {
        Self { polls, holder: rand::random(), state: Mutex::default() }
    }

    pub fn leads(&self) -> bool {
        self.state().leads_until.is_some_and(|until| Instant::now() < until)
    }

    /// How long ago the time of something has to have come for this replica to do it.
    pub fn grace(&self) -> Duration {
        if self.leads() { Duration::ZERO } else { GRACE }
    }

    /// Whether others could lead.
    pub(crate) fn may_step_aside(&self) -> bool {
        self.polls.is_shared() && self.leads()
    }

    /// This replica doesn't reach Jira, and another one may.
    pub(crate) fn step_aside(&self) {
        let stands_aside_until = Some(Instant::now() + ASIDE);
        *self.state() = State { leads_until: None, stands_aside_until };
    }

    /// Leads if nobody else does, until `shutdown`.
    pub async fn run(self: Arc<Self>, shutdown: CancellationToken) {
        let lead = async {
            loop {
                if let Err(error) = self.stand().await {
                    // The database's outage is logged where all its calls pass.
                    tracing::debug!(error = error_chain(&error), "nobody knows who leads");
                }
                sleep(ROUND).await;
            }
        };
        shutdown.run_until_cancelled(lead).await;
        self.state().leads_until = None;
        if let Err(error) = self.polls.resign(self.holder).await {
            tracing::debug!(error = error_chain(&error), "another replica leads in some seconds");
        }
    }

    async fn stand(&self) -> Result<(), DatabaseError> {
        let asked = Instant::now();
        if self.stands_aside(asked) {
            return self.polls.resign(self.holder).await;
        }
        let leads = self.polls.lead(self.holder, TERM).await?;
        if !self.stands_aside(asked) {
            self.state().leads_until = leads.then(|| asked + TERM);
        }
        Ok(())
    }

    fn stands_aside(&self, now: Instant) -> bool {
        self.state().stands_aside_until.is_some_and(|until| now < until)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
