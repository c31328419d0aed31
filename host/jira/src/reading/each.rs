//! Looking up issues with an answer of its own for each key, for work that nobody waits for: what Jira can't serve of one
//! issue holds up no other.

use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::{StreamExt as _, stream};
use tokio::time::Instant;

use crate::{
    connection::site::JiraSite,
    error::{JiraError, Outage},
    reading::cloud,
    reading::look_up::without_repeats,
    reading::single_issue::get_issue,
};
use maro_domain::issue::{Issue, IssueKey};

/// How many keys one request names, and how many such requests are open at a time.
const KEYS_PER_REQUEST: usize = 100;
const REQUESTS: usize = 4;

/// How many issues are asked for one by one at a time.
const CONCURRENCY: usize = 4;

/// After so many failures and no answer, Jira itself has failed, and no key of the rest is asked for.
const MAX_FAILURES: usize = 8;

/// What Jira said of one key; `None` if the issue is missing or not visible.
pub type EachAnswer = Result<Option<Issue>, JiraError>;

/// One answer for each key, in order.
pub(crate) async fn get_each(site: &JiraSite, keys: &[IssueKey], deadline: Instant) -> Vec<EachAnswer> {
    if keys.is_empty() {
        return Vec::new();
    }
    let (distinct, places) = without_repeats(keys);
    let mut answers = if site.is_cloud() {
        let batches = distinct.chunks(KEYS_PER_REQUEST).map(|keys| get_batch(site, keys, deadline));
        let batches: Vec<_> = batches.collect();
        stream::iter(batches).buffered(REQUESTS).concat().await
    } else {
        get_singly(site, &distinct, deadline).await
    };
    if answers.iter().any(|answer| matches!(answer, Ok(None)))
        && let Err(error) = site.confirm(deadline).await
    {
        answers.iter_mut().filter(|answer| matches!(answer, Ok(None))).for_each(|answer| {
            *answer = Err(error.again());
        });
    }
    if distinct.len() == keys.len() {
        return answers;
    }
    places.into_iter().map(|place| again(&answers[place])).collect()
}

async fn get_batch(site: &JiraSite, keys: &[&IssueKey], deadline: Instant) -> Vec<EachAnswer> {
    match cloud::get_issues(site, keys, deadline).await {
        Ok(issues) => issues.into_iter().map(Ok).collect(),
        Err(error) if may_be_of_one(&error) => get_singly(site, keys, deadline).await,
        Err(error) => keys.iter().map(|_| Err(error.again())).collect(),
    }
}

/// A request for each key.
async fn get_singly(site: &JiraSite, keys: &[&IssueKey], deadline: Instant) -> Vec<EachAnswer> {
    let (failed, answered) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let (failed, answered) = (&failed, &answered);
    let questions = keys.iter().enumerate().map(|(place, key)| async move {
        if failed.load(Ordering::Relaxed) >= MAX_FAILURES && answered.load(Ordering::Relaxed) == 0 {
            return (place, Err(JiraError::outage(Outage::NotAsked)));
        }
        let answer = get_issue(site, key, deadline).await;
        let count = if answer.is_ok() { answered } else { failed };
        count.fetch_add(1, Ordering::Relaxed);
        (place, answer)
    });
    let questions: Vec<_> = questions.collect();
    let mut answers: Vec<_> = stream::iter(questions).buffer_unordered(CONCURRENCY).collect().await;
    answers.sort_unstable_by_key(|(place, _)| *place);
    answers.into_iter().map(|(_, answer)| answer).collect()
}

/// Whether one key may be the reason why a request for several failed, or why such requests aren't sent at the moment.
fn may_be_of_one(error: &JiraError) -> bool {
    match error {
        JiraError::InvalidResponse { .. } => true,
        JiraError::Unreachable { source } => !matches!(source, Outage::Connection(_)),
        _ => false,
    }
}

fn again(answer: &EachAnswer) -> EachAnswer {
    match answer {
        Ok(issue) => Ok(issue.clone()),
        Err(error) => Err(error.again()),
    }
}
