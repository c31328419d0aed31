//! What Jira said of issues, to be written to every list that they are on. Does no I/O, so that both databases decide
//! the same: what is older than what is stored is left out, and a row that says the same already isn't written.

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    sync::Arc,
};

use jiff::Timestamp;
use serde::Deserialize;

use crate::tracker::{
    known_fields::{known_category, known_level},
    newer_answer::Known,
    reconcile::Answer,
};
use maro_domain::{
    ids::ChannelId,
    issue::{Issue, IssueId, IssueKey},
};

/// How many rows one transaction changes at most, so that each ends in time and holds up others shortly.
pub(in crate::tracker) const ROWS_PER_TRANSACTION: usize = 2_000;

/// How many transactions write one record at most. What is left then is found when the issues are read again.
pub(in crate::tracker) const MAX_TRANSACTIONS: usize = 500;

/// How many rows are compared with one another at once: to compare all with all takes time.
pub(in crate::tracker) const ROWS_AT_ONCE: usize = 200;

/// What Jira said of one issue.
#[derive(Debug, Clone)]
pub struct IssueAnswer {
    /// The key that Jira was asked for.
    pub key: IssueKey,
    /// Jira's id of the issue, if it's known from elsewhere: it finds the rows of an issue that Jira doesn't show.
    pub id: Option<IssueId>,
    /// `None` means that Jira doesn't show it.
    pub issue: Option<Issue>,
}

impl IssueAnswer {
    /// Jira's answer to the question for a key.
    pub fn to(key: IssueKey, issue: Option<Issue>) -> Self {
        Self { key, id: None, issue }
    }

    /// The id by which rows are found.
    pub(in crate::tracker) fn id(&self) -> Option<&str> {
        self.issue.as_ref().map(|issue| &issue.id).or(self.id.as_ref()).map(IssueId::as_str)
    }

    /// The key that the issue has by now.
    pub(in crate::tracker) fn new_key(&self) -> &IssueKey {
        self.issue.as_ref().map_or(&self.key, |issue| &issue.key)
    }

    pub(in crate::tracker) fn updated_ms(&self) -> Option<i64> {
        self.issue.as_ref().and_then(updated_ms)
    }
}

/// When an issue changed last, by Jira's clock, in milliseconds since 1970.
pub(in crate::tracker) fn updated_ms(issue: &Issue) -> Option<i64> {
    issue.updated_at.map(Timestamp::as_millisecond)
}

/// Decides what a list may keep of an issue.
pub trait Sieve: Send + Sync {
    fn kept(&self, channel: &ChannelId, issue: &Issue) -> Issue;
}

/// Answers that Jira gave at one time.
#[derive(Clone)]
pub struct JiraAnswers {
    pub(in crate::tracker) answers: Vec<IssueAnswer>,
    pub(in crate::tracker) asked_at: Timestamp,
    sieve: Option<Arc<dyn Sieve>>,
}

impl fmt::Debug for JiraAnswers {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { answers, asked_at, .. } = self;
        formatter.debug_struct("JiraAnswers").field("answers", answers).field("asked_at", asked_at).finish()
    }
}

impl JiraAnswers {
    /// `asked_at` is the moment before Jira was asked.
    pub fn new(answers: Vec<IssueAnswer>, asked_at: Timestamp) -> Self {
        Self { answers, asked_at, sieve: None }
    }

    /// With somebody who decides what each list may keep.
    #[must_use]
    pub fn through(self, sieve: Arc<dyn Sieve>) -> Self {
        Self { sieve: Some(sieve), ..self }
    }

    /// Jira was asked before `now` at the latest. The clock of a replica may be fast, and all that others learn before
    /// then would count as older.
    pub(in crate::tracker) fn asked_by(mut self, now: Option<Timestamp>) -> Self {
        self.asked_at = now.map_or(self.asked_at, |now| self.asked_at.min(now));
        self
    }

    /// All keys of the issues, in order: those that were asked for, and those that they have by now. Each with the
    /// time of its last change.
    pub(in crate::tracker) fn keys(&self) -> BTreeMap<&str, Option<i64>> {
        let mut keys = BTreeMap::new();
        for answer in &self.answers {
            keys.insert(answer.key.as_str(), answer.updated_ms());
            keys.insert(answer.new_key().as_str(), answer.updated_ms());
        }
        keys
    }

    /// Leaves out the answers that are older than what is known of their issues. Returns the keys that they're to.
    pub(in crate::tracker) fn without_outdated(
        mut self,
        known: &HashMap<String, Known>,
    ) -> (Self, Vec<String>) {
        let asked_at = self.asked_at;
        let outdated = self.answers.extract_if(.., |answer| {
            let is_outdated = |key: &IssueKey| {
                known.get(key.as_str()).is_some_and(|known| known.is_newer(answer.updated_ms(), asked_at))
            };
            is_outdated(&answer.key) || is_outdated(answer.new_key())
        });
        let outdated = outdated.map(|answer| answer.key.to_string()).collect();
        (self, outdated)
    }

