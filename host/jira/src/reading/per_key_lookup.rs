//! Looking up issues with an answer of its own for each key, for work that nobody waits for: what Jira can't serve of one
//! issue holds up no other, and isn't asked for again and again.

use std::{
    collections::HashMap,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use futures_util::{StreamExt as _, stream};
use tokio::time::Instant;

use crate::{
    connection::site::JiraSite,
    error::{JiraError, JiraOutage},
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

/// What has timed out sooner was hardly asked for, as when the time was over before.
const FAIR_TIME: Duration = Duration::from_secs(1);

/// What Jira said of one key; `None` if the issue is missing or not visible.
pub type EachAnswer = Result<Option<Issue>, JiraError>;

/// One answer for each key, in order.
pub(crate) async fn get_each(site: &JiraSite, keys: &[IssueKey], deadline: Instant) -> Vec<EachAnswer> {
    if keys.is_empty() {
        return Vec::new();
    }
    let (distinct, places) = without_repeats(keys);
    let now = Instant::now();
    let asked: Vec<&IssueKey> =
        distinct.iter().copied().filter(|key| !site.troubled.rests(key, now)).collect();
    let answered = if site.is_cloud() {
        let batches = asked.chunks(KEYS_PER_REQUEST).map(|keys| get_batch(site, keys, deadline));
        let batches: Vec<_> = batches.collect();
        stream::iter(batches).buffered(REQUESTS).concat().await
    } else {
        get_singly(site, &asked, deadline).await
    };
    let mut answered: HashMap<&IssueKey, EachAnswer> = asked.into_iter().zip(answered).collect();
    let resting = || Err(JiraError::outage(JiraOutage::Resting));
    let mut answers: Vec<EachAnswer> =
        distinct.iter().map(|key| answered.remove(key).unwrap_or_else(resting)).collect();
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
    let now = Instant::now();
    // If Jira hangs because of one of them, there is time left to ask for each.
    let end = if keys.len() > 1 { now + deadline.saturating_duration_since(now) / 2 } else { deadline };
    match cloud::get_issues(site, keys, end).await {
        Ok(issues) => {
            let answers: Vec<EachAnswer> = issues.into_iter().map(Ok).collect();
            site.troubled.note(keys.iter().copied().zip(&answers), Instant::now());
            answers
        }
        Err(error) if may_be_of_one(&error, keys.len()) => get_singly(site, keys, deadline).await,
        Err(error) => {
            let answers: Vec<EachAnswer> = keys.iter().map(|_| Err(error.again())).collect();
            if keys.len() == 1 && was_asked(&answers[0], now) {
                site.troubled.note(keys.iter().copied().zip(&answers), Instant::now());
            }
            answers
        }
    }
}

fn was_asked(answer: &EachAnswer, began: Instant) -> bool {
    !matches!(answer, Err(JiraError::TimedOut)) || began.elapsed() >= FAIR_TIME
}

/// A request for each key.
async fn get_singly(site: &JiraSite, keys: &[&IssueKey], deadline: Instant) -> Vec<EachAnswer> {
    let (failed, answered) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let (failed, answered) = (&failed, &answered);
    let questions = keys.iter().enumerate().map(|(place, key)| async move {
        if failed.load(Ordering::Relaxed) >= MAX_FAILURES && answered.load(Ordering::Relaxed) == 0 {
            return (place, true, Err(JiraError::outage(JiraOutage::NotAsked)));
        }
        let began = Instant::now();
        let answer = get_issue(site, key, deadline).await;
        let count = if answer.is_ok() { answered } else { failed };
        count.fetch_add(1, Ordering::Relaxed);
        (place, was_asked(&answer, began), answer)
    });
    let mut questions: Vec<_> = questions.collect();
    if !questions.is_empty() {
        let count = questions.len();
        questions.rotate_left(site.failing_in_front.load(Ordering::Relaxed) % count);
    }
    let mut answers: Vec<_> = stream::iter(questions).buffer_unordered(CONCURRENCY).collect().await;
    if failed.load(Ordering::Relaxed) >= MAX_FAILURES && answered.load(Ordering::Relaxed) == 0 {
        // Perhaps it's these alone that fail. Next time others come first.
        site.failing_in_front.fetch_add(MAX_FAILURES, Ordering::Relaxed);
    }
    answers.sort_unstable_by_key(|(place, ..)| *place);
    let asked = keys.iter().copied().zip(&answers).filter(|(_, (_, was_asked, _))| *was_asked);
    site.troubled.note(asked.map(|(key, (_, _, answer))| (key, answer)), Instant::now());
    answers.into_iter().map(|(_, _, answer)| answer).collect()
}

/// Whether one key may be the reason why a request for several failed, or why such requests aren't sent at the moment.
fn may_be_of_one(error: &JiraError, keys: usize) -> bool {
    match error {
        JiraError::InvalidResponse { .. } => true,
        JiraError::TimedOut => keys > 1,
        JiraError::Unreachable { source } => !matches!(source, JiraOutage::Connection(_)),
        _ => false,
    }
}

fn again(answer: &EachAnswer) -> EachAnswer {
    match answer {
        Ok(issue) => Ok(issue.clone()),
        Err(error) => Err(error.again()),
    }
}
