//! What several ask in one request to Jira: each hears as soon as its own issues are answered.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use jiff::Timestamp;
use tokio::{sync::oneshot, time::Instant};

use maro_domain::issue::IssueKey;
use maro_jira::{
    error::JiraError,
    reading::answers::{EachAnswer, again},
};

/// How long nothing more has to come for what isn't answered to be left out: at least this, and more where Jira takes
/// its time for each.
const QUIET: Duration = Duration::from_secs(1);

/// Somebody wants to know what Jira says of some issues.
pub(crate) struct Question {
    pub(crate) keys: Vec<IssueKey>,
    pub(crate) answer: oneshot::Sender<Read>,
}

/// What Jira said of issues.
pub struct Read {
    /// The moment before Jira was asked, by this replica's clock and for measuring.
    pub asked_at: Timestamp,
    pub asked: Instant,
    /// In the order of the keys.
    pub answers: Vec<EachAnswer>,
}

/// Questions to which the answers come one by one.
pub(crate) struct Questions(Mutex<State>);

struct State {
    open: Vec<Open>,
    /// Where each issue is asked for: in which question, and where in it.
    places: HashMap<IssueKey, Vec<(usize, usize)>>,
    asked_at: Timestamp,
    asked: Instant,
    answered: Option<Instant>,
    /// The longest time in which nothing came that was followed by something.
    longest_pause: Duration,
    /// Whether something that came says that nothing comes back from Jira.
    is_lost: bool,
}

/// A question, and what is known.
struct Open {
    /// `None` once it's answered.
    question: Option<Question>,
    answers: Vec<Option<EachAnswer>>,
}

impl Questions {
    /// Returns the issues, too, each once.
    pub(crate) fn new(
        asked_for: Vec<Question>,
        asked_at: Timestamp,
        asked: Instant,
    ) -> (Self, Vec<IssueKey>) {
        let mut places: HashMap<IssueKey, Vec<(usize, usize)>> = HashMap::new();
        let mut keys = Vec::new();
        for (number, question) in asked_for.iter().enumerate() {
            for (place, key) in question.keys.iter().enumerate() {
                let known = places.entry(key.clone()).or_insert_with(|| {
                    keys.push(key.clone());
                    Vec::new()
                });
                known.push((number, place));
            }
        }
        let open = asked_for.into_iter().map(|question| Open {
            answers: question.keys.iter().map(|_| None).collect(),
            question: Some(question),
        });
        let open = open.collect();
        let state = State {
            open,
            places,
            asked_at,
            asked,
            answered: None,
            longest_pause: Duration::ZERO,
            is_lost: false,
        };
        (Self(Mutex::new(state)), keys)
    }

    /// Jira has said something of an issue.
    pub(crate) fn answer(&self, key: &IssueKey, answer: EachAnswer) {
        let mut state = self.state();
        state.is_lost |= answer.as_ref().is_err_and(JiraError::is_unreachable);
        if answer.is_ok() {
            state.came(Instant::now());
        }
        let places = state.places.remove(key).unwrap_or_default();
        for (number, place) in &places {
            if let Some(slot) = state.open[*number].answers.get_mut(*place) {
                *slot = Some(again(&answer));
            }
        }
        for (number, _) in places {
            if state.open[number].answers.iter().all(Option::is_some) {
                state.send(number);
            }
        }
    }

    /// Answers those that have had some of their answers, if no more comes.
    pub(crate) fn end_quiet(&self, now: Instant) {
        let mut state = self.state();
        let quiet = QUIET.max(state.longest_pause * 2);
        if state.answered.is_some_and(|answered| now.saturating_duration_since(answered) >= quiet) {
            let is_begun = |open: &Open| open.answers.iter().flatten().any(Result::is_ok);
            let begun: Vec<usize> =
                (0..state.open.len()).filter(|number| is_begun(&state.open[*number])).collect();
            begun.into_iter().for_each(|number| state.send(number));
        }
    }

