//! Reads issues from Jira for all who want to know at about the same time: what a webhook named, and what is about to be
//! told. They are asked for together, once in a second at most unless a request is full, so that a site where much
//! changes isn't asked for each change. While little is asked, nobody waits.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use jiff::Timestamp;
use tokio::{
    sync::{Notify, Semaphore, oneshot},
    time::{Instant, timeout},
};

use crate::following::leading::Leading;
use maro_domain::issue::IssueKey;
use maro_jira::{client::JiraClient, error::JiraError, reading::per_key_lookup::EachAnswer};
use maro_process::clock::Clock;

/// How many issues one request asks for, and how many such requests are open at a time: fewer than half of those that Jira
/// gets at once, so that people have room.
pub(crate) const ISSUES_PER_REQUEST: usize = 100;
const REQUESTS: usize = 6;

/// The time in which there is one more request that isn't full, and how many there may be at once after a quiet time.
const PACE: Duration = Duration::from_millis(1_100);
const BURST: f64 = 3.0;

/// How long one request may take: less than who wants to tell something waits for it.
const PATIENCE: Duration = Duration::from_secs(7);

/// After this time without an answer it's asked whether Jira can be reached at all.
const SLOW: Duration = Duration::from_secs(2);

/// Asks Jira for issues.
pub struct SharedReading {
    jira: Arc<JiraClient>,
    leading: Arc<Leading>,
    clock: Clock,
    waiting: Mutex<Waiting>,
    /// Held by whoever puts the next request together.
    turn: tokio::sync::Mutex<()>,
    came: Notify,
    requests: Semaphore,
}

/// What is asked for next.
struct Waiting {
    questions: VecDeque<Question>,
    /// How many requests may be sent at once, and when that was counted.
    credit: f64,
    counted: Instant,
}

struct Question {
    keys: Vec<IssueKey>,
    answer: oneshot::Sender<Read>,
}

/// What Jira said of issues.
pub(crate) struct Read {
    /// The moment before Jira was asked, by this replica's clock and for measuring.
    pub(crate) asked_at: Timestamp,
    pub(crate) asked: Instant,
    /// In the order of the keys.
    pub(crate) answers: Vec<EachAnswer>,
}

/// What is to be done next.
enum Next {
    Nothing,
    Ask(Vec<Question>),
    Wait(Duration),
}

impl SharedReading {
    pub fn new(jira: Arc<JiraClient>, leading: Arc<Leading>, clock: Clock) -> Self {
        let waiting = Waiting { questions: VecDeque::new(), credit: BURST, counted: Instant::now() };
        let (turn, came) = Default::default();
        let (waiting, requests) = (Mutex::new(waiting), Semaphore::new(REQUESTS));
        Self { jira, leading, clock, waiting, turn, came, requests }
    }

    /// What Jira says from now on of some issues, [`ISSUES_PER_REQUEST`] at most. All of it is of one moment.
    pub(crate) async fn read(self: &Arc<Self>, keys: &[IssueKey]) -> Read {
        let (answer, answered) = oneshot::channel();
        let asked = (self.clock.now(), Instant::now());
        self.waiting().questions.push_back(Question { keys: keys.to_vec(), answer });
        self.came.notify_one();
        // In a task of its own: whoever waits for this one may give up, and others' questions are asked with it.
        let this = Arc::clone(self);
        tokio::spawn(async move { this.ask_next().await });
        answered.await.unwrap_or_else(|_| {
            let answers = keys.iter().map(|_| Err(JiraError::TimedOut)).collect();
            Read { asked_at: asked.0, asked: asked.1, answers }
        })
    }

    async fn ask_next(&self) {
        let turn = self.turn.lock().await;
        let questions = loop {
            let next = self.waiting().next(Instant::now());
            match next {
                // Another has asked it.
                Next::Nothing => return,
                Next::Ask(questions) => break questions,
                Next::Wait(pause) => {
                    let _ = timeout(pause, self.came.notified()).await;
                }
            }
        };
        // Nobody closes it.
        let Ok(_request) = self.requests.acquire().await else { return };
        drop(turn);
        self.ask(questions).await;
    }

