//! `tracker`: reading the caller's channel's list.

mod filtered;

use jiff::Timestamp;

use crate::{
    capabilities::{
        jira::guest_category,
        permitted_call::{Call, CallError},
        tracker_failed,
    },
    interface::bindings::maro::plugin::{
        tracker::{self, DetailedPage, FilteredPage, Host, ListFilter, Page, RowDetails, RowState},
        types,
    },
    invocation::Invocation,
    policy::functions::Function,
};
use maro_access::policy_in_channel::Sight;
use maro_domain::{
    ids::UserId,
    issue::IssueKey,
    tracked::{MISSING_STATUS, PageRequest, Removal, TrackedIssue, TrackedPage},
};
use maro_texts as texts;

/// The most rows that one call reads.
const MAX_ROWS: u32 = Removal::ROWS;

impl Host for Invocation {
    async fn list_tracked(
        &mut self,
        offset: u32,
        limit: u32,
    ) -> wasmtime::Result<Result<Page, types::TrackerError>> {
        let page = self.page(Function::LIST_TRACKED, PageRequest { offset, limit }).await;
        Ok(page
            .map(|(issues, more)| Page { issues: issues.into_iter().map(|row| row.issue).collect(), more }))
    }

    async fn list_details(
        &mut self,
        offset: u32,
        limit: u32,
    ) -> wasmtime::Result<Result<DetailedPage, types::TrackerError>> {
        let page = self.page(Function::LIST_DETAILS, PageRequest { offset, limit }).await;
        Ok(page.map(|(rows, more)| DetailedPage { rows, more }))
    }

    async fn list_filtered(
        &mut self,
        filter: ListFilter,
        offset: u32,
        limit: u32,
    ) -> wasmtime::Result<Result<FilteredPage, types::TrackerError>> {
        Ok(self.filtered(filter, PageRequest { offset, limit }).await)
    }

    async fn count_tracked(&mut self) -> wasmtime::Result<Result<u32, types::TrackerError>> {
        Ok(self.count().await)
    }

    async fn is_tracked(
        &mut self,
        keys: Vec<String>,
    ) -> wasmtime::Result<Result<Vec<bool>, types::TrackerError>> {
        Ok(self.are_tracked(keys).await)
    }
}

impl Invocation {
    /// A part of the list, and whether it goes on.
    async fn page(
        &mut self,
        function: Function,
        page: PageRequest,
    ) -> Result<(Vec<RowDetails>, bool), types::TrackerError> {
        let mut call = Call::begin_with_issues(self, function).await?;
        let Call { caller, capabilities, .. } = &call;
        check_limit(page)?;
        let just_read = self.just_read(page);
        // How old the rows are isn't in it.
        let is_enough = function == Function::LIST_TRACKED && !capabilities.jira.is_silent();
        let page = match just_read.filter(|_| is_enough) {
            Some(page) => page,
            None => {
                let answer = self.timed(capabilities.tracker.get_tracked_issues(&caller.channel, page)).await;
                answer.map_err(|error| tracker_failed(&self.authority, &error))?
            }
        };
        self.shown(&mut call, page).await
    }

    /// A part of the list, if the last change of it has found nothing to change and brought this with it. Asking
    /// again reads it anew.
    fn just_read(&mut self, PageRequest { offset, limit }: PageRequest) -> Option<TrackedPage> {
        let TrackedPage { mut issues, more } = self.list_just_read.take().filter(|_| offset == 0)?;
        let more = more || issues.len() > limit as usize;
        issues.truncate(limit as usize);
        Some(TrackedPage { issues, more })
    }

    /// The rows as guests see them, and whether the list goes on.
    async fn shown(
        &mut self,
        call: &mut Call,
        page: TrackedPage,
    ) -> Result<(Vec<RowDetails>, bool), types::TrackerError> {
        call.look_at(self, page.issues.iter().map(|issue| &issue.key)).await;
        if call.capabilities.jira.is_silent() {
            let now = call.capabilities.clock.now();
            let read = page.issues.iter().filter_map(|issue| issue.last_synced_at).map(|at| (at, now));
            self.statuses_as_of = read.chain(self.statuses_as_of).min();
        }
        Ok((page.issues.into_iter().map(|issue| row(call.sight(), issue)).collect(), page.more))
    }

    async fn count(&mut self) -> Result<u32, types::TrackerError> {
        let Call { caller, capabilities, .. } = Call::begin(self, Function::COUNT_TRACKED)?;
        let answer = self.timed(capabilities.tracker.count_tracked_issues(&caller.channel)).await;
        answer.map_err(|error| tracker_failed(&self.authority, &error))
    }

    async fn are_tracked(&mut self, keys: Vec<String>) -> Result<Vec<bool>, types::TrackerError> {
        let call = Call::begin(self, Function::IS_TRACKED)?;
        let keys = call.keys(self, keys)?;
        let Call { caller, capabilities, .. } = call;
        let answer = self.timed(capabilities.tracker.is_tracked(&caller.channel, &keys)).await;
        answer.map_err(|error| tracker_failed(&self.authority, &error))
    }
}

fn check_limit(page: PageRequest) -> Result<(), CallError> {
    if (1..=MAX_ROWS).contains(&page.limit) {
        return Ok(());
    }
    Err(CallError::InvalidArgument(texts::plugins::requests::row_count(MAX_ROWS)))
}

/// A row as guests see it; only its key if it may not be shown.
fn row(sight: &Sight, issue: TrackedIssue) -> RowDetails {
    let is_shown = sight.row(&issue.key, issue.has_security_level).is_ok();
    let is_gone = issue.last_jira_status.as_deref() == Some(MISSING_STATUS);
    let shown = |text: Option<String>| text.filter(|_| is_shown).unwrap_or_default();
    RowDetails {
        last_read: issue.last_synced_at.filter(|_| is_shown).map(seconds),
        state: match (is_shown, is_gone) {
            (false, _) => RowState::Hidden,
            (true, true) => RowState::Gone,
            (true, false) => RowState::Present,
        },
        status_category: if is_shown {
            guest_category(issue.last_jira_category)
        } else {
            types::StatusCategory::Unknown
        },
        moved_from: issue.former_key.filter(|_| is_shown).map(IssueKey::into_string),
        issue: tracker::TrackedIssue {
            key: issue.key.into_string(),
            summary: shown(issue.last_jira_summary),
            status: shown(issue.last_jira_status),
            tracked_by: issue.tracked_by.map(UserId::into_string).unwrap_or_default(),
            tracked_at: seconds(issue.tracked_at),
        },
    }
}

fn seconds(at: Timestamp) -> u64 {
    u64::try_from(at.as_second()).unwrap_or(0)
}