    /// No more comes.
    pub(crate) fn end(&self) {
        let mut state = self.state();
        (0..state.open.len()).for_each(|number| state.send(number));
    }

    pub(crate) fn has_answers(&self) -> bool {
        self.state().answered.is_some()
    }

    /// Whether nothing came but that Jira can't be reached.
    pub(crate) fn is_cut_off(&self) -> bool {
        let state = self.state();
        state.is_lost && state.answered.is_none()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn came(&mut self, now: Instant) {
        let pause = now.saturating_duration_since(self.answered.unwrap_or(self.asked));
        self.longest_pause = self.longest_pause.max(pause);
        self.answered = Some(now);
    }

    fn send(&mut self, number: usize) {
        let Open { question, answers } = &mut self.open[number];
        let Some(Question { answer, .. }) = question.take() else { return };
        let answers = answers.drain(..).map(|answer| answer.unwrap_or(Err(JiraError::TimedOut)));
        let (asked_at, asked, answers) = (self.asked_at, self.asked, answers.collect());
        // The caller may have given up by now.
        let _ = answer.send(Read { asked_at, asked, answers });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &str) -> IssueKey {
        IssueKey::parse(text).unwrap()
    }

    fn ask(keys: &[&str]) -> (Question, oneshot::Receiver<Read>) {
        let (answer, answered) = oneshot::channel();
        (Question { keys: keys.iter().map(|text| key(text)).collect(), answer }, answered)
    }

    #[test]
    fn a_caller_with_all_its_answers_waits_for_no_other() {
        let now = Instant::now();
        let ((one, mut first), (two, mut second), (three, mut third)) =
            (ask(&["A-1", "A-2"]), ask(&["A-2", "A-3"]), ask(&["A-3"]));
        let (questions, keys) = Questions::new(vec![one, two, three], Timestamp::UNIX_EPOCH, now);
        assert_eq!(keys, ["A-1", "A-2", "A-3"].map(key));
        questions.answer(&key("A-2"), Ok(None));
        assert!(first.try_recv().is_err() && questions.has_answers() && !questions.is_cut_off());
        questions.answer(&key("A-1"), Err(JiraError::TimedOut));
        let answered = first.try_recv().unwrap().answers;
        assert!(matches!(answered[..], [Err(JiraError::TimedOut), Ok(None)]));
        questions.end_quiet(Instant::now());
        assert!(second.try_recv().is_err(), "more may come");
        questions.end_quiet(Instant::now() + QUIET);
        assert!(matches!(second.try_recv().unwrap().answers[..], [Ok(None), Err(JiraError::TimedOut)]));
        assert!(third.try_recv().is_err(), "nothing of it has come");
        questions.end();
        assert!(matches!(third.try_recv().unwrap().answers[..], [Err(JiraError::TimedOut)]));
    }

    #[test]
    fn a_jira_that_takes_its_time_for_each_is_waited_for() {
        let (one, mut answered) = ask(&["A-1", "A-2"]);
        let asked = Instant::now();
        let (questions, _) = Questions::new(vec![one], Timestamp::UNIX_EPOCH, asked);
        questions.state().came(asked + QUIET * 2);
        questions.answer(&key("A-1"), Err(JiraError::TimedOut));
        questions.state().open[0].answers[0] = Some(Ok(None));
        questions.end_quiet(asked + QUIET * 5);
        assert!(answered.try_recv().is_err(), "more may come");
        questions.end_quiet(asked + QUIET * 6);
        assert!(answered.try_recv().is_ok());
    }

    #[test]
    fn where_nothing_comes_back_that_is_known() {
        let (one, _first) = ask(&["A-1", "A-2"]);
        let (questions, _) = Questions::new(vec![one], Timestamp::UNIX_EPOCH, Instant::now());
        questions.answer(&key("A-1"), Err(JiraError::TimedOut));
        assert!(questions.is_cut_off() && !questions.has_answers());
        questions.answer(&key("A-2"), Ok(None));
        assert!(!questions.is_cut_off() && questions.has_answers());
    }
}
