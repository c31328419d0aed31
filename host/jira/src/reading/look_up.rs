//! Looking up issues by their keys, several at a time and in either edition.

use std::collections::HashMap;

use tokio::time::Instant;

use crate::{connection::site::JiraSite, error::JiraError, reading::cloud, reading::data_center};
use maro_domain::issue::{Issue, IssueKey};

pub(crate) async fn get_issues(
    site: &JiraSite,
    keys: &[IssueKey],
    deadline: Instant,
) -> Result<Vec<Option<Issue>>, JiraError> {
    let issues = look_up(site, keys, deadline).await?;
    if issues.iter().any(Option::is_none) {
        site.confirm(deadline).await?;
    }
    Ok(issues)
}

async fn look_up(
    site: &JiraSite,
    keys: &[IssueKey],
    deadline: Instant,
) -> Result<Vec<Option<Issue>>, JiraError> {
    match keys {
        [] => Ok(Vec::new()),
        [key] => look_up_distinct(site, &[key], deadline).await,
        _ => {
            let (distinct, places) = without_repeats(keys);
            let issues = look_up_distinct(site, &distinct, deadline).await?;
            if distinct.len() == keys.len() {
                return Ok(issues);
            }
            Ok(places.into_iter().map(|place| issues[place].clone()).collect())
        }
    }
}

async fn look_up_distinct(
    site: &JiraSite,
    keys: &[&IssueKey],
    deadline: Instant,
) -> Result<Vec<Option<Issue>>, JiraError> {
    if site.is_cloud() {
        cloud::get_issues(site, keys, deadline).await
    } else {
        data_center::get_issues(site, keys, deadline).await
    }
}

/// The distinct keys in order, and each key's position among them.
pub(crate) fn without_repeats(keys: &[IssueKey]) -> (Vec<&IssueKey>, Vec<usize>) {
    let mut distinct = Vec::with_capacity(keys.len());
    let mut seen = HashMap::with_capacity(keys.len());
    let places = keys
        .iter()
        .map(|key| {
            *seen.entry(key).or_insert_with(|| {
                distinct.push(key);
                distinct.len() - 1
            })
        })
        .collect();
    (distinct, places)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repeated_key_is_asked_for_once() {
        let keys = ["A-1", "A-2", "A-1"].map(|key| IssueKey::parse(key).unwrap());
        assert_eq!(without_repeats(&keys), (vec![&keys[0], &keys[1]], vec![0, 1, 0]));
    }
}
