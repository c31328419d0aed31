//! `tracker-edit`: changing the caller's channel's list.

use std::sync::Arc;

use crate::{
    capabilities::{author_of_writes, panicked, permitted_call::Call, tracker_failed},
    interface::bindings::maro::plugin::{
        tracker_edit::{Host, TrackOutcome, UntrackOutcome},
        types,
    },
    invocation::{Invocation, services::HostServices},
    policy::{functions::Function, grants::ProjectKey},
};
use jiff::Timestamp;
use maro_access::roles::Role;
use maro_domain::{
    caller::Caller,
    issue::{Issue, IssueId, IssueKey},
    tracked::{self, Removal, Source, TrackedIssue, TrackedPage},
};
use maro_process::telemetry::error_chain;
use maro_store::{
    database::error::DatabaseError,
    tracker::{KEEPS_PLACE_FOR, TrackRequest},
};
use maro_tickets::audit::Writer;

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
        let (capabilities, caller) = (Arc::clone(&call.capabilities), Arc::clone(&call.caller));
        let writer = author_of_writes::writer(self, &caller);
        let work = async move {
            let now = capabilities.clock.now();
            let request = TrackRequest { author: &writer.author, source: Source::Command };
            let outcomes = capabilities.tracker.track(request, &issues, now).await;
            let Ok(added) = &outcomes else {
                note_keys(&writer, "track", "failed", issues.iter().map(|issue| &issue.key));
                return outcomes;
            };
            let is_new = |(issue, outcome): (&Issue, &tracked::TrackOutcome)| {
                (*outcome == tracked::TrackOutcome::Tracked).then(|| issue.key.clone())
            };
            let changed: Vec<IssueKey> = issues.iter().zip(added).filter_map(is_new).collect();
            note_keys(&writer, "track", "tracked", changed.iter());
            if caller.is_undoing() && !changed.is_empty() {
                put_back(&capabilities, &caller, &changed, now).await;
            }
            outcomes
        };
        let mut outcomes = self.change_list(&call, work).await?.into_iter();
        let outcomes = confirmed.iter().map(|issue| outcome(issue.as_ref().and_then(|_| outcomes.next())));
        Ok(outcomes.collect())
    }

    async fn untrack_keys(&mut self, keys: Vec<String>) -> Result<Vec<UntrackOutcome>, types::TrackerError> {
        let call = Call::begin(self, Function::UNTRACK)?;
        let asked = keys.join(" ");
        call.may(self, Role::Track, "untrack", &asked).await?;
        let keys = call.keys(self, keys);
        let keys = call.noting_refusal(self, "untrack", &asked, keys).await?;
        let keys = self.keys_on_list(&call, keys).await;
        let mut removal = self.remove(&call, keys.clone()).await?;
        let moved = self.moved_out(&call, &keys, removal.list.as_ref()).await;
        if !moved.is_empty() {
            let present = moved.iter().map(|(_, key)| key.clone()).collect();
            let outcomes = self.remove(&call, present).await?.outcomes;
            for ((place, _), outcome) in moved.into_iter().zip(outcomes) {
                removal.outcomes[place] = outcome;
            }
            removal.list = None;
        }
        self.list_just_read = removal.list;
        let outcomes = removal.outcomes.into_iter().map(|outcome| match outcome {
            tracked::UntrackOutcome::Untracked => UntrackOutcome::Untracked,
            tracked::UntrackOutcome::NotTracked => UntrackOutcome::NotTracked,
        });
        Ok(outcomes.collect())
    }

    /// Takes keys off the list as they stand there.
    async fn remove(&mut self, call: &Call, keys: Vec<IssueKey>) -> Result<Removal, types::TrackerError> {
        let capabilities = Arc::clone(&call.capabilities);
        let writer = author_of_writes::writer(self, &call.caller);
        let work = async move {
            let now = capabilities.clock.now();
            let removal = capabilities.tracker.remove(&writer.author, &keys, now).await;
            match &removal {
                Ok(removal) => {
                    let done = keys.iter().zip(&removal.outcomes);
                    let done = done.filter(|(_, done)| **done == tracked::UntrackOutcome::Untracked);
                    note_keys(&writer, "untrack", "untracked", done.map(|(key, _)| key));
                }
                Err(_) => note_keys(&writer, "untrack", "failed", keys.iter()),
            }
            removal
        };
        self.change_list(call, work).await
    }

    /// The keys by which issues of `list` stand there that had these and have moved out of what may be shown, each with the
    /// place of the one that it had: nobody was told the other.
    async fn moved_out(
        &mut self,
        call: &Call,
        keys: &[IssueKey],
        list: Option<&TrackedPage>,
    ) -> Vec<(usize, IssueKey)> {
        let rows = list.map_or(&[][..], |list| &list.issues);
        let row = |key: &IssueKey| rows.iter().find(|row| row.former_key.as_ref() == Some(key));
        let moved: Vec<_> =
            keys.iter().enumerate().filter_map(|(place, key)| Some((place, row(key)?))).collect();
        if moved.is_empty() {
            return Vec::new();
        }
        let Call { caller, capabilities, .. } = call;
        let sight = self.timed(capabilities.access.sight(&caller.channel, &caller.user)).await;
        let sight = self.timed(sight.for_issues(moved.iter().map(|(_, row)| &row.key))).await;
        let granted = self.authority.projects(call.function());
        let is_granted = |key: &IssueKey| {
            let is_own = |project: &&ProjectKey| project.as_str() == key.project_key();
            granted.as_ref().is_none_or(|projects| projects.iter().any(is_own))
        };
        let is_hidden = |row: &TrackedIssue| sight.row(&row.key, row.has_security_level).is_err();
        let moved = moved.into_iter().filter(|(_, row)| is_hidden(row) && is_granted(&row.key));
        moved.map(|(place, row)| (place, row.key.clone())).collect()
    }

    /// The keys under which the list has these issues. One that Jira has just confirmed may stand there under a key
    /// from before it was moved.
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

    /// Makes a change of the list.
    async fn change_list<T: Send + 'static>(
        &mut self,
        call: &Call,
        work: impl Future<Output = Result<T, DatabaseError>> + Send + 'static,
    ) -> Result<T, types::TrackerError> {
        self.list_just_read = None;
        let done = self.run_to_its_end(call, work).await.unwrap_or_else(|| Err(panicked()));
        done.map_err(|error| tracker_failed(&self.authority, &error))
    }

    fn confirmed_issue(&self, key: &IssueKey) -> Option<Issue> {
        self.confirmed.iter().find(|issue| issue.key == *key).cloned()
    }
}

/// Who undoes that issues were untracked finds them where they stood.
async fn put_back(capabilities: &HostServices, caller: &Caller, keys: &[IssueKey], now: Timestamp) {
    let put_back = capabilities.tracker.put_back(&caller.channel, keys, now - KEEPS_PLACE_FOR);
    if let Err(error) = put_back.await {
        // They are tracked, if as the last ones.
        tracing::info!(error = error_chain(&error), "issues weren't put back where they stood");
    }
}

/// Notes a change of the list, if any key was changed.
fn note_keys<'k>(writer: &Writer, action: &str, outcome: &str, keys: impl Iterator<Item = &'k IssueKey>) {
    let what: Vec<&str> = keys.map(IssueKey::as_str).collect();
    if !what.is_empty() {
        writer.note(action, &what.join(" "), outcome);
    }
}

fn outcome(outcome: Option<tracked::TrackOutcome>) -> TrackOutcome {
    match outcome {
        Some(tracked::TrackOutcome::Tracked) => TrackOutcome::Tracked,
        Some(tracked::TrackOutcome::AlreadyTracked) => TrackOutcome::AlreadyTracked,
        None => TrackOutcome::Unconfirmed,
    }
}
