//! Look-ups in Jira Cloud, REST API v3: up to a hundred keys in one request.
//!
//! The answer has no useful order, leaves out missing issues, and lists a moved issue under its new key
//! without mentioning the old one. [`attribute`] works out which issue belongs to which key.

use std::collections::HashMap;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use tokio::time::Instant;

use crate::{
    connection::request::{JiraRequest, RequestKind},
    connection::site::JiraSite,
    error::JiraError,
    reading::single_issue::get_each,
    wire::issue::{BulkFetchAnswer, BulkFetchRequest, FIELDS, parse_bulk_fetch},
};
use maro_domain::issue::{Issue, IssueKey};

/// How many keys one request may name: Jira's own limit.
const MAX_KEYS: usize = 100;

/// How many such requests one look-up has open at a time.
const CONCURRENCY: usize = 4;

/// Keys that the answer says nothing about, as positions in the list of keys.
#[derive(Debug, PartialEq)]
enum Rest {
    /// They are missing, or there are no such keys.
    Missing,
    /// They may be former keys of issues that were also asked for under their current keys.
    AskTogether(Vec<usize>),
    /// Only a request for each of them can tell.
    AskSingly(Vec<usize>),
}

/// One answer per key, in order. No key is given twice.
pub(crate) async fn get_issues(
    site: &JiraSite,
    keys: &[&IssueKey],
    deadline: Instant,
) -> Result<Vec<Option<Issue>>, JiraError> {
    if keys.len() <= MAX_KEYS {
        return get_batch(site, keys, deadline).await;
    }
    let batches: Vec<_> = keys.chunks(MAX_KEYS).map(|batch| get_batch(site, batch, deadline)).collect();
    let batches: Vec<_> = stream::iter(batches).buffered(CONCURRENCY).try_collect().await?;
    Ok(batches.into_iter().flatten().collect())
}

async fn get_batch(
    site: &JiraSite,
    keys: &[&IssueKey],
    deadline: Instant,
) -> Result<Vec<Option<Issue>>, JiraError> {
    let answer = bulk_fetch(site, keys, deadline).await?;
    let (mut issues, mut rest) = attribute(keys, answer);
    if let Rest::AskTogether(positions) = &rest {
        let again = pick(keys, positions);
        let answer = bulk_fetch(site, &again, deadline).await?;
        let (found, open) = attribute(&again, answer);
        fill(&mut issues, positions, found);
        rest = match open {
            Rest::AskSingly(open) => Rest::AskSingly(open.iter().map(|&open| positions[open]).collect()),
            Rest::AskTogether(_) | Rest::Missing => Rest::Missing,
        };
    }
    if let Rest::AskSingly(positions) = &rest {
        let found = get_each(site, &pick(keys, positions), deadline).await?;
        fill(&mut issues, positions, found);
    }
    Ok(issues)
}

/// `POST /rest/api/3/issue/bulkfetch`
async fn bulk_fetch(
    site: &JiraSite,
    keys: &[&IssueKey],
    deadline: Instant,
) -> Result<BulkFetchAnswer, JiraError> {
    let keys: Vec<&str> = keys.iter().map(|key| key.as_str()).collect();
    let body = BulkFetchRequest { keys: &keys, fields: FIELDS };
    let request = JiraRequest::post(RequestKind::GetIssues, site.url(&["issue", "bulkfetch"]), &body);
    // What is missing is left out of the answer.
    parse_bulk_fetch(&site.ask(&request, deadline).await?.found()?)
}

/// Gives each key its issue, as far as the answer to a request for these keys tells.
///
/// An issue under a key that wasn't asked for has moved. If only one key is left without an issue, it is the
/// former key of that one. If no issue is left over, the keys without one are missing, with one exception:
/// if an issue is asked for under two keys, Jira lists it once. As a move changes the project, this can only
/// be true of keys whose project differs from that of some issue found.
fn attribute(keys: &[&IssueKey], answer: BulkFetchAnswer) -> (Vec<Option<Issue>>, Rest) {
    if keys.len() == 1 && answer.issues.len() < 2 && !answer.has_errors {
        return (vec![answer.issues.into_iter().next()], Rest::Missing);
    }
    let mut issues = vec![None; keys.len()];
    let mut moved = Vec::new();
    let positions: HashMap<&IssueKey, usize> =
        keys.iter().enumerate().map(|(position, &key)| (key, position)).collect();
    for issue in answer.issues {
        match positions.get(&issue.key).map(|&position| &mut issues[position]) {
            Some(place @ None) => *place = Some(issue),
            _ => moved.push(issue),
        }
    }
    let open: Vec<usize> = (0..keys.len()).filter(|&position| issues[position].is_none()).collect();
    let rest = match (open.as_slice(), moved.as_slice()) {
        ([], _) => Rest::Missing,
        _ if answer.has_errors => Rest::AskSingly(open),
        (&[position], [_]) => {
            issues[position] = moved.pop();
            Rest::Missing
        }
        (_, []) => ask_together(keys, &issues, open),
        _ => Rest::AskSingly(open),
    };
    (issues, rest)
}

