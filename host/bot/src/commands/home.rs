//! What a person sees in the app's Home tab: the lists of their channels, what they asked for, and help.

use std::collections::BTreeSet;

use crate::commands::{Commands, help};
use maro_access::policy_in_channel::Sight;
use maro_domain::{
    ids::{ChannelId, UserId},
    reply::{Block, Span},
    tracked::{FilteredPage, ListFilter, ListSummary, PageRequest, TrackedIssue},
};
use maro_store::database::error::DatabaseError;
use maro_texts::{self as texts, issues::shown_issue::row};

/// How many lists are shown, how many open issues of each, and how many of the person's own.
const MAX_LISTS: u32 = 20;
const MAX_ISSUES: u32 = 3;
const MAX_OWN: u32 = 10;

/// How many rows of a list are read at once, and at most, to count those that may be shown.
const ROWS_AT_ONCE: u32 = 200;
const MAX_COUNTED: u32 = 2_000;

/// How often further issues of a list are looked at, if the newest may not be shown.
const MAX_LOOKS: usize = 4;

/// A part of the tab.
pub(crate) enum HomePart {
    Heading(&'static str),
    /// Where the blocks belong, for what they say of "this channel".
    Words(ChannelId, Vec<Block>),
    Note(ChannelId, Vec<Span>),
}

/// A list, and what the person may see there.
#[derive(Clone)]
struct ListSight {
    channel: ChannelId,
    sight: Sight,
}

impl Commands {
    /// All of it. `conversation` is theirs with MARO.
    ///
    /// # Errors
    /// The database fails.
    pub(crate) async fn home(
        &self,
        user: &UserId,
        conversation: &ChannelId,
    ) -> Result<Vec<HomePart>, DatabaseError> {
        let own = self.capabilities.access.channels_of(user).await;
        let is_complete = own.is_some();
        let channels: BTreeSet<ChannelId> = own.into_iter().flatten().chain([conversation.clone()]).collect();
        let channels: Vec<ChannelId> = channels.into_iter().collect();
        let mut lists = self.capabilities.tracker.summarize(&channels, MAX_LISTS + 1).await?;
        let has_more = lists.len() > MAX_LISTS as usize;
        lists.truncate(MAX_LISTS as usize);
        let mut parts = vec![HomePart::Heading(texts::home::LISTS)];
        if lists.is_empty() {
            let nothing = Block::Paragraph(texts::home::no_lists());
            parts.push(HomePart::Words(conversation.clone(), vec![nothing]));
        }
        let mut asked_for: Vec<(TrackedIssue, ListSight)> = Vec::new();
        for list in lists {
            let sight = self.capabilities.access.sight(&list.channel, user).await;
            let (open, newest) = self.open_rows(&list, &sight).await?;
            let mut blocks = vec![Block::Paragraph(texts::home::list(&list, open))];
            let lines = newest.into_iter().map(|issue| row(issue, true));
            blocks.extend((lines.len() > 0).then(|| Block::items(lines)));
            let place = ListSight { channel: list.channel.clone(), sight };
            let mine = self.newest_of(user, &list.channel).await?;
            asked_for.extend(mine.into_iter().map(|issue| (issue, place.clone())));
            parts.push(HomePart::Words(list.channel, blocks));
        }
        if has_more {
            parts.push(HomePart::Note(conversation.clone(), texts::home::first_lists_alone(MAX_LISTS)));
        }
        if !is_complete {
            parts.push(HomePart::Note(conversation.clone(), texts::home::only_own_list()));
        }
        asked_for.sort_by_key(|(issue, _)| std::cmp::Reverse(issue.tracked_at));
        asked_for.truncate(MAX_OWN as usize);
        if !asked_for.is_empty() {
            let mut lines = Vec::new();
            for (issue, ListSight { channel, sight }) in asked_for {
                let sight = sight.for_issues([&issue.key]).await;
                let is_shown = sight.row(&issue.key, issue.has_security_level).is_ok();
                lines.push(texts::home::asked_for(row(issue, is_shown), channel));
            }
            parts.push(HomePart::Heading(texts::home::ASKED_FOR));
            parts.push(HomePart::Words(conversation.clone(), vec![Block::items(lines)]));
        }
        parts.push(HomePart::Heading(texts::home::HELP));
        parts.push(HomePart::Words(conversation.clone(), help::all(&self.registry.plugins()).blocks));
        Ok(parts)
    }

    /// How many issues of a list are open, and the newest of them, as far as the person may see them. How many isn't said
    /// where Jira would have to be asked about each.
    async fn open_rows(
        &self,
        list: &ListSummary,
        sight: &Sight,
    ) -> Result<(Option<u32>, Vec<TrackedIssue>), DatabaseError> {
        let channel = &list.channel;
        if sight.is_all() || sight.is_of_person() {
            let newest = self.newest_shown(list, sight).await?;
            return Ok((sight.is_all().then_some(list.open), newest));
        }
        let mut shown = Vec::new();
        for offset in (0..MAX_COUNTED).step_by(ROWS_AT_ONCE as usize) {
            let page = self.rows(channel, ListFilter::Open, offset, ROWS_AT_ONCE).await?.page;
            let is_shown = |issue: &TrackedIssue| sight.row(&issue.key, issue.has_security_level).is_ok();
            shown.extend(page.issues.into_iter().filter(is_shown));
            if !page.more {
                break;
            }
        }
        let count = u32::try_from(shown.len()).ok();
        let newest = shown.split_off(shown.len().saturating_sub(MAX_ISSUES as usize));
        Ok((count, newest))
    }

    /// The newest open issues of a list that the person may see. A hidden one leaves no gap, which would tell that it's
    /// open.
    async fn newest_shown(
        &self,
        list: &ListSummary,
        sight: &Sight,
    ) -> Result<Vec<TrackedIssue>, DatabaseError> {
        let (mut newest, mut end) = (Vec::new(), list.open);
        for _ in 0..MAX_LOOKS {
            let missing = MAX_ISSUES - u32::try_from(newest.len()).unwrap_or(MAX_ISSUES);
            let start = end.saturating_sub(missing);
            if start == end {
                break;
            }
            let rows = self.rows(&list.channel, ListFilter::Open, start, end - start).await?;
            let mut rows = rows.page.issues;
            let sight = sight.clone().for_issues(rows.iter().map(|issue| &issue.key)).await;
            rows.retain(|issue| sight.row(&issue.key, issue.has_security_level).is_ok());
            rows.append(&mut newest);
            (newest, end) = (rows, start);
        }
        Ok(newest)
    }

    /// The newest of the issues in a list that the person tracks.
    async fn newest_of(
        &self,
        user: &UserId,
        channel: &ChannelId,
    ) -> Result<Vec<TrackedIssue>, DatabaseError> {
        let filter = ListFilter::TrackedBy(user);
        let first = self.rows(channel, filter, 0, MAX_OWN).await?;
        let older = first.count.saturating_sub(MAX_OWN);
        let newest = if older == 0 { first } else { self.rows(channel, filter, older, MAX_OWN).await? };
        Ok(newest.page.issues)
    }

    async fn rows(
        &self,
        channel: &ChannelId,
        filter: ListFilter<'_>,
        offset: u32,
        limit: u32,
    ) -> Result<FilteredPage, DatabaseError> {
        let page = PageRequest { offset, limit };
        self.capabilities.tracker.get_filtered_issues(channel, filter, page).await
    }
}
