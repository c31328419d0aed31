//! Asks Jira for issues: many in one request, and fewer or each alone where that request fails or takes long, since
//! one of them may be the reason.

use std::{
    pin::{Pin, pin},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use futures_util::future::{Either, join_all, select};
use tokio::{
    sync::{Semaphore, SemaphorePermit},
    time::{Instant, timeout},
};

use crate::{
    connection::site::JiraSite,
    error::{JiraError, JiraOutage},
    reading::{
        answers::{Age, EachAnswer, Unanswered},
        cloud, data_center,
        single_issue::get_issue,
    },
};
use maro_domain::issue::{Issue, IssueKey};

/// How many keys one request names.
const KEYS_PER_REQUEST: usize = 100;

/// How many they are once such a request has failed.
const KEYS_PER_GROUP: usize = 10;

/// How many requests are open at a time, and how many that take long don't count, as long as Jira answers others.
const CONCURRENCY: usize = 4;
const SLOW_ONES: usize = 4;

/// After this time a request takes long.
const SLOW: Duration = Duration::from_secs(1);

/// After so many failures and no answer, Jira itself has failed, and no key of the rest is asked for.
const MAX_FAILURES: usize = 8;

/// What has timed out sooner was hardly asked for, as when the time was over before.
const FAIR_TIME: Duration = Duration::from_secs(1);

/// Asking for some issues.
pub(super) struct Asking<'a> {
    site: &'a JiraSite,
    age: Age,
    deadline: Instant,
    unanswered: &'a Unanswered<'a>,
    places: Semaphore,
    places_for_slow_ones: Semaphore,
    failures: AtomicUsize,
    answers: AtomicUsize,
    /// What became of each issue that was asked for alone, or was answered.
    became: Mutex<Vec<(IssueKey, Result<(), JiraError>)>>,
}

impl<'a> Asking<'a> {
    pub(super) fn new(
        site: &'a JiraSite,
        age: Age,
        deadline: Instant,
        unanswered: &'a Unanswered<'a>,
    ) -> Self {
        let (places, places_for_slow_ones) = (Semaphore::new(CONCURRENCY), Semaphore::new(SLOW_ONES));
        let (failures, answers, became) = Default::default();
        Self { site, age, deadline, unanswered, places, places_for_slow_ones, failures, answers, became }
    }

    pub(super) async fn ask(self, keys: &[&IssueKey]) {
        // What Jira couldn't serve lately is asked for apart from the rest.
        let (suspects, others): (Vec<&IssueKey>, Vec<_>) =
            keys.iter().copied().partition(|key| self.site.troubled.is_known(key));
        let suspects =
            join_all(suspects.into_iter().map(|key| self.ask_alone(key, &self.places_for_slow_ones)));
        let others = async {
            if self.site.is_cloud() || self.age == Age::Indexed {
                join_all(others.chunks(KEYS_PER_REQUEST).map(|keys| self.ask_together(keys))).await;
            } else {
                self.ask_apart(&others).await;
            }
        };
        tokio::join!(others, suspects);
        if !self.has_answers() && !keys.is_empty() {
            // Perhaps it's these alone that fail. Next time others come first.
            self.site.failing_in_front.fetch_add(MAX_FAILURES, Ordering::Relaxed);
        }
        let became = self.became.into_inner().unwrap_or_else(PoisonError::into_inner);
        self.site.troubled.note(became.iter().map(|(key, result)| (key, result)), Instant::now());
    }

