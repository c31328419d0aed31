//! The part of a list that fits a filter. Where rows may be hidden from the caller, neither counts nor pages tell
//! whether those are done.

use std::time::Duration;

use tokio::time::Instant;

use crate::{
    capabilities::{
        permitted_call::Call,
        tracker::{MAX_ROWS, check_limit},
        tracker_failed,
    },
    interface::bindings::maro::plugin::{
        tracker::{FilteredPage, ListFilter, RowDetails, RowState},
        types::{StatusCategory, TrackerError},
    },
    invocation::{Invocation, services::HostServices},
    policy::functions::Function,
};
use maro_domain::{
    ids::UserId,
    issue::IssueId,
    tracked::{self, PageRequest},
};
use maro_jira::searching::{jql::quoted, plugin_search::Search};
use maro_process::telemetry::error_chain;

/// The most rows of which Jira is asked whether the person sees them, to count those that may be shown. Further ones
/// count as hidden.
const MAX_ASKED: u32 = 600;

/// The most rows of which Jira is asked just to say how many are open.
const MAX_ASKED_TO_COUNT: u32 = 100;

/// Where Jira needn't be asked, how many rows are read at a time, and the most that are counted: more than any list
/// has.
const CHUNK: u32 = 1_000;
const MAX_COUNTED: u32 = 20_000;

/// How many are open, if that isn't counted: more than there are.
const NOT_COUNTED: u32 = u32::MAX;

/// How long Jira may take to say what is assigned to a person, and how many pages of a hundred are read of it. Without
/// it, the list has what they track.
const ASSIGNED_PATIENCE: Duration = Duration::from_secs(2);
const ASSIGNED_PAGES: usize = 3;

impl Invocation {
    /// What fits a filter, from `page.offset` on.
    pub(super) async fn filtered(
        &mut self,
        filter: ListFilter,
        page: PageRequest,
    ) -> Result<FilteredPage, TrackerError> {
        let mut call = Call::begin_with_issues(self, Function::LIST_FILTERED).await?;
        let Call { caller, capabilities, .. } = &call;
        check_limit(page)?;
        let assigned = match filter {
            ListFilter::Mine => {
                let (assigned, is_known) = self.timed(assigned_to(capabilities, &caller.user)).await;
                self.lacks_assigned |= !is_known;
                assigned
            }
            ListFilter::All | ListFilter::Open | ListFilter::Done => Vec::new(),
        };
        let user = caller.user.clone();
        let wanted = match filter {
            ListFilter::All => tracked::ListFilter::All,
            ListFilter::Open => tracked::ListFilter::Open,
            ListFilter::Done => tracked::ListFilter::Done,
            ListFilter::Mine => tracked::ListFilter::Mine(&user, &assigned),
        };
        if call.sight().is_all() {
            return self.part(&mut call, wanted, page).await;
        }
        match filter {
            // That a row is here would tell its status.
            ListFilter::Open | ListFilter::Done => self.shown_part(&mut call, wanted, page).await,
            ListFilter::All => self.counting_shown(&mut call, wanted, tracked::ListFilter::Open, page).await,
            ListFilter::Mine => self.counting_shown(&mut call, wanted, wanted, page).await,
        }
    }

    /// Rows of the list as they are stored, and how many there are.
    async fn part(
        &mut self,
        call: &mut Call,
        wanted: tracked::ListFilter<'_>,
        page: PageRequest,
    ) -> Result<FilteredPage, TrackerError> {
        let answer = call.capabilities.tracker.get_filtered_issues(&call.caller.channel, wanted, page);
        let answer = self.timed(answer).await.map_err(|error| tracker_failed(&self.authority, &error))?;
        let (rows, more) = self.shown(call, answer.page).await?;
        Ok(FilteredPage { rows, more, count: answer.count, open: answer.open })
    }

    /// As [`Invocation::part`], as if there were only the rows that may be shown.
    async fn shown_part(
        &mut self,
        call: &mut Call,
        wanted: tracked::ListFilter<'_>,
        page: PageRequest,
    ) -> Result<FilteredPage, TrackerError> {
        let rows = self.all_shown(call, wanted).await?;
        let (count, open) = (rows.len(), rows.iter().filter(|row| is_open(row)).count());
        let (offset, limit) = (page.offset as usize, page.limit as usize);
        let rows: Vec<RowDetails> = rows.into_iter().skip(offset).take(limit).collect();
        let more = offset.saturating_add(rows.len()) < count;
        Ok(FilteredPage { rows, more, count: number(count), open: number(open) })
    }

    /// As [`Invocation::part`], with all rows, but only those that may be shown count as open. The open ones are among
    /// those that fit `may_be_open`. They aren't counted if Jira would have to be asked about too many.
    async fn counting_shown(
        &mut self,
        call: &mut Call,
        wanted: tracked::ListFilter<'_>,
        may_be_open: tracked::ListFilter<'_>,
        page: PageRequest,
    ) -> Result<FilteredPage, TrackerError> {
        let part = self.part(call, wanted, page).await?;
        let is_whole = page.offset == 0 && !part.more;
        let open = if is_whole {
            part.rows.iter().filter(|row| is_open(row)).count()
        } else if call.sight().is_of_person() && part.count > MAX_ASKED_TO_COUNT {
            return Ok(FilteredPage { open: NOT_COUNTED, ..part });
        } else {
            self.all_shown(call, may_be_open).await?.iter().filter(|row| is_open(row)).count()
        };
        Ok(FilteredPage { open: number(open), ..part })
    }

    /// The rows that fit a filter and may be shown.
    async fn all_shown(
        &mut self,
        call: &mut Call,
        wanted: tracked::ListFilter<'_>,
    ) -> Result<Vec<RowDetails>, TrackerError> {
        let mut shown = Vec::new();
        let (most, limit) =
            if call.sight().is_of_person() { (MAX_ASKED, MAX_ROWS) } else { (MAX_COUNTED, CHUNK) };
        for offset in (0..most).step_by(limit as usize) {
            let part = self.part(call, wanted, PageRequest { offset, limit }).await?;
            shown.extend(part.rows.into_iter().filter(|row| row.state != RowState::Hidden));
            if !part.more {
                break;
            }
        }
        Ok(shown)
    }
}

fn is_open(row: &RowDetails) -> bool {
    row.state != RowState::Hidden && row.status_category != StatusCategory::Done
}

fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// The issues that are assigned to a person, as far as Jira says so in time: those that changed last. And whether it
/// did.
async fn assigned_to(capabilities: &HostServices, user: &UserId) -> (Vec<IssueId>, bool) {
    // A person without an account has nothing assigned.
    let Ok(account) = capabilities.access.jira_account(user).await else {
        return (Vec::new(), !capabilities.jira.is_silent());
    };
    let jql = format!("assignee = {} ORDER BY updated DESC", quoted(&account));
    let deadline = Instant::now() + ASSIGNED_PATIENCE;
    let mut ids = Vec::new();
    let mut after: Option<String> = None;
    for _ in 0..ASSIGNED_PAGES {
        let search = Search { jql: &jql, projects: None, hidden: None, limit: 100, after: after.as_deref() };
        match capabilities.jira.find_issues(search, deadline).await {
            Ok(page) => {
                ids.extend(page.issues.into_iter().map(|details| details.issue.id));
                after = page.next;
            }
            Err(error) => {
                tracing::info!(error = error_chain(&error), "Jira doesn't say what is assigned to a person");
                return (ids, false);
            }
        }
        if after.is_none() {
            break;
        }
    }
    (ids, true)
}