    /// What has to be written of the answers, as channel, key on the list and answer: `rows` are those that may differ.
    pub(in crate::tracker) fn differences(&self, rows: Vec<StoredRow>) -> Vec<Difference> {
        let differences = rows.into_iter().filter_map(|row| {
            let channel = ChannelId::parse(&row.channel).ok()?;
            let key = IssueKey::from_string(row.key.clone()).ok()?;
            let issue = self.answers.get(row.answer)?.issue.as_ref();
            let issue = match (issue, &self.sieve) {
                (Some(issue), Some(sieve)) => Some(sieve.kept(&channel, issue)),
                (issue, _) => issue.cloned(),
            };
            let differs = row.differs_from(&key, issue.as_ref());
            differs.then_some(Difference { answer: row.answer, channel: row.channel, key, issue })
        });
        differences.collect()
    }

    /// Keeps the first `limit` differences and the answers that are complete with them, and returns the other answers.
    /// Differences end in the order of their channels: two that write to several can't wait for one another.
    pub(in crate::tracker) fn split(
        &mut self,
        differences: &mut Vec<Difference>,
        limit: usize,
    ) -> Option<Self> {
        let left = differences.get(limit).map(|first| first.answer).map(|answer| {
            differences.truncate(limit);
            let answers = self.answers.split_off(answer.min(self.answers.len()));
            Self { answers, ..self.clone() }
        });
        differences.sort_by(|one, other| one.channel.cmp(&other.channel));
        left
    }
}

/// A row of a list that may not agree with an answer, with its columns in the order of both databases' query.
#[derive(Debug, Deserialize)]
pub(in crate::tracker) struct StoredRow {
    /// The position of the answer.
    answer: usize,
    channel: String,
    key: String,
    issue_id: Option<String>,
    summary: Option<String>,
    status: Option<String>,
    category: Option<String>,
    level: Option<u8>,
    was_synced: u8,
}

impl StoredRow {
    fn differs_from(&self, key: &IssueKey, issue: Option<&Issue>) -> bool {
        let answer = Answer { channel: &self.channel, listed_as: Some(key), issue };
        let status_differs = answer.status().is_some_and(|status| {
            self.status.as_deref() != Some(status)
                || self.category.as_deref() != issue.and_then(known_category)
        });
        let level_differs =
            issue.and_then(known_level).is_some_and(|level| self.level != Some(u8::from(level)));
        let is_named_otherwise = issue
            .is_some_and(|issue| issue.key != *key || self.issue_id.as_deref() != Some(issue.id.as_str()));
        self.was_synced == 0
            || self.summary.as_deref() != Some(answer.summary())
            || status_differs
            || level_differs
            || is_named_otherwise
    }
}

/// An answer to write into one row.
#[derive(Debug)]
pub(in crate::tracker) struct Difference {
    /// The position of the answer.
    answer: usize,
    pub(in crate::tracker) channel: String,
    /// The issue's key on the list.
    pub(in crate::tracker) key: IssueKey,
    pub(in crate::tracker) issue: Option<Issue>,
}

impl Difference {
    pub(in crate::tracker) fn answer(&self) -> Answer<'_> {
        Answer { channel: &self.channel, listed_as: Some(&self.key), issue: self.issue.as_ref() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn a_row_that_says_the_same_is_no_difference() {
        let key = IssueKey::parse("A-1").unwrap();
        let issue = Issue::new(IssueId::new("10"), key.clone(), "A summary", "Open");
        let row = |summary: &str, level| StoredRow {
            answer: 0,
            channel: "C1".to_owned(),
            key: "A-1".to_owned(),
            issue_id: Some("10".to_owned()),
            summary: Some(summary.to_owned()),
            status: Some("Open".to_owned()),
            category: None,
            level,
            was_synced: 1,
        };
        let told = JiraAnswers::new(vec![IssueAnswer::to(key, Some(issue))], time(1));
        assert_eq!(told.differences(vec![row("A summary", Some(0))]).len(), 0);
        assert_eq!(told.differences(vec![row("Another", Some(0)), row("A summary", None)]).len(), 2);
        let moved = StoredRow { key: "OLD-1".to_owned(), ..row("A summary", Some(0)) };
        assert_eq!(told.differences(vec![moved]).len(), 1);
        let new = StoredRow { was_synced: 0, ..row("A summary", Some(0)) };
        assert_eq!(told.differences(vec![new]).len(), 1);
    }

    #[test]
    fn what_one_transaction_doesnt_write_is_left_to_the_next() {
        let keys = ["A-1", "A-2", "A-3"].map(|key| IssueKey::parse(key).unwrap());
        let answers = keys.iter().map(|key| IssueAnswer::to(key.clone(), None)).collect();
        let told = JiraAnswers::new(answers, time(1));
        let difference = |answer: usize, channel: &str| Difference {
            answer,
            channel: channel.to_owned(),
            key: keys[answer].clone(),
            issue: None,
        };
        let all = [(0, "C2"), (1, "C1"), (1, "C3"), (2, "C1")];
        let split = |limit| {
            let mut differences: Vec<_> = all.iter().map(|&(place, name)| difference(place, name)).collect();
            let mut part = told.clone();
            let left = part.split(&mut differences, limit);
            let channels: Vec<String> = differences.into_iter().map(|one| one.channel).collect();
            (channels.join(" "), part.answers.len(), left.map(|left| left.answers.len()))
        };
        assert_eq!(split(4), ("C1 C1 C2 C3".to_owned(), 3, None));
        assert_eq!(split(3), ("C1 C2 C3".to_owned(), 2, Some(1)));
        assert_eq!(split(2), ("C1 C2".to_owned(), 1, Some(2)), "an answer that isn't complete is left, too");
    }
}
