//! All projects of a site, which may take longer to arrive than anybody waits: the list is read in the background, by
//! one request at a time, and an older one serves until it is there.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{
    sync::watch,
    time::{Instant, timeout_at},
};

use crate::error::JiraError;
use maro_domain::ticket::Project;

/// How long a list counts as new.
const FRESH: Duration = Duration::from_secs(60);

/// How long an older one serves while a new one is read.
const KEPT: Duration = Duration::from_secs(60 * 60);

/// How long reading one may take.
const PATIENCE: Duration = Duration::from_secs(60);

type Outcome = Option<Result<Arc<[Project]>, Arc<JiraError>>>;

/// The list as far as it is known.
#[derive(Debug)]
pub(crate) struct ProjectList {
    state: Arc<Mutex<State>>,
    /// How long a list counts as new.
    fresh: Duration,
}

impl Default for ProjectList {
    fn default() -> Self {
        Self { state: Arc::default(), fresh: FRESH }
    }
}

#[derive(Debug, Default)]
struct State {
    list: Option<(Instant, Arc<[Project]>)>,
    reading: Option<watch::Receiver<Outcome>>,
}

impl State {
    fn list(&self, now: Instant, lifetime: Duration) -> Option<Arc<[Project]>> {
        let (since, list) = self.list.as_ref()?;
        (now.saturating_duration_since(*since) < lifetime).then(|| Arc::clone(list))
    }

    fn is_being_read(&self) -> bool {
        self.reading
            .as_ref()
            .is_some_and(|reading| reading.borrow().is_none() && reading.has_changed().is_ok())
    }
}

impl ProjectList {
    /// The list, if it is known or arrives by `deadline`. `read` gets it within the time that it is given.
    pub(crate) async fn get<Reading>(
        &self,
        read: impl FnOnce(Instant) -> Reading,
        deadline: Instant,
    ) -> Result<Arc<[Project]>, JiraError>
    where
        Reading: Future<Output = Result<Vec<Project>, JiraError>> + Send + 'static,
    {
        let mut reading = match self.look(read) {
            Ok(list) => return Ok(list),
            Err(reading) => reading,
        };
        let Ok(Ok(outcome)) = timeout_at(deadline, reading.wait_for(Option::is_some)).await else {
            return Err(JiraError::TimedOut);
        };
        match &*outcome {
            Some(Ok(list)) => Ok(Arc::clone(list)),
            Some(Err(error)) => Err(error.again()),
            None => Err(JiraError::TimedOut),
        }
    }

    /// The list, or what it is going to arrive by.
    fn look<Reading>(
        &self,
        read: impl FnOnce(Instant) -> Reading,
    ) -> Result<Arc<[Project]>, watch::Receiver<Outcome>>
    where
        Reading: Future<Output = Result<Vec<Project>, JiraError>> + Send + 'static,
    {
        let now = Instant::now();
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(list) = state.list(now, self.fresh) {
            return Ok(list);
        }
        if !state.is_being_read() {
            let (sender, receiver) = watch::channel(None);
            state.reading = Some(receiver);
            tokio::spawn(Self::fill(Arc::clone(&self.state), read(now + PATIENCE), sender));
        }
        match (state.list(now, KEPT), &state.reading) {
            (None, Some(reading)) => Err(reading.clone()),
            (list, _) => Ok(list.unwrap_or_default()),
        }
    }

    async fn fill(
        state: Arc<Mutex<State>>,
        reading: impl Future<Output = Result<Vec<Project>, JiraError>> + Send + 'static,
        sender: watch::Sender<Outcome>,
    ) {
        let outcome = reading.await.map(Arc::<[Project]>::from).map_err(Arc::new);
        if let Ok(list) = &outcome {
            let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
            state.list = Some((Instant::now(), Arc::clone(list)));
        }
        sender.send_replace(Some(outcome));
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;

    use super::*;

    type Read = Result<Vec<Project>, JiraError>;

    fn list(key: &str) -> Vec<Project> {
        vec![Project { key: key.to_owned(), name: key.to_owned() }]
    }

    fn soon() -> Instant {
        Instant::now() + Duration::from_secs(10)
    }

    /// A list that Jira sends when it is told to.
    fn slow()
    -> (oneshot::Sender<Vec<Project>>, impl FnOnce(Instant) -> futures_util::future::BoxFuture<'static, Read>)
    {
        let (sender, receiver) = oneshot::channel();
        (sender, |_| Box::pin(async { receiver.await.map_err(|_| JiraError::TimedOut) }))
    }

    #[tokio::test]
    async fn a_list_that_comes_late_is_there_the_next_time() {
        let projects = ProjectList::default();
        let (jira, read) = slow();
        assert!(matches!(projects.get(read, Instant::now()).await, Err(JiraError::TimedOut)));
        // Another request meanwhile starts no second one.
        let never = async |_| -> Read { panic!("it is being read") };
        assert!(projects.get(never, Instant::now()).await.is_err());
        jira.send(list("A")).unwrap();
        assert_eq!(*projects.get(never, soon()).await.unwrap(), *list("A"));
        assert_eq!(*projects.get(never, soon()).await.unwrap(), *list("A"));
    }

    #[tokio::test]
    async fn an_old_list_serves_while_a_new_one_is_read() {
        let projects = ProjectList { fresh: Duration::ZERO, ..ProjectList::default() };
        let first = projects.get(async |_| Ok(list("A")), soon()).await;
        assert_eq!(*first.unwrap(), *list("A"));
        let (jira, read) = slow();
        assert_eq!(*projects.get(read, soon()).await.unwrap(), *list("A"));
        jira.send(list("B")).unwrap();
        while *projects.get(async |_| std::future::pending().await, soon()).await.unwrap() != *list("B") {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn a_failure_is_told_and_not_kept() {
        let projects = ProjectList::default();
        let failing = async |_| Err(JiraError::Forbidden { reason: None });
        assert!(matches!(projects.get(failing, soon()).await, Err(JiraError::Forbidden { .. })));
        assert!(projects.get(async |_| Ok(Vec::new()), soon()).await.unwrap().is_empty());
    }
}
