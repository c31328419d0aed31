//! `tracker`: reading the caller's channel's list.

use crate::{
    capabilities::{TrackerCall, tracker_denied, tracker_failed, tracker_invalid},
    interface::bindings::maro::plugin::{
        tracker::{self, Host, Page},
        types,
    },
    invocation::Invocation,
    policy::grants::Grant,
};
use maro_domain::{
    ids::UserId,
    tracked::{PageRequest, TrackedIssue},
};
use maro_tickets::texts;

/// The most rows that one call reads.
const MAX_ROWS: u32 = 200;

impl Host for Invocation {
    async fn list_tracked(
        &mut self,
        offset: u32,
        limit: u32,
    ) -> wasmtime::Result<Result<Page, types::TrackerError>> {
        self.count_host_call()?;
        let (caller, capabilities) = match self.authorised(Grant::Tracker) {
            Ok(authorised) => authorised,
            Err(sentence) => return Ok(Err(tracker_denied(sentence))),
        };
        if !(1..=MAX_ROWS).contains(&limit) {
            return Ok(Err(tracker_invalid(texts::requests::row_count(MAX_ROWS))));
        }
        let page = PageRequest { offset, limit };
        let answer = self.timed(capabilities.tracker.get_tracked_issues(&caller.channel, page)).await;
        Ok(match answer {
            Ok(page) => Ok(Page { issues: page.issues.into_iter().map(row).collect(), more: page.more }),
            Err(error) => Err(tracker_failed(&self.plugin, &error)),
        })
    }

    async fn count_tracked(&mut self) -> wasmtime::Result<Result<u32, types::TrackerError>> {
        self.count_host_call()?;
        let (caller, capabilities) = match self.authorised(Grant::Tracker) {
            Ok(authorised) => authorised,
            Err(sentence) => return Ok(Err(tracker_denied(sentence))),
        };
        let answer = self.timed(capabilities.tracker.count_tracked_issues(&caller.channel)).await;
        Ok(answer.map_err(|error| tracker_failed(&self.plugin, &error)))
    }

    async fn is_tracked(
        &mut self,
        keys: Vec<String>,
    ) -> wasmtime::Result<Result<Vec<bool>, types::TrackerError>> {
        self.count_host_call()?;
        let TrackerCall { caller, capabilities, keys } = match self.tracker_call(Grant::Tracker, keys) {
            Ok(call) => call,
            Err(error) => return Ok(Err(error)),
        };
        let answer = self.timed(capabilities.tracker.is_tracked(&caller.channel, &keys)).await;
        Ok(answer.map_err(|error| tracker_failed(&self.plugin, &error)))
    }
}

fn row(issue: TrackedIssue) -> tracker::TrackedIssue {
    tracker::TrackedIssue {
        key: issue.key.into_string(),
        summary: issue.last_jira_summary.unwrap_or_default(),
        status: issue.last_jira_status.unwrap_or_default(),
        tracked_by: issue.tracked_by.map(UserId::into_string).unwrap_or_default(),
        tracked_at: u64::try_from(issue.tracked_at.as_second()).unwrap_or(0),
    }
}
