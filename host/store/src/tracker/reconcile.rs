//! Decides how to change a list's rows when Jira's answers disagree with them: an issue has moved to another
//! key, is on the list twice, or has no id yet. Does no I/O, so that both databases decide the same.

use std::collections::HashSet;

use crate::{
    notices::note::StatusChange,
    tracker::{
        known_fields::{known_category, known_status},
        shown_status::ShownStatus,
    },
};
use maro_domain::{
    issue::{Issue, IssueId, IssueKey, StatusId, StatusSetter},
    tracked::{MISSING_STATUS, is_no_status},
};

/// The part of a row that identifies the issue, and the status that it has.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::tracker) struct Row {
    pub(in crate::tracker) id: i64,
    pub(in crate::tracker) channel: String,
    pub(in crate::tracker) key: String,
    /// The key that it had so far, if it has just got another.
    pub(in crate::tracker) former_key: Option<String>,
    pub(in crate::tracker) issue_id: Option<String>,
    pub(in crate::tracker) status: Option<String>,
    /// Jira's key of the status's category.
    pub(in crate::tracker) category: Option<String>,
    /// The status that Jira last showed.
    pub(in crate::tracker) shown: Option<ShownStatus>,
}

impl Row {
    /// The status that the issue had when Jira last showed it, and its category. Nothing while neither is known.
    fn last_seen(&self) -> Option<(&str, &str)> {
        let status = self.status.as_deref()?;
        if is_no_status(status) {
            let shown = self.shown.as_ref()?;
            return Some((&shown.name, shown.category.as_deref().unwrap_or_default()));
        }
        Some((status, self.category.as_deref().unwrap_or_default()))
    }

    /// Whether this is the status that the issue had, if that is called otherwise by now: nobody has changed the issue.
    fn is_as_seen(&self, seen: &str, id: Option<&StatusId>, category: &str) -> bool {
        let shown = self.shown.as_ref().filter(|shown| shown.name == seen);
        shown.is_some_and(|shown| {
            shown.id.as_deref().is_some_and(|shown| id.is_some_and(|id| id.as_str() == shown))
                && shown.category.as_deref().unwrap_or_default() == category
        })
    }
}

/// Jira's answer for one issue on one list.
#[derive(Debug, Clone, Copy)]
pub(in crate::tracker) struct Answer<'a> {
    pub(in crate::tracker) channel: &'a str,
    /// The issue's key on the list when Jira was asked. If no row has that key any more, the answer is
    /// ignored. `None` means any row of the issue.
    pub(in crate::tracker) listed_as: Option<&'a IssueKey>,
    /// `None` means that Jira no longer shows it.
    pub(in crate::tracker) issue: Option<&'a Issue>,
}

impl<'a> Answer<'a> {
    /// The row's new summary: an empty one if Jira no longer shows the issue, which people in the channel may then
    /// not see either.
    pub(in crate::tracker) fn summary(&self) -> &'a str {
        self.issue.map_or("", |issue| issue.summary.as_str())
    }

    /// The row's new status. `None` keeps the old one.
    pub(in crate::tracker) fn status(&self) -> Option<&'a str> {
        match self.issue {
            Some(issue) => known_status(issue),
            None => Some(MISSING_STATUS),
        }
    }

    /// Whether the row counts as synced. After creating an issue without learning its status, it doesn't, so
    /// that the next sync reads the status. After a sync it always does. Otherwise a row that never gets a
    /// status would always come first.
    pub(in crate::tracker) fn is_sync(&self) -> bool {
        self.listed_as.is_some() || self.status().is_some()
    }
}

/// The new content of one row.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::tracker) struct Update {
    pub(in crate::tracker) row: Row,
    /// Whether the key or id changes. Then the row's old ones must be cleared first.
    pub(in crate::tracker) renamed: bool,
    /// The position of the answer with the rest of the content.
    pub(in crate::tracker) answer: usize,
}

/// The changes that make the rows agree with Jira. Delete first, then update, then insert.
#[derive(Debug, Default, PartialEq, Eq)]
pub(in crate::tracker) struct Plan {
    pub(in crate::tracker) delete: Vec<i64>,
    pub(in crate::tracker) update: Vec<Update>,
    /// The positions of the answers without a row.
    pub(in crate::tracker) missing: Vec<usize>,
}

