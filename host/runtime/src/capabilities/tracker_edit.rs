//! `tracker-edit`: changing the caller's channel's list.

use crate::{
    capabilities::{author_of_writes, permitted_call::Call, tracker_failed},
    interface::bindings::maro::plugin::{
        tracker_edit::{Host, TrackOutcome, UntrackOutcome},
        types,
    },
    invocation::Invocation,
    policy::functions::Function,
};
use jiff::{SignedDuration, Timestamp};
use maro_access::roles::Role;
use maro_domain::{
    issue::{Issue, IssueId, IssueKey},
    tracked::{self, Source},
};
use maro_process::telemetry::error_chain;
use maro_store::tracker::TrackRequest;

/// How long after it was untracked an issue still has its place in the list. People undo at once, or after a holiday.
const UNDOABLE: SignedDuration = SignedDuration::from_hours(31 * 24);

impl Host for Invocation {
    async fn track(
        &mut self,
        keys: Vec<String>,
    ) -> wasmtime::Result<Result<Vec<TrackOutcome>, types::TrackerError>> {
        Ok(self.track_confirmed(keys).await)
    }

    async fn untrack(
        &mut self,
        keys: Vec<String>,
    ) -> wasmtime::Result<Result<Vec<UntrackOutcome>, types::TrackerError>> {
        Ok(self.untrack_keys(keys).await)
    }
}

impl Invocation {
    async fn track_confirmed(&mut self, keys: Vec<String>) -> Result<Vec<TrackOutcome>, types::TrackerError> {
        let call = Call::begin_with_issues(self, Function::TRACK).await?;
        let asked = keys.join(" ");
        call.may(self, Role::Track, "track", &asked).await?;
        let keys = call.keys(self, keys);
        let keys = call.noting_refusal(self, "track", &asked, keys).await?;
        let confirmed: Vec<Option<Issue>> = keys.iter().map(|key| self.confirmed_issue(key)).collect();
        let issues: Vec<Issue> = confirmed.iter().flatten().cloned().collect();
        if issues.is_empty() {
            return Ok(vec![TrackOutcome::Unconfirmed; keys.len()]);
        }
        let now = call.capabilities.clock.now();
        let author = author_of_writes::author(self, &call.caller);
        let request = TrackRequest { author: &author, source: Source::Command };
        let outcomes = match self.timed(call.capabilities.tracker.track(request, &issues, now)).await {
            Ok(outcomes) => outcomes,
            Err(error) => {
                self.note_keys("track", "failed", issues.iter().map(|issue| &issue.key));
                return Err(tracker_failed(&self.authority, &error));
            }
        };
        let is_new = |(issue, outcome): (&Issue, &tracked::TrackOutcome)| {
            (*outcome == tracked::TrackOutcome::Tracked).then(|| issue.key.clone())
        };
        let changed: Vec<IssueKey> = issues.iter().zip(&outcomes).filter_map(is_new).collect();
        self.note_keys("track", "tracked", changed.iter());
        self.put_back(&call, &changed, now).await;
        let mut outcomes = outcomes.into_iter();
        let outcomes = confirmed.iter().map(|issue| outcome(issue.as_ref().and_then(|_| outcomes.next())));
        Ok(outcomes.collect())
    }

    /// Who undoes that issues were untracked finds them where they stood.
    async fn put_back(&mut self, call: &Call, keys: &[IssueKey], now: Timestamp) {
        if keys.is_empty() || !call.caller.is_undoing() {
            return;
        }
        let put_back = call.capabilities.tracker.put_back(&call.caller.channel, keys, now - UNDOABLE);
        if let Err(error) = self.timed(put_back).await {
            // They are tracked, if as the last ones.
            tracing::info!(error = error_chain(&error), "issues weren't put back where they stood");
        }
    }

    async fn untrack_keys(&mut self, keys: Vec<String>) -> Result<Vec<UntrackOutcome>, types::TrackerError> {
        let call = Call::begin(self, Function::UNTRACK)?;
        let asked = keys.join(" ");
        call.may(self, Role::Track, "untrack", &asked).await?;
        let keys = call.keys(self, keys);
        let keys = call.noting_refusal(self, "untrack", &asked, keys).await?;
        let keys = self.keys_on_list(&call, keys).await;
        let author = author_of_writes::author(self, &call.caller);
        let now = call.capabilities.clock.now();
        let untracked = call.capabilities.tracker.untrack(&author, &keys, now);
        let outcomes = match self.timed(untracked).await {
            Ok(outcomes) => outcomes,
            Err(error) => {
                self.note_keys("untrack", "failed", keys.iter());
                return Err(tracker_failed(&self.authority, &error));
            }
        };
        let changed = keys
            .iter()
            .zip(&outcomes)
            .filter(|(_, outcome)| **outcome == tracked::UntrackOutcome::Untracked)
            .map(|(key, _)| key);
        self.note_keys("untrack", "untracked", changed);
        let outcomes = outcomes.into_iter().map(|outcome| match outcome {
            tracked::UntrackOutcome::Untracked => UntrackOutcome::Untracked,
            tracked::UntrackOutcome::NotTracked => UntrackOutcome::NotTracked,
        });
        Ok(outcomes.collect())
    }

    /// The keys under which the list has these issues. One that Jira has just confirmed may stand there under a key from
    /// before it was moved.
    async fn keys_on_list(&mut self, call: &Call, keys: Vec<IssueKey>) -> Vec<IssueKey> {
        let confirmed: Vec<Issue> = keys.iter().filter_map(|key| self.confirmed_issue(key)).collect();
        if confirmed.is_empty() {
            return keys;
        }
        let ids: Vec<IssueId> = confirmed.iter().map(|issue| issue.id.clone()).collect();
        let tracker = &call.capabilities.tracker;
        // What follows finds out that the database fails, if it does.
        let rows = self.timed(tracker.find_tracked_issues(&call.caller.channel, &keys, &ids)).await;
        let rows = rows.unwrap_or_default();
        let on_list = |key: IssueKey| {
            let issue = confirmed.iter().find(|issue| issue.key == key);
            match issue.filter(|_| rows.iter().all(|row| row.key != key)) {
                Some(issue) => {
                    let row = rows.iter().find(|row| row.issue_id.as_ref() == Some(&issue.id));
                    row.map_or(key, |row| row.key.clone())
                }
                None => key,
            }
        };
        keys.into_iter().map(on_list).collect()
    }

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
            author_of_writes::note(self, action, &what, outcome);
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
