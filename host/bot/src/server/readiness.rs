//! Whether the database takes changes, looked at once a second however many ask.

use std::time::{Duration, Instant};

use tokio::{sync::Mutex, time::timeout};

use maro_store::tracker::ChannelIssueTracker;

/// How long the database may take before it counts as gone.
const DATABASE_PATIENCE: Duration = Duration::from_secs(2);

/// How long an answer holds.
const HOLDS: Duration = Duration::from_secs(1);

/// The latest look at the database, which whoever asks meanwhile shares.
#[derive(Debug, Default)]
pub(super) struct Readiness(Mutex<Option<(Instant, Result<(), &'static str>)>>);

impl Readiness {
    /// What is wrong with the database, as of at most a second ago.
    pub(super) async fn of_database(&self, tracker: &dyn ChannelIssueTracker) -> Result<(), &'static str> {
        let mut latest = self.0.lock().await;
        if let Some((looked_at, answer)) = *latest
            && looked_at.elapsed() < HOLDS
        {
            return answer;
        }
        let answer = match timeout(DATABASE_PATIENCE, tracker.try_change()).await {
            Ok(Ok(())) => Ok(()),
            // Logged once, where every call of the database passes.
            Ok(Err(_)) => Err("the database is unavailable\n"),
            Err(_) => Err("the database does not answer\n"),
        };
        *latest = Some((Instant::now(), answer));
        answer
    }
}