    /// One request for some keys, and others for fewer of them each if it fails or takes long.
    fn ask_together<'b>(&'b self, keys: &'b [&'b IssueKey]) -> Pin<Box<dyn Future<Output = ()> + Send + 'b>> {
        Box::pin(async move {
            let began = Instant::now();
            // A request that waits for a place must not keep one.
            let answered = {
                // Nobody closes them.
                let place = self.places.acquire().await.ok();
                if self.is_hopeless() {
                    return self.fail(keys, &JiraError::outage(JiraOutage::NotAsked));
                }
                let mut request = pin!(self.request(keys));
                match timeout(SLOW, &mut request).await {
                    Ok(answered) => answered,
                    Err(_) if keys.len() == 1 => {
                        self.suspect(keys[0]);
                        request.await
                    }
                    Err(_) => {
                        let place = self.slow_place(place);
                        match select(request, pin!(self.ask_apart(keys))).await {
                            Either::Left((Ok(answered), _)) => Ok(answered),
                            Either::Left((Err(_), apart)) => {
                                drop(place);
                                return apart.await;
                            }
                            Either::Right(((), _)) => return,
                        }
                    }
                }
            };
            match answered {
                Ok(answered) => self.answer(keys, answered).await,
                Err(error) if may_be_of_one(&error, keys.len()) => {
                    // Data Center may refuse to search.
                    if self.site.is_cloud() {
                        self.failures.fetch_add(1, Ordering::Relaxed);
                    }
                    self.ask_apart(keys).await;
                }
                Err(error) if keys.len() == 1 => self.tell_failure(keys[0], error, began),
                Err(error) => self.fail(keys, &error),
            }
        })
    }

    /// What is missing in the answer of Data Center's index may only be missing there.
    async fn request(&self, keys: &[&IssueKey]) -> Result<Vec<Option<Issue>>, JiraError> {
        if self.site.is_cloud() {
            return cloud::get_issues(self.site, keys, self.deadline).await;
        }
        data_center::search_issues(self.site, keys, self.deadline).await
    }

    async fn answer(&self, keys: &[&IssueKey], answered: Vec<Option<Issue>>) {
        let is_sure = self.site.is_cloud();
        let answered = || keys.iter().copied().zip(&answered);
        self.answers.fetch_add(1, Ordering::Relaxed);
        for (key, issue) in answered().filter(|(_, issue)| issue.is_some()) {
            self.tell(key, Ok(issue.clone()));
        }
        let missing: Vec<&IssueKey> =
            answered().filter(|(_, issue)| issue.is_none()).map(|(key, _)| key).collect();
        if !is_sure {
            return self.ask_each(&missing).await;
        }
        if !missing.is_empty() {
            match self.site.confirm(self.deadline).await {
                Ok(()) => missing.iter().for_each(|key| self.tell(key, Ok(None))),
                // That isn't the fault of any of them.
                Err(error) => self.fail(&missing, &error),
            }
        }
    }

    /// Groups of keys, and each alone where they are few.
    async fn ask_apart(&self, keys: &[&IssueKey]) {
        if !self.site.is_cloud() || keys.len() <= KEYS_PER_GROUP {
            return self.ask_each(keys).await;
        }
        let mut groups: Vec<&[&IssueKey]> = keys.chunks(KEYS_PER_GROUP).collect();
        self.rotate(&mut groups);
        join_all(groups.into_iter().map(|keys| self.ask_together(keys))).await;
    }

    async fn ask_each(&self, keys: &[&IssueKey]) {
        let mut keys = keys.to_vec();
        self.rotate(&mut keys);
        join_all(keys.into_iter().map(|key| self.ask_alone(key, &self.places))).await;
    }

    fn rotate<T>(&self, list: &mut [T]) {
        if !list.is_empty() {
            list.rotate_left(self.site.failing_in_front.load(Ordering::Relaxed) % list.len());
        }
    }

    async fn ask_alone(&self, key: &IssueKey, places: &Semaphore) {
        // Nobody closes them.
        let place = places.acquire().await.ok();
        if !self.unanswered.has(key) {
            return;
        }
        if self.is_hopeless() {
            return self.fail(&[key], &JiraError::outage(JiraOutage::NotAsked));
        }
        let began = Instant::now();
        let mut asking = pin!(get_issue(self.site, key, self.deadline));
        let answer = match timeout(SLOW, &mut asking).await {
            Ok(answer) => answer,
            Err(_) => {
                self.suspect(key);
                let _place = self.slow_place(place);
                asking.await
            }
        };
        if matches!(answer, Ok(None))
            && let Err(error) = self.site.confirm(self.deadline).await
        {
            return self.fail(&[key], &error);
        }
        match answer {
            Ok(issue) => {
                self.answers.fetch_add(1, Ordering::Relaxed);
                self.tell(key, Ok(issue));
            }
            Err(error) => self.tell_failure(key, error, began),
        }
    }

    fn tell_failure(&self, key: &IssueKey, error: JiraError, began: Instant) {
        self.failures.fetch_add(1, Ordering::Relaxed);
        match error {
            JiraError::TimedOut if began.elapsed() < FAIR_TIME => self.fail(&[key], &error),
            error => self.tell(key, Err(error)),
        }
    }

    /// Jira takes long over an issue. While it serves others, that one is asked for apart from now on.
    fn suspect(&self, key: &IssueKey) {
        let now = Instant::now();
        if self.has_answers() || self.site.troubled.serves_others(now) {
            self.site.troubled.suspect(key, now);
        }
    }

    /// What takes long leaves its place to others, unless it may be Jira itself that hangs.
    fn slow_place<'b>(&'b self, place: Option<SemaphorePermit<'b>>) -> Option<SemaphorePermit<'b>> {
        match self.places_for_slow_ones.try_acquire() {
            Ok(slow) if self.has_answers() => Some(slow),
            _ => place,
        }
    }

    fn tell(&self, key: &IssueKey, answer: EachAnswer) {
        let result = answer.as_ref().map(drop).map_err(JiraError::again);
        self.became.lock().unwrap_or_else(PoisonError::into_inner).push((key.clone(), result));
        self.unanswered.tell(key, answer);
    }

    fn fail(&self, keys: &[&IssueKey], error: &JiraError) {
        keys.iter().for_each(|key| self.unanswered.tell(key, Err(error.again())));
    }

    fn has_answers(&self) -> bool {
        self.answers.load(Ordering::Relaxed) > 0
    }

    fn is_hopeless(&self) -> bool {
        self.failures.load(Ordering::Relaxed) >= MAX_FAILURES && !self.has_answers()
    }
}

/// Whether one key may be the reason why a request for several failed, or why such requests aren't sent at the moment.
fn may_be_of_one(error: &JiraError, keys: usize) -> bool {
    match error {
        JiraError::InvalidResponse { .. } => true,
        JiraError::TimedOut => keys > 1,
        JiraError::Unreachable { source } => {
            !matches!(source, JiraOutage::Connection { .. } | JiraOutage::NoToken { .. })
        }
        _ => false,
    }
}
