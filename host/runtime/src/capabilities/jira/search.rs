//! Searching. Where an issue may be hidden from the caller, no page and no error tells of it: pages are counted and filled
//! with what may be shown, and what a query names is looked at before Jira reads it.

use crate::{
    capabilities::{
        jira::{details, invalid},
        permitted_call::Call,
    },
    interface::bindings::maro::plugin::{
        jira::SearchPage,
        types::{self, JiraErrorKind},
    },
    invocation::{Invocation, search_cursor::OpenSearch},
    policy::functions::Function,
};
use maro_domain::{issue::IssueKey, issue_details::IssueDetails};
use maro_jira::searching::plugin_search::{FoundPage, Search, named_issues};
use maro_texts as texts;

/// The longest query, in characters.
const MAX_JQL_LENGTH: usize = 4_000;

/// The largest page of a search.
const MAX_PAGE_SIZE: u32 = 100;

/// The most issues that a query may name where some may be hidden.
const MAX_NAMED: usize = 100;

/// The smallest page that Jira is asked for where some issues may be hidden, and how many issues are read for one page
/// of a guest. Whatever stands behind so many hidden ones isn't found.
const MIN_READ: u32 = 20;
const MAX_READ: u32 = 500;

/// Starts the place of a page among the issues that may be shown. How many stand before it follows.
const PLACE: &str = "shown-";

impl Invocation {
    pub(super) async fn find(
        &mut self,
        jql: String,
        limit: u32,
        after: Option<String>,
    ) -> Result<SearchPage, types::JiraError> {
        let mut call = Call::begin_with_issues(self, Function::SEARCH).await?;
        if jql.chars().count() > MAX_JQL_LENGTH {
            return Err(invalid(texts::plugins::requests::query_too_long(MAX_JQL_LENGTH)));
        }
        if !(1..=MAX_PAGE_SIZE).contains(&limit) {
            return Err(invalid(texts::plugins::requests::page_size(limit, MAX_PAGE_SIZE)));
        }
        // Said of every query, so it tells nothing of what is found.
        if let Err(rule) = self.timed(call.sight().anything()).await {
            let message = texts::rights::access::not_searched(&rule);
            return Err(types::JiraError { kind: JiraErrorKind::Denied, message });
        }
        let (found, next) = if call.sight().picks_issues() {
            self.find_shown(&mut call, jql, limit, after).await?
        } else {
            let search = Search { jql: &jql, projects: None, hidden: None, limit, after: after.as_deref() };
            let FoundPage { mut issues, next } = self.found_page(&call, search).await?;
            issues.retain(|found| call.sight().issue(&found.issue).is_ok());
            (issues, next)
        };
        self.confirmed.extend(found.iter().map(|found| found.issue.clone()));
        Ok(SearchPage { issues: found.into_iter().map(details).collect(), next })
    }

    /// A page of the issues that may be shown, and the place of the next one.
    async fn find_shown(
        &mut self,
        call: &mut Call,
        jql: String,
        limit: u32,
        after: Option<String>,
    ) -> Result<(Vec<IssueDetails>, Option<String>), types::JiraError> {
        let place = after.as_deref().map_or(Some(0), place_of);
        let Some(place) = place else { return Err(invalid(texts::plugins::requests::unknown_page())) };
        let mut open = match self.open_search.take().filter(|open| open.is_at(&jql, place)) {
            Some(open) => open,
            None => OpenSearch::new(self.hidden_among(call, &jql).await?, jql),
        };
        let skipped = place - open.handed_out;
        let limit_here = limit as usize;
        self.read_on(call, &mut open, skipped.saturating_add(limit_here), limit).await?;
        open.shown.drain(..skipped.min(open.shown.len()));
        let rest = open.shown.split_off(limit_here.min(open.shown.len()));
        let found = std::mem::replace(&mut open.shown, rest);
        open.handed_out = place + found.len();
        let next = (!open.shown.is_empty()).then(|| format!("{PLACE}{}", open.handed_out));
        self.open_search = next.is_some().then_some(open);
        Ok((found, next))
    }

    /// Reads on until more than `wanted` issues are there that may be shown: whether there is another page is known
    /// then, too.
    async fn read_on(
        &mut self,
        call: &mut Call,
        open: &mut OpenSearch,
        wanted: usize,
        limit: u32,
    ) -> Result<(), types::JiraError> {
        let size = (limit + 1).clamp(MIN_READ, MAX_PAGE_SIZE);
        for _ in 0..MAX_READ / size {
            if open.is_read || open.shown.len() > wanted {
                break;
            }
            let OpenSearch { jql, hidden, next, .. } = &*open;
            let (hidden, after) = (Some(hidden.as_slice()), next.as_deref());
            let search = Search { jql, projects: None, hidden, limit: size, after };
            let page = self.found_page(call, search).await?;
            call.look_at(self, page.issues.iter().map(|found| &found.issue.key)).await;
            let is_shown = |found: &IssueDetails| call.sight().issue(&found.issue).is_ok();
            open.shown.extend(page.issues.into_iter().filter(is_shown));
            open.is_read = page.next.is_none();
            open.next = page.next;
        }
        Ok(())
    }

    /// Those of the issues that a query names that may not be shown, or that there aren't.
    async fn hidden_among(&mut self, call: &mut Call, jql: &str) -> Result<Vec<IssueKey>, types::JiraError> {
        let named = named_issues(jql).map_err(|error| self.search_failed(&error))?;
        if named.len() > MAX_NAMED {
            return Err(invalid(texts::plugins::requests::too_many_keys(MAX_NAMED)));
        }
        if named.is_empty() {
            return Ok(named);
        }
        let issues = self.look(call, &named).await?;
        let is_hidden =
            |issue: &Option<_>| issue.as_ref().is_none_or(|issue| call.sight().issue(issue).is_err());
        Ok(named.into_iter().zip(issues).filter(|(_, issue)| is_hidden(issue)).map(|(key, _)| key).collect())
    }

    /// A page of Jira's, in the projects of the grant and the channel.
    async fn found_page(&mut self, call: &Call, search: Search<'_>) -> Result<FoundPage, types::JiraError> {
        let projects = self.projects_of(call);
        let search = Search { projects: projects.as_deref(), ..search };
        let deadline = call.jira_read_deadline(self);
        let found = self.timed(call.capabilities.jira.find_issues(search, deadline)).await;
        found.map_err(|error| self.search_failed(&error))
    }
}

/// How many issues stand before a page.
fn place_of(token: &str) -> Option<usize> {
    let place = token.strip_prefix(PLACE)?.parse::<u32>().ok()?;
    usize::try_from(place).ok()
}
