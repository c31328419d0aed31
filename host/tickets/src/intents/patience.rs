//! How long Jira may take, and how long MARO looks for what Jira didn't confirm.

use std::time::Duration;

use jiff::SignedDuration;
use tokio::time::Instant;

/// For a look-up that somebody in a modal waits for.
pub(crate) const LOOK_UP_PATIENCE: Duration = Duration::from_secs(8);

/// How long it's looked for what Jira didn't confirm if Jira answers, but not the search: as in a project that was
/// deleted since, or whose issues MARO's account may create but not see.
pub(super) const REFUSED_PATIENCE: SignedDuration = SignedDuration::from_hours(6);

/// How long it's looked for that if Jira doesn't answer at all.
pub(super) const OUTAGE_PATIENCE: SignedDuration = SignedDuration::from_hours(24 * 7);

/// The longest pause between two writes of an intent that is worked on. With a look after it, this is shorter
/// than the lease.
const LONGEST_PAUSE: Duration = Duration::from_secs(12);

/// How patient MARO is with what can't be asked for twice. Only tests have another one than the default.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// How long Jira's own answer to such a request is waited for. As long as the connection is open, Jira or
    /// a proxy may still be at work: the longest that proxies are commonly told to wait is five minutes.
    pub answer: Duration,
    /// How long Jira may still carry out a request that nobody waits for any more, after its connection or this
    /// process has ended. The looks follow, which take half a minute.
    pub afterlife: Duration,
    /// The pause before the first look while the answer is waited for. Those after it are longer.
    pub first_look: Duration,
    /// The pauses before the looks after all that. Jira's search usually shows a new ticket within seconds.
    pub looks: [Duration; 5],
    /// After the database's answer was lost: nothing happens there later than this.
    pub settling: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self {
            answer: seconds(5 * 60),
            afterlife: seconds(45),
            first_look: seconds(5),
            looks: [Duration::from_millis(500), seconds(2), seconds(4), seconds(8), seconds(12)],
            settling: seconds(5),
        }
    }
}

/// The time at which `patience` ends.
pub(crate) fn deadline(patience: Duration) -> Instant {
    Instant::now() + patience
}

/// The pause after this one.
pub(crate) fn longer(pause: Duration) -> Duration {
    (pause * 2).min(LONGEST_PAUSE)
}
