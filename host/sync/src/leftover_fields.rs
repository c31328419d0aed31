//! Issues on lists that hear all whose fields nobody has looked at: nothing is known of them yet, or they changed
//! while nobody looked. The lists are gone through part by part, and what is asked for in vain is asked for less and
//! less often.

use std::{collections::HashMap, sync::Arc, time::Duration};

use tokio::time::Instant;

use maro_domain::issue::IssueKey;
use maro_store::{
    database::error::DatabaseError,
    issue_fields::{IssueFields, Look, Place},
};

/// How many issues are found at once.
pub(crate) const ISSUES_PER_REQUEST: usize = 50;

/// How long the database is asked for more parts while they have none.
const PATIENCE: Duration = Duration::from_secs(1);

/// The first pause of an issue that stays overdue, and the longest.
const FIRST_PAUSE: Duration = Duration::from_secs(10);
const LONGEST_PAUSE: Duration = Duration::from_secs(3_600);

/// How many issues are remembered.
const MAX_ASKED: usize = 10_000;

/// How far the lists were gone through.
pub(crate) struct Leftovers {
    fields: Arc<dyn IssueFields>,
    unseen: Place,
    overdue: Place,
    asked: AskedInVain,
}

impl Leftovers {
    pub(crate) fn new(fields: Arc<dyn IssueFields>) -> Self {
        Self { fields, unseen: Place::default(), overdue: Place::default(), asked: AskedInVain::default() }
    }

    /// Issues of which nothing is known yet.
    pub(crate) async fn unseen(&mut self) -> Result<Vec<IssueKey>, DatabaseError> {
        let began = Instant::now();
        loop {
            let Look { keys, next } = self.fields.unseen(&self.unseen, limit()).await?;
            self.unseen = next;
            if !keys.is_empty() || self.unseen.is_beginning() || began.elapsed() >= PATIENCE {
                return Ok(keys);
            }
        }
    }

    /// Issues that changed while nobody looked. They count as asked for.
    pub(crate) async fn overdue(&mut self) -> Result<Vec<IssueKey>, DatabaseError> {
        let began = Instant::now();
        loop {
            let Look { keys, next } = self.fields.overdue(&self.overdue, limit()).await?;
            self.overdue = next;
            let due = self.asked.due(keys, Instant::now());
            if !due.is_empty() || self.overdue.is_beginning() || began.elapsed() >= PATIENCE {
                return Ok(due);
            }
        }
    }
}

fn limit() -> u32 {
    u32::try_from(ISSUES_PER_REQUEST).unwrap_or(1)
}

/// Overdue issues, each with when it was asked for last, and how often in a row.
#[derive(Default)]
struct AskedInVain(HashMap<IssueKey, (Instant, u32)>);

impl AskedInVain {
    /// Those of these issues that may be asked for.
    fn due(&mut self, keys: Vec<IssueKey>, now: Instant) -> Vec<IssueKey> {
        // What is overdue much later has changed once more.
        self.0.retain(|_, (at, times)| now < *at + pause(*times) * 3);
        let rests = |key: &IssueKey| self.0.get(key).is_some_and(|(at, times)| now < *at + pause(*times));
        let due: Vec<IssueKey> = keys.into_iter().filter(|key| !rests(key)).collect();
        for key in &due {
            let times = self.0.get(key).map_or(0, |(_, times)| *times);
            if times > 0 || self.0.len() < MAX_ASKED {
                self.0.insert(key.clone(), (now, times.saturating_add(1)));
            }
        }
        due
    }
}

fn pause(times: u32) -> Duration {
    FIRST_PAUSE.saturating_mul(1 << times.saturating_sub(1).min(20)).min(LONGEST_PAUSE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stays_overdue_is_asked_for_less_and_less_often() {
        let (mut asked, began) = (AskedInVain::default(), Instant::now());
        let mut is_due = |second: u64| {
            let keys = vec![IssueKey::parse("A-1").unwrap()];
            !asked.due(keys, began + Duration::from_secs(second)).is_empty()
        };
        let due: Vec<u64> = (0..40).map(|round| 10 * round).filter(|second| is_due(*second)).collect();
        assert_eq!(due, [0, 10, 30, 70, 150, 310]);
        // Much later it's another change.
        let due: Vec<u64> = [10_000, 10_010, 10_020].into_iter().filter(|second| is_due(*second)).collect();
        assert_eq!(due, [10_000, 10_010]);
    }
}