fn ask_together(keys: &[&IssueKey], issues: &[Option<Issue>], open: Vec<usize>) -> Rest {
    let may_have_moved = |&position: &usize| {
        issues.iter().flatten().any(|issue| issue.key.project_key() != keys[position].project_key())
    };
    let open: Vec<usize> = open.into_iter().filter(may_have_moved).collect();
    if open.is_empty() { Rest::Missing } else { Rest::AskTogether(open) }
}

fn pick<'a>(keys: &[&'a IssueKey], positions: &[usize]) -> Vec<&'a IssueKey> {
    positions.iter().map(|&position| keys[position]).collect()
}

fn fill(issues: &mut [Option<Issue>], positions: &[usize], found: Vec<Option<Issue>>) {
    for (&position, issue) in positions.iter().zip(found) {
        issues[position] = issue;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use maro_domain::issue::IssueId;

    /// What becomes of the asked keys: the key of each one's issue or `-`, and what is still open.
    fn attributed(asked: &str, answered: &str, has_errors: bool) -> (String, Rest) {
        let asked: Vec<IssueKey> = asked.split(' ').map(|key| IssueKey::parse(key).unwrap()).collect();
        let issues = answered
            .split_terminator(' ')
            .map(|key| Issue::new(IssueId::new("1"), IssueKey::parse(key).unwrap(), "", ""))
            .collect();
        let keys: Vec<&IssueKey> = asked.iter().collect();
        let (issues, rest) = attribute(&keys, BulkFetchAnswer { issues, has_errors });
        let keys: Vec<String> = issues
            .iter()
            .map(|issue| issue.as_ref().map_or("-".to_owned(), |issue| issue.key.to_string()))
            .collect();
        (keys.join(" "), rest)
    }

    #[track_caller]
    fn assert_attributed(asked: &str, answered: &str, expected: &str, rest: Rest) {
        assert_eq!(attributed(asked, answered, false), (expected.to_owned(), rest));
    }

    #[test]
    fn each_key_gets_its_issue_whatever_the_order() {
        assert_attributed("A-1 A-2 A-3", "A-3 A-1 A-2", "A-1 A-2 A-3", Rest::Missing);
    }

    #[test]
    fn keys_left_out_of_one_project_are_missing() {
        assert_attributed("A-1 A-2 A-3", "A-2", "- A-2 -", Rest::Missing);
        assert_attributed("A-1 B-1", "", "- -", Rest::Missing);
    }

    #[test]
    fn the_one_key_left_is_the_former_key_of_the_one_issue_left() {
        assert_attributed("A-1", "B-7", "B-7", Rest::Missing);
        assert_attributed("A-1 A-2", "A-2 B-7", "B-7 A-2", Rest::Missing);
    }

    #[test]
    fn several_keys_for_one_moved_issue_are_asked_for_singly() {
        assert_attributed("A-1 A-2 A-3", "A-2 B-7", "- A-2 -", Rest::AskSingly(vec![0, 2]));
        assert_attributed("A-1 A-2", "B-7 B-8", "- -", Rest::AskSingly(vec![0, 1]));
    }

    #[test]
    fn a_key_beside_an_issue_of_another_project_may_be_its_former_key() {
        assert_attributed("A-1 B-7 B-8", "B-7", "- B-7 -", Rest::AskTogether(vec![0]));
        assert_attributed("A-1 B-7", "B-7 B-7", "B-7 B-7", Rest::Missing);
    }

    #[test]
    fn an_issue_that_nobody_asked_for_takes_no_keys_place() {
        assert_attributed("A-1", "E-9 A-1", "A-1", Rest::Missing);
        assert_attributed("A-1 A-2", "E-9 A-1 A-2", "A-1 A-2", Rest::Missing);
        assert_attributed("A-1", "E-8 E-9", "-", Rest::AskSingly(vec![0]));
    }

    #[test]
    fn a_key_that_jira_failed_to_read_is_not_missing() {
        assert_eq!(attributed("A-1 A-2", "A-1", true), ("A-1 -".to_owned(), Rest::AskSingly(vec![1])));
        assert_eq!(attributed("A-1", "", true), ("-".to_owned(), Rest::AskSingly(vec![0])));
        assert_eq!(attributed("A-1", "A-1", true), ("A-1".to_owned(), Rest::Missing));
    }
}
