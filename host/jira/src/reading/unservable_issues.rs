//! Issues that Jira can't serve, for whatever reason, while it serves others: each is asked for less and less often,
//! so that it costs little and holds up nobody. Only work that nobody waits for asks here; people always ask again.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

use maro_domain::issue::IssueKey;
use maro_process::telemetry::error_chain;

use crate::error::JiraError;

/// The first pause, and the longest.
const FIRST_PAUSE: Duration = Duration::from_secs(5);
const LONGEST_PAUSE: Duration = Duration::from_secs(600);

/// How many issues are remembered.
const MAX_TROUBLED: usize = 10_000;

/// What is known of issues that Jira couldn't serve.
#[derive(Debug, Default)]
pub(crate) struct Troubled(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    issues: HashMap<IssueKey, Trouble>,
    /// When Jira last served any issue.
    served_at: Option<Instant>,
}

#[derive(Debug, Clone, Copy)]
struct Trouble {
    failed_at: Instant,
    /// How often Jira failed for it while it served others. 0: it only takes long.
    failures: u32,
}

impl Trouble {
    fn rests_until(self) -> Instant {
        let Some(doublings) = self.failures.checked_sub(1) else { return self.failed_at };
        self.failed_at + FIRST_PAUSE.saturating_mul(1 << doublings.min(20)).min(LONGEST_PAUSE)
    }
}

impl Troubled {
    /// Whether Jira isn't asked for an issue now.
    pub(crate) fn rests(&self, key: &IssueKey, now: Instant) -> bool {
        self.known().issues.get(key).is_some_and(|trouble| now < trouble.rests_until())
    }

    /// Whether Jira failed for an issue, or takes long over it, as far as is known.
    pub(crate) fn is_known(&self, key: &IssueKey) -> bool {
        self.known().issues.contains_key(key)
    }

    /// Whether Jira has served any issue lately.
    pub(crate) fn serves_others(&self, now: Instant) -> bool {
        self.known().has_served(now)
    }

    /// Jira takes long over an issue while it serves others.
    pub(crate) fn suspect(&self, key: &IssueKey, now: Instant) {
        let mut known = self.known();
        if !known.issues.contains_key(key) {
            known.insert(key, Trouble { failed_at: now, failures: 0 }, now);
        }
    }

    /// Notes what Jira said of issues that were asked for one by one.
    pub(crate) fn note<'a, T: 'a>(
        &self,
        answers: impl Iterator<Item = (&'a IssueKey, &'a Result<T, JiraError>)> + Clone,
        now: Instant,
    ) {
        let mut known = self.known();
        if answers.clone().any(|(_, answer)| answer.is_ok()) {
            known.served_at = Some(now);
        }
        for (key, answer) in answers {
            match answer {
                Ok(_) => drop(known.issues.remove(key)),
                Err(error) if error.may_be_of_one_issue() => known.failed(key, error, now),
                Err(_) => {}
            }
        }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    fn has_served(&self, now: Instant) -> bool {
        self.served_at.is_some_and(|served_at| now.saturating_duration_since(served_at) < FIRST_PAUSE)
    }

    /// That Jira serves nobody says nothing of this issue.
    fn failed(&mut self, key: &IssueKey, error: &JiraError, now: Instant) {
        let before = self.issues.get(key).copied();
        let serves_others = match before {
            Some(trouble) if trouble.failures > 0 => {
                self.served_at.is_some_and(|served_at| served_at > trouble.failed_at)
            }
            _ => self.has_served(now),
        };
        if !serves_others {
            return;
        }
        let failures = before.map_or(0, |trouble| trouble.failures).saturating_add(1);
        if failures == 1 {
            let (key, error) = (key.as_str(), error_chain(error));
            tracing::info!(key, error, "Jira can't serve an issue, so it's asked for less and less often");
        }
        self.insert(key, Trouble { failed_at: now, failures }, now);
    }

    fn insert(&mut self, key: &IssueKey, trouble: Trouble, now: Instant) {
        if self.issues.len() >= MAX_TROUBLED {
            self.issues.retain(|_, trouble| now < trouble.rests_until());
        }
        if self.issues.len() < MAX_TROUBLED || self.issues.contains_key(key) {
            self.issues.insert(key.clone(), trouble);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::JiraOutage;

    const SECOND: Duration = Duration::from_secs(1);

    fn key(text: &str) -> IssueKey {
        IssueKey::parse(text).unwrap()
    }

    fn failing() -> Result<(), JiraError> {
        Err(JiraError::outage(JiraOutage::Status(500)))
    }

    fn note(troubled: &Troubled, answers: &[(&IssueKey, Result<(), JiraError>)], now: Instant) {
        troubled.note(answers.iter().map(|(key, answer)| (*key, answer)), now);
    }

    #[test]
    fn an_issue_that_fails_while_others_do_not_is_asked_for_less_and_less_often() {
        let (troubled, bad, good) = (Troubled::default(), key("A-1"), key("A-2"));
        let mut now = Instant::now();
        for pause in [5, 10, 20, 40, 80, 160, 320, 600, 600] {
            note(&troubled, &[(&bad, failing()), (&good, Ok(()))], now);
            assert!(troubled.rests(&bad, now + SECOND * pause - SECOND), "{pause}");
            assert!(!troubled.rests(&good, now));
            now += SECOND * pause;
            assert!(!troubled.rests(&bad, now), "{pause}");
        }
        note(&troubled, &[(&bad, Ok(()))], now);
        assert!(!troubled.rests(&bad, now));
        note(&troubled, &[(&bad, failing()), (&good, Ok(()))], now);
        assert!(!troubled.rests(&bad, now + FIRST_PAUSE), "it begins anew");
    }

    #[test]
    fn an_issue_that_takes_long_is_known_and_does_not_rest() {
        let (troubled, slow, good) = (Troubled::default(), key("A-1"), key("A-2"));
        let now = Instant::now();
        troubled.suspect(&slow, now);
        assert!(troubled.is_known(&slow) && !troubled.rests(&slow, now) && !troubled.is_known(&good));
        note(&troubled, &[(&slow, Ok(()))], now);
        assert!(!troubled.is_known(&slow), "it came after all");
        troubled.suspect(&slow, now);
        note(&troubled, &[(&slow, failing()), (&good, Ok(()))], now + SECOND);
        assert!(troubled.rests(&slow, now + SECOND * 5));
        troubled.suspect(&slow, now + SECOND * 2);
        assert!(troubled.rests(&slow, now + SECOND * 5), "what it failed with isn't forgotten");
    }

    #[test]
    fn that_jira_serves_nobody_is_held_against_no_issue() {
        let (troubled, bad, good) = (Troubled::default(), key("A-1"), key("A-2"));
        let now = Instant::now();
        note(&troubled, &[(&bad, failing()), (&good, failing())], now);
        assert!(!troubled.rests(&bad, now) && !troubled.rests(&good, now));
        // It failed once while Jira served others, and then Jira failed.
        note(&troubled, &[(&bad, failing()), (&good, Ok(()))], now);
        for second in (10..1_000).step_by(10) {
            note(&troubled, &[(&bad, failing())], now + SECOND * second);
            assert!(!troubled.rests(&bad, now + SECOND * second));
        }
        // A limit, and what is wrong with the account, is no issue's fault.
        let limited = Err(JiraError::RateLimited { retry_after: SECOND });
        note(&troubled, &[(&good, limited), (&key("A-3"), Ok(()))], now);
        assert!(!troubled.rests(&good, now));
    }
}
