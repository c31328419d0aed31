//! Which of two answers of Jira's about an issue is newer: by Jira's own clock, or else by when it was asked.

use jiff::{SignedDuration, Timestamp};

/// How far apart two questions may be of whose answers Jira's own clock says which is newer. No answer takes longer.
/// Beyond that a clock was put back. If the later question is asked now, that was Jira's, which was restored from a
/// backup or had a fast node. If the later one is stored, it was the database's, or this replica's is slow: what is
/// stored says nothing.
pub(in crate::tracker) const DISORDER: SignedDuration = SignedDuration::from_mins(5);

/// What is known of an issue, whatever its lists show.
#[derive(Debug)]
pub(in crate::tracker) struct Known {
    pub(in crate::tracker) updated_ms: Option<i64>,
    pub(in crate::tracker) asked_at: Option<Timestamp>,
}

impl Known {
    /// Jira's own clock decides, unless the answer is later by more than [`DISORDER`]. Where it doesn't, what was asked
    /// for later is newer.
    pub(super) fn is_newer(&self, updated_ms: Option<i64>, asked_at: Timestamp) -> bool {
        let known_at = self.asked_at.filter(|known| known.duration_since(asked_at) <= DISORDER);
        let is_close = known_at.is_none_or(|known| asked_at.duration_since(known) <= DISORDER);
        match (self.updated_ms, updated_ms) {
            (Some(known), Some(updated)) if known != updated && is_close => known > updated,
            _ => known_at.is_some_and(|known| known > asked_at),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn jiras_own_clock_says_which_answer_is_newer_and_otherwise_the_time_of_the_question() {
        let known = |updated: Option<i64>| Known { updated_ms: updated, asked_at: Some(time(60)) };
        for (stored, answered, asked, is_newer) in [
            (Some(5), Some(4), 70, true),
            (Some(5), Some(6), 50, false),
            (Some(5), Some(5), 50, true),
            (Some(5), Some(5), 60, false),
            (None, Some(6), 50, true),
            (Some(5), None, 61, false),
            (None, None, 59, true),
            (Some(5), Some(4), 360, true),
            (Some(5), Some(4), 361, false),
            (Some(5), Some(6), -241, false),
            (Some(5), Some(4), -241, true),
            (Some(5), Some(5), -240, true),
            (Some(5), Some(5), -241, false),
            (None, None, -241, false),
        ] {
            let found = known(stored).is_newer(answered, time(asked));
            assert_eq!(found, is_newer, "{stored:?} {answered:?} {asked}");
        }
        assert!(!Known { updated_ms: None, asked_at: None }.is_newer(None, time(0)));
    }
}
