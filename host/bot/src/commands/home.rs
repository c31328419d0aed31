//! What a person sees in the app's Home tab: the lists of their channels, what they asked for, and help.

use std::collections::BTreeSet;

use crate::commands::{Commands, help};
use maro_domain::{
    ids::{ChannelId, UserId},
    reply::{Block, Span},
    tracked::{ListFilter, ListSummary, PageRequest, TrackedIssue},
};
use maro_store::database::error::DatabaseError;
use maro_tickets::texts;

/// How many lists are shown, how many open issues of each, and how many of the person's own.
const MAX_LISTS: u32 = 20;
const MAX_ISSUES: u32 = 3;
const MAX_OWN: usize = 10;

/// A part of the tab.
pub(crate) enum HomePart {
    Heading(&'static str),
    /// Where the blocks belong, for what they say of "this channel".
    Words(ChannelId, Vec<Block>),
    Note(ChannelId, Vec<Span>),
}

/// A row as the person may see it.
struct Row {
    issue: TrackedIssue,
    is_shown: bool,
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
        let lists = self.capabilities.tracker.summarize(&channels, MAX_LISTS).await?;
        let mut parts = vec![HomePart::Heading(texts::home::LISTS)];
        if lists.is_empty() {
            let nothing = Block::Paragraph(texts::home::no_lists());
            parts.push(HomePart::Words(conversation.clone(), vec![nothing]));
        }
        let mut asked_for: Vec<(Row, ChannelId)> = Vec::new();
        for list in lists {
            let newest = list.open.saturating_sub(MAX_ISSUES);
            let open = self.rows(user, &list, ListFilter::Open, newest, MAX_ISSUES).await?;
            let mut blocks = vec![Block::Paragraph(texts::home::list(&list))];
            blocks.extend((!open.is_empty()).then(|| Block::items(open.into_iter().map(line))));
            let mine = self.rows(user, &list, ListFilter::TrackedBy(user), 0, 200).await?;
            asked_for.extend(mine.into_iter().map(|row| (row, list.channel.clone())));
            parts.push(HomePart::Words(list.channel, blocks));
        }
        if !is_complete {
            parts.push(HomePart::Note(conversation.clone(), texts::home::only_own_list()));
        }
        asked_for.sort_by_key(|(row, _)| std::cmp::Reverse(row.issue.tracked_at));
        asked_for.truncate(MAX_OWN);
        if !asked_for.is_empty() {
            let lines =
                asked_for.into_iter().map(|(row, channel)| texts::home::asked_for(line(row), channel));
            parts.push(HomePart::Heading(texts::home::ASKED_FOR));
            parts.push(HomePart::Words(conversation.clone(), vec![Block::items(lines)]));
        }
        parts.push(HomePart::Heading(texts::home::HELP));
        parts.push(HomePart::Words(conversation.clone(), help::all(&self.registry.plugins()).blocks));
        Ok(parts)
    }

    /// A part of a list, with what the person may see of it in its channel.
    async fn rows(
        &self,
        user: &UserId,
        list: &ListSummary,
        filter: ListFilter<'_>,
        offset: u32,
        limit: u32,
    ) -> Result<Vec<Row>, DatabaseError> {
        let (tracker, access) = (&self.capabilities.tracker, &self.capabilities.access);
        let page = PageRequest { offset, limit };
        let issues = tracker.get_filtered_issues(&list.channel, filter, page).await?.page.issues;
        let sight = access.sight(&list.channel, user).await;
        let sight = sight.for_issues(issues.iter().map(|issue| &issue.key)).await;
        let is_open = matches!(filter, ListFilter::Open);
        let rows = issues
            .into_iter()
            .map(|issue| Row { is_shown: sight.row(&issue.key, issue.has_security_level).is_ok(), issue });
        // That it's open would tell its status.
        Ok(rows.filter(|row| row.is_shown || !is_open).collect())
    }
}

fn line(row: Row) -> Vec<Span> {
    let TrackedIssue { key, last_jira_summary, last_jira_status, .. } = row.issue;
    let shown = |text: Option<String>| text.filter(|_| row.is_shown).unwrap_or_default();
    texts::shown_issue::head(&key, &shown(last_jira_summary), &shown(last_jira_status))
}