/// Goes through the answers in order. `rows` are all rows that an answer names by key or id, oldest first.
///
/// Even if the answers contradict each other, the result has only one row per channel and key, and one per
/// channel and id.
pub(in crate::tracker) fn reconcile(rows: Vec<Row>, answers: &[Answer<'_>]) -> Plan {
    let mut rows: Vec<Draft> =
        rows.into_iter().map(|row| Draft { row, renamed: false, answer: None }).collect();
    let mut plan = Plan::default();
    for (position, answer) in answers.iter().enumerate() {
        let is_listed = |draft: &Draft| match answer.listed_as {
            Some(key) => draft.is(answer.channel, key),
            None => answer.issue.is_some_and(|issue| draft.is_about(answer.channel, issue)),
        };
        if !rows.iter().any(is_listed) {
            plan.missing.push(position);
            continue;
        }
        let same = |draft: &Draft| {
            is_listed(draft) || answer.issue.is_some_and(|issue| draft.is_about(answer.channel, issue))
        };
        let Some(oldest) = rows.iter().position(same) else { continue };
        let keep = rows[oldest].row.id;
        rows.retain(|draft| {
            let doubled = draft.row.id != keep && same(draft);
            if doubled {
                plan.delete.push(draft.row.id);
            }
            !doubled
        });
        // Only later rows were removed, so the position is still valid.
        rows[oldest].take(position, answer.issue);
    }
    plan.update = rows
        .into_iter()
        .filter_map(|draft| {
            let answer = draft.answer?;
            Some(Update { row: draft.row, renamed: draft.renamed, answer })
        })
        .collect();
    plan
}

/// The changes of status that an update of rows makes, as far as it was made: `made` has the ids of those rows. What
/// doesn't lead from one status that Jira shows to another isn't among them.
pub(in crate::tracker) fn status_changes<'a>(
    plan: &'a Plan,
    answers: &[Answer<'a>],
    made: &HashSet<i64>,
) -> Vec<(usize, StatusChange<'a>)> {
    let changes = plan.update.iter().filter(|update| made.contains(&update.row.id)).filter_map(|update| {
        let issue = answers[update.answer].issue?;
        let set_by = issue.status_set_by.as_ref();
        let (from, from_category) = update.row.last_seen()?;
        let to_category = known_category(issue).unwrap_or_default();
        // Whoever set it has set another one.
        let is_same = set_by.is_none() && update.row.is_as_seen(from, issue.status_id.as_ref(), to_category);
        let change = StatusChange {
            channel: &update.row.channel,
            issue,
            from,
            to: known_status(issue).filter(|status| !is_no_status(status))?,
            from_category,
            to_category,
            set_by: set_by.and_then(StatusSetter::person),
            is_silent: is_same || set_by == Some(&StatusSetter::Maro),
        };
        (change.from != change.to).then_some((update.answer, change))
    });
    changes.collect()
}

/// The issues, without repetitions of a key or id.
pub(in crate::tracker) fn without_repeats(issues: &[Issue]) -> Vec<&Issue> {
    let mut keys: HashSet<&IssueKey> = HashSet::new();
    let mut ids: HashSet<&IssueId> = HashSet::new();
    issues
        .iter()
        .filter(|issue| {
            let (new_key, new_id) = (keys.insert(&issue.key), ids.insert(&issue.id));
            new_key && new_id
        })
        .collect()
}

struct Draft {
    row: Row,
    renamed: bool,
    answer: Option<usize>,
}

impl Draft {
    fn is(&self, channel: &str, key: &IssueKey) -> bool {
        self.row.channel == channel && self.row.key == key.as_str()
    }

    fn is_about(&self, channel: &str, issue: &Issue) -> bool {
        self.is(channel, &issue.key)
            || (self.row.channel == channel && self.row.issue_id.as_deref() == Some(issue.id.as_str()))
    }

    fn take(&mut self, answer: usize, issue: Option<&Issue>) {
        self.answer = Some(answer);
        let Some(issue) = issue else { return };
        let (key, id) = (issue.key.as_str(), issue.id.as_str());
        if self.row.key != key || self.row.issue_id.as_deref() != Some(id) {
            self.renamed = true;
            let before = std::mem::replace(&mut self.row.key, key.to_owned());
            self.row.former_key = Some(before).filter(|before| before != key).or(self.row.former_key.take());
            if self.row.issue_id.replace(id.to_owned()).is_some_and(|before| before != id) {
                self.row.shown = None;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(id: i64, key: &str, issue_id: Option<&str>) -> Row {
        Row {
            id,
            channel: "C1".to_owned(),
            key: key.to_owned(),
            issue_id: issue_id.map(str::to_owned),
            ..Row::default()
        }
    }

    fn issue(id: &str, key: &str) -> Issue {
        Issue::new(IssueId::new(id), IssueKey::parse(key).unwrap(), "A summary", "Open")
    }

    /// Rows as `id key issue_id`, what is deleted, and which answers found no row.
    fn outcome(rows: Vec<Row>, issues: &[Issue]) -> (Vec<String>, Vec<i64>, Vec<usize>) {
        let answers: Vec<_> = issues
            .iter()
            .map(|issue| Answer { channel: "C1", listed_as: None, issue: Some(issue) })
            .collect();
        let plan = reconcile(rows, &answers);
        let rows = plan.update.into_iter().map(|update| {
            let Row { id, key, issue_id, .. } = update.row;
            format!("{id} {key} {}", issue_id.as_deref().unwrap_or("-"))
        });
        (rows.collect(), plan.delete, plan.missing)
    }

    #[test]
    fn a_moved_issue_takes_its_new_key() {
        let (rows, deleted, missing) = outcome(vec![row(1, "OLD-1", Some("10"))], &[issue("10", "NEW-1")]);
        assert_eq!((rows, deleted, missing), (vec!["1 NEW-1 10".to_owned()], vec![], vec![]));
    }

    #[test]
    fn of_two_rows_for_one_issue_the_older_stays() {
        let rows = vec![row(7, "NEW-1", None), row(3, "OLD-1", Some("10"))];
        let (rows, deleted, missing) = outcome(rows, &[issue("10", "NEW-1")]);
        assert_eq!((rows, deleted, missing), (vec!["7 NEW-1 10".to_owned()], vec![3], vec![]));
    }

    #[test]
    fn a_key_that_was_given_to_another_issue_keeps_its_row() {
        let (rows, deleted, missing) = outcome(vec![row(1, "A-1", Some("10"))], &[issue("11", "A-1")]);
        assert_eq!((rows, deleted, missing), (vec!["1 A-1 11".to_owned()], vec![], vec![]));
    }

    #[test]
    fn issues_that_changed_keys_with_one_another_never_collide() {
        let rows = vec![row(1, "A-1", Some("10")), row(2, "B-1", Some("20"))];
        let (rows, deleted, missing) = outcome(rows, &[issue("10", "B-1"), issue("20", "A-1")]);
        assert_eq!((rows, deleted, missing), (vec!["1 B-1 10".to_owned()], vec![2], vec![1]));
    }

    #[test]
    fn a_chain_of_moves_keeps_every_row() {
        let rows = vec![row(1, "B-1", Some("20")), row(2, "A-1", Some("10"))];
        let (rows, deleted, missing) = outcome(rows, &[issue("20", "C-1"), issue("10", "B-1")]);
        assert_eq!(rows, ["1 C-1 20", "2 B-1 10"]);
        assert_eq!((deleted, missing), (vec![], vec![]));
    }

    #[test]
    fn an_answer_for_a_row_that_is_gone_is_void() {
        let (old, moved) = (IssueKey::parse("OLD-1").unwrap(), issue("10", "NEW-1"));
        let answer = Answer { channel: "C1", listed_as: Some(&old), issue: Some(&moved) };
        let plan = reconcile(vec![row(1, "NEW-1", Some("10"))], &[answer]);
        assert_eq!(plan, Plan { missing: vec![0], ..Plan::default() });
    }

    #[test]
    fn an_issue_jira_no_longer_shows_keeps_its_row() {
        let key = IssueKey::parse("A-1").unwrap();
        let answer = Answer { channel: "C1", listed_as: Some(&key), issue: None };
        let plan = reconcile(vec![row(1, "A-1", Some("10"))], &[answer]);
        let update = Update { row: row(1, "A-1", Some("10")), renamed: false, answer: 0 };
        assert_eq!(plan, Plan { update: vec![update], ..Plan::default() });
    }
}