    async fn ask(&self, questions: Vec<Question>) {
        let (mut places, mut keys) = (HashMap::new(), Vec::new());
        for key in questions.iter().flat_map(|question| &question.keys) {
            places.entry(key.clone()).or_insert_with(|| {
                keys.push(key.clone());
                keys.len() - 1
            });
        }
        let (asked_at, asked) = (self.clock.now(), Instant::now());
        let reading = self.jira.get_each_issue(&keys, asked + PATIENCE);
        tokio::pin!(reading);
        let answered = match timeout(SLOW, &mut reading).await {
            Ok(answered) => {
                let is_cut_off = |answer: &EachAnswer| answer.as_ref().is_err_and(JiraError::is_unreachable);
                if answered.iter().any(is_cut_off) && !answered.iter().any(Result::is_ok) {
                    self.check().await;
                }
                answered
            }
            Err(_) => tokio::join!(reading, self.check()).0,
        };
        for Question { keys, answer } in questions {
            let answers =
                keys.iter().map(|key| match places.get(key).and_then(|place| answered.get(*place)) {
                    Some(Ok(issue)) => Ok(issue.clone()),
                    Some(Err(error)) => Err(error.again()),
                    None => Err(JiraError::TimedOut),
                });
            // Whoever wanted to know may have given up by now.
            let _ = answer.send(Read { asked_at, asked, answers: answers.collect() });
        }
    }

    /// Has another replica read where Jira can't be reached from here. One issue may be what Jira hangs on.
    async fn check(&self) {
        if self.leading.may_step_aside()
            && self.jira.probe(Instant::now() + SLOW).await.is_err_and(|error| error.is_unreachable())
        {
            self.leading.step_aside();
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiting {
    fn next(&mut self, now: Instant) -> Next {
        self.questions.retain(|question| !question.answer.is_closed());
        if self.questions.is_empty() {
            return Next::Nothing;
        }
        let passed = now.saturating_duration_since(self.counted).as_secs_f64() / PACE.as_secs_f64();
        (self.credit, self.counted) = ((self.credit + passed).min(BURST), now);
        let issues: usize = self.questions.iter().map(|question| question.keys.len()).sum();
        if self.credit < 1.0 && issues < ISSUES_PER_REQUEST {
            return Next::Wait(PACE.mul_f64(1.0 - self.credit));
        }
        self.credit = (self.credit - 1.0).max(0.0);
        let (mut taken, mut issues) = (Vec::new(), 0);
        while let Some(question) = self.questions.front() {
            issues += question.keys.len();
            if issues > ISSUES_PER_REQUEST && !taken.is_empty() {
                break;
            }
            taken.extend(self.questions.pop_front());
        }
        Next::Ask(taken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waiting(now: Instant) -> Waiting {
        Waiting { questions: VecDeque::new(), credit: BURST, counted: now }
    }

    /// Has so many issues asked for. Whoever keeps the receiver waits.
    fn want(waiting: &mut Waiting, issues: usize) -> oneshot::Receiver<Read> {
        let (answer, answered) = oneshot::channel();
        let keys = (1..=issues).map(|number| IssueKey::parse(&format!("A-{number}")).unwrap()).collect();
        waiting.questions.push_back(Question { keys, answer });
        answered
    }

    fn asked(next: Next) -> Option<usize> {
        match next {
            Next::Ask(questions) => Some(questions.len()),
            Next::Nothing | Next::Wait(_) => None,
        }
    }

    #[test]
    fn a_few_requests_are_sent_at_once_and_the_rest_in_turn() {
        let now = Instant::now();
        let mut waiting = waiting(now);
        for _ in 0..3 {
            let _answered = want(&mut waiting, 1);
            assert_eq!(asked(waiting.next(now)), Some(1));
        }
        let _answered = [want(&mut waiting, 1), want(&mut waiting, 1)];
        let Next::Wait(pause) = waiting.next(now) else { panic!() };
        assert!(pause > PACE * 9 / 10 && pause <= PACE, "{pause:?}");
        assert_eq!(asked(waiting.next(now + PACE / 2)), None);
        assert_eq!(asked(waiting.next(now + PACE * 2)), Some(2), "in one request");
        assert!(matches!(waiting.next(now + PACE * 2), Next::Nothing));
    }

    #[test]
    fn full_requests_are_sent_at_once() {
        let now = Instant::now();
        let mut waiting = Waiting { credit: 0.0, ..waiting(now) };
        let _answered = [60, 30, 60].map(|issues| want(&mut waiting, issues));
        assert_eq!(asked(waiting.next(now)), Some(2));
        assert_eq!(asked(waiting.next(now)), None, "the rest isn't full");
        let _full = want(&mut waiting, ISSUES_PER_REQUEST);
        assert_eq!(asked(waiting.next(now)), Some(1));
        assert_eq!(asked(waiting.next(now)), Some(1));
    }

    #[test]
    fn what_nobody_waits_for_is_not_asked() {
        let now = Instant::now();
        let mut waiting = waiting(now);
        drop(want(&mut waiting, 1));
        assert!(matches!(waiting.next(now), Next::Nothing));
    }
}
