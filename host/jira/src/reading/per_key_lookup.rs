//! Looking up issues with an answer of its own for each key, as soon as it's there, for work that nobody waits for:
//! what Jira can't serve of one issue, or hangs on, holds up no other, and isn't asked for again and again.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use tokio::time::Instant;

use crate::{
    connection::site::JiraSite,
    error::{JiraError, JiraOutage},
    reading::{
        answers::{Age, EachAnswer, Tell, Unanswered, again},
        look_up::without_repeats,
        splitting_batches::Asking,
    },
};
use maro_domain::issue::IssueKey;

/// One answer for each key, in order.
pub(crate) async fn get_each(
    site: &JiraSite,
    keys: &[IssueKey],
    age: Age,
    deadline: Instant,
) -> Vec<EachAnswer> {
    let told: Mutex<HashMap<IssueKey, EachAnswer>> = Mutex::default();
    let told = || told.lock().unwrap_or_else(PoisonError::into_inner);
    tell_each(site, keys, age, deadline, &|key, answer| drop(told().insert(key.clone(), answer))).await;
    let told = told();
    keys.iter().map(|key| told.get(key).map_or(Err(JiraError::TimedOut), again)).collect()
}

/// Tells the answer of each distinct key once, when it comes.
pub(crate) async fn tell_each(
    site: &JiraSite,
    keys: &[IssueKey],
    age: Age,
    deadline: Instant,
    tell: Tell<'_>,
) {
    let (distinct, _) = without_repeats(keys);
    let now = Instant::now();
    let (resting, asked): (Vec<&IssueKey>, Vec<_>) =
        distinct.into_iter().partition(|key| site.troubled.rests(key, now));
    for key in resting {
        tell(key, Err(JiraError::outage(JiraOutage::Resting)));
    }
    let unanswered = Unanswered::new(&asked, tell);
    Asking::new(site, age, deadline, &unanswered).ask(&asked).await;
    for key in asked {
        unanswered.tell(key, Err(JiraError::TimedOut));
    }
}
