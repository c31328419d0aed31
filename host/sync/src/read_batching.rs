//! Reads issues from Jira for all who want to know at about the same time: what a webhook named, and what is about to
//! be told. They are asked for together, once in a second at most unless a request is full, so that a site where much
//! changes isn't asked for each change. While little is asked, nobody waits. Each caller hears as soon as all of
//! their own issues are answered, whatever others wait for.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::{
    sync::{Notify, Semaphore, oneshot},
    time::{Instant, interval, sleep, timeout},
};

use crate::{
    batch_answers::{Question, Questions, Read},
    leadership::Leading,
};
use maro_domain::issue::IssueKey;
use maro_jira::{client::JiraClient, error::JiraError, reading::answers::EachAnswer};
use maro_process::clock::Clock;

/// How many issues one request asks for, and how many such requests are open at a time: fewer than half of those that
/// Jira gets at once, so that people have room.
pub const ISSUES_PER_REQUEST: usize = 100;
const REQUESTS: usize = 6;

/// The time in which there is one more request that isn't full, and how many there may be at once after a quiet time.
const PACE: Duration = Duration::from_millis(1_100);
const BURST: f64 = 3.0;

/// How long one request may take: less than who wants to tell something waits for it.
const PATIENCE: Duration = Duration::from_secs(7);

/// After this time without an answer it's asked whether Jira can be reached at all.
const SLOW: Duration = Duration::from_secs(2);

/// How often it's looked for questions of which no more is answered.
const LOOK: Duration = Duration::from_millis(200);

/// Asks Jira for issues.
pub struct SharedReading {
    jira: Arc<JiraClient>,
    leading: Arc<Leading>,
    clock: Clock,
    waiting: Mutex<Waiting>,
    /// Held while the next request is put together.
    turn: tokio::sync::Mutex<()>,
    came: Notify,
    requests: Semaphore,
}

/// What is asked for next.
struct Waiting {
    questions: VecDeque<Question>,
    /// How many of the questions name each issue.
    issues: HashMap<IssueKey, usize>,
    /// How many requests may be sent at once, and when that was counted.
    credit: f64,
    counted: Instant,
}

/// What is to be done next.
enum Next {
    Nothing,
    Ask(Vec<Question>),
    Wait(Duration),
}

impl SharedReading {
    pub fn new(jira: Arc<JiraClient>, leading: Arc<Leading>, clock: Clock) -> Self {
        let (turn, came) = Default::default();
        let (waiting, requests) = (Mutex::new(Waiting::new(Instant::now())), Semaphore::new(REQUESTS));
        Self { jira, leading, clock, waiting, turn, came, requests }
    }

    /// What Jira says from now on of some issues, [`ISSUES_PER_REQUEST`] at most. All of it is of one request. If Jira
    /// answers for some and then says no more for a second, the rest counts as unanswered.
    pub async fn read(self: &Arc<Self>, keys: &[IssueKey]) -> Read {
        let (answer, answered) = oneshot::channel();
        let asked = (self.clock.now(), Instant::now());
        self.waiting().push(Question { keys: keys.to_vec(), answer });
        self.came.notify_one();
        // In a task of its own: the caller that waits for this one may give up, and others' questions are asked with
        // it.
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

    async fn ask(&self, asked_for: Vec<Question>) {
        let (asked_at, asked) = (self.clock.now(), Instant::now());
        let (questions, keys) = Questions::new(asked_for, asked_at, asked);
        let tell = |key: &IssueKey, answer: EachAnswer| questions.answer(key, answer);
        let reading = self.jira.tell_each_issue(&keys, asked + PATIENCE, &tell);
        let watching = async {
            let mut looks = interval(LOOK);
            loop {
                looks.tick().await;
                questions.end_quiet(Instant::now());
            }
        };
        let is_checked = AtomicBool::new(false);
        let checking = async {
            sleep(SLOW).await;
            if !questions.has_answers() {
                self.check().await;
                is_checked.store(true, Ordering::Relaxed);
            }
            std::future::pending::<()>().await;
        };
        tokio::select! {
            () = reading => {}
            () = watching => {}
            () = checking => {}
        }
        if questions.is_cut_off() && !is_checked.load(Ordering::Relaxed) {
            self.check().await;
        }
        questions.end();
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
    fn new(now: Instant) -> Self {
        Self { questions: VecDeque::new(), issues: HashMap::new(), credit: BURST, counted: now }
    }

    fn push(&mut self, question: Question) {
        for key in &question.keys {
            *self.issues.entry(key.clone()).or_default() += 1;
        }
        self.questions.push_back(question);
    }

    fn next(&mut self, now: Instant) -> Next {
        self.forget_abandoned();
        if self.questions.is_empty() {
            return Next::Nothing;
        }
        let passed = now.saturating_duration_since(self.counted).as_secs_f64() / PACE.as_secs_f64();
        (self.credit, self.counted) = ((self.credit + passed).min(BURST), now);
        if self.credit < 1.0 && self.issues.len() < ISSUES_PER_REQUEST {
            return Next::Wait(PACE.mul_f64(1.0 - self.credit));
        }
        self.credit = (self.credit - 1.0).max(0.0);
        Next::Ask(self.take())
    }

    fn forget_abandoned(&mut self) {
        if self.questions.iter().any(|question| question.answer.is_closed()) {
            let questions = std::mem::take(&mut self.questions);
            self.issues.clear();
            questions.into_iter().filter(|question| !question.answer.is_closed()).for_each(|question| {
                self.push(question);
            });
        }
    }

    /// As many as fit into a request.
    fn take(&mut self) -> Vec<Question> {
        let (mut taken, mut issues) = (Vec::new(), HashSet::new());
        while let Some(question) = self.questions.front() {
            let more = question.keys.iter().filter(|key| !issues.contains(*key)).count();
            if issues.len() + more > ISSUES_PER_REQUEST && !taken.is_empty() {
                break;
            }
            issues.extend(question.keys.iter().cloned());
            taken.extend(self.questions.pop_front());
        }
        for key in taken.iter().flat_map(|question: &Question| &question.keys) {
            if let Some(count) = self.issues.get_mut(key) {
                *count -= 1;
                if *count == 0 {
                    self.issues.remove(key);
                }
            }
        }
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waiting(now: Instant) -> Waiting {
        Waiting::new(now)
    }

    /// Has so many issues asked for. The one with the receiver waits.
    fn want(waiting: &mut Waiting, issues: usize) -> oneshot::Receiver<Read> {
        want_of(waiting, "A", issues)
    }

    fn want_of(waiting: &mut Waiting, project: &str, issues: usize) -> oneshot::Receiver<Read> {
        let (answer, answered) = oneshot::channel();
        let keys = (1..=issues).map(|number| IssueKey::parse(&format!("{project}-{number}")).unwrap());
        waiting.push(Question { keys: keys.collect(), answer });
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
        let _answered =
            [("A", 60), ("B", 30), ("C", 60)].map(|(of, issues)| want_of(&mut waiting, of, issues));
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

    /// A change that many channels hear of.
    #[test]
    fn however_many_ask_for_an_issue_it_counts_once() {
        let now = Instant::now();
        let mut waiting = Waiting { credit: 0.0, ..waiting(now) };
        let _many: Vec<_> = (0..200).map(|_| want(&mut waiting, 1)).collect();
        assert_eq!(asked(waiting.next(now)), None, "that's no full request");
        assert_eq!(asked(waiting.next(now + PACE)), Some(200), "in one request");
        assert!(waiting.issues.is_empty());
    }
}
