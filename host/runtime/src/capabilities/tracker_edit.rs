//! `tracker-edit`: changing the caller's channel's list.

use crate::{
    capabilities::{TrackerCall, audit, tracker_failed},
    interface::bindings::maro::plugin::{
        tracker_edit::{Host, TrackOutcome, UntrackOutcome},
        types,
    },
    invocation::Invocation,
    policy::grants::Grant,
};
use maro_domain::{
    caller::Caller,
    issue::{Issue, IssueKey},
    tracked::{self, Source},
};
use maro_store::tracker::TrackRequest;

impl Host for Invocation {
    async fn track(
        &mut self,
        keys: Vec<String>,
    ) -> wasmtime::Result<Result<Vec<TrackOutcome>, types::TrackerError>> {
        self.count_host_call()?;
        let TrackerCall { caller, capabilities, keys } = match self.tracker_call(Grant::TrackerEdit, keys) {
            Ok(call) => call,
            Err(error) => return Ok(Err(error)),
        };
        let confirmed: Vec<Option<Issue>> = keys.iter().map(|key| self.confirmed_issue(key)).collect();
        let issues: Vec<Issue> = confirmed.iter().flatten().cloned().collect();
        if issues.is_empty() {
            return Ok(Ok(vec![TrackOutcome::Unconfirmed; keys.len()]));
        }
        let now = capabilities.clock.now();
        let Caller { channel, user, .. } = &*caller;
        let request = TrackRequest { channel, tracked_by: user, source: Source::Command };
        let answer = self.timed(capabilities.tracker.track(request, &issues, now)).await;
        Ok(match answer {
            Ok(outcomes) => {
                let changed = issues
                    .iter()
                    .zip(&outcomes)
                    .filter(|(_, outcome)| **outcome == tracked::TrackOutcome::Tracked)
                    .map(|(issue, _)| &issue.key);
                self.note_keys("track", "tracked", changed);
                let mut outcomes = outcomes.into_iter();
                Ok(confirmed
                    .iter()
                    .map(|issue| outcome(issue.as_ref().and_then(|_| outcomes.next())))
                    .collect())
            }
            Err(error) => {
                self.note_keys("track", "failed", issues.iter().map(|issue| &issue.key));
                Err(tracker_failed(&self.plugin, &error))
            }
        })
    }

    async fn untrack(
        &mut self,
        keys: Vec<String>,
    ) -> wasmtime::Result<Result<Vec<UntrackOutcome>, types::TrackerError>> {
        self.count_host_call()?;
        let TrackerCall { caller, capabilities, keys } = match self.tracker_call(Grant::TrackerEdit, keys) {
            Ok(call) => call,
            Err(error) => return Ok(Err(error)),
        };
        let answer = self.timed(capabilities.tracker.untrack(&caller.channel, &keys)).await;
        Ok(match answer {
            Ok(outcomes) => {
                let changed = keys
                    .iter()
                    .zip(&outcomes)
                    .filter(|(_, outcome)| **outcome == tracked::UntrackOutcome::Untracked)
                    .map(|(key, _)| key);
                self.note_keys("untrack", "untracked", changed);
                Ok(outcomes
                    .into_iter()
                    .map(|outcome| match outcome {
                        tracked::UntrackOutcome::Untracked => UntrackOutcome::Untracked,
                        tracked::UntrackOutcome::NotTracked => UntrackOutcome::NotTracked,
                    })
                    .collect())
            }
            Err(error) => {
                self.note_keys("untrack", "failed", keys.iter());
                Err(tracker_failed(&self.plugin, &error))
            }
        })
    }
}

impl Invocation {
    /// Notes a change of the list, if any key was changed.
    fn note_keys<'k>(&self, action: &str, outcome: &str, keys: impl Iterator<Item = &'k IssueKey>) {
        let mut what = String::new();
        for key in keys {
            if !what.is_empty() {
                what.push(' ');
            }
            what.push_str(key.as_str());
        }
        if !what.is_empty() {
            audit::note(self, action, &what, outcome);
        }
    }

    fn confirmed_issue(&self, key: &IssueKey) -> Option<Issue> {
        self.confirmed.iter().find(|issue| issue.key == *key).cloned()
    }
}

fn outcome(outcome: Option<tracked::TrackOutcome>) -> TrackOutcome {
    match outcome {
        Some(tracked::TrackOutcome::Tracked) => TrackOutcome::Tracked,
        Some(tracked::TrackOutcome::AlreadyTracked) => TrackOutcome::AlreadyTracked,
        None => TrackOutcome::Unconfirmed,
    }
}
