//! People at work: lists, forms and changes in Jira, without regard to who answers.

use std::time::Duration;

use maro_simulation::slack::{
    modals::modal::Modal,
    people::act_error::SubmitOutcome,
    shown::{
        history::{Author, ShownMessage},
        terminal,
    },
};
use tokio::time::{sleep, timeout};

use super::{
    Trial,
    ledger::{Standing, Wish, Word},
};
use crate::bot::key;

/// How long somebody waits for a late answer, for a form, and for what a form says in the end.
const PATIENCE: Duration = Duration::from_secs(12);

/// How often somebody presses the button of the same form.
const MOST_SUBMISSIONS: usize = 6;

/// How many keys one person changes.
const KEYS: u64 = 8;

impl Trial {
    /// What a command is answered with, and what that says of the change that it wants.
    async fn say(&self, channel: &str, user: &str, typed: &str, done: &[&str]) -> (Word, String) {
        let messages = self.world.slack.run_command(channel, user, typed, PATIENCE).await.unwrap();
        let names = self.world.slack.workspace().names();
        let said: String = messages.iter().map(|message| terminal::message_text(message, &names)).collect();
        let is_bots = |message: &ShownMessage| message.author == Author::Bot;
        let word = if messages.is_empty() || !messages.iter().all(is_bots) || said.contains("partway through")
        {
            Word::Unclear
        } else if done.iter().any(|words| said.contains(words)) {
            Word::Done
        } else {
            Word::Refused
        };
        (word, said)
    }

    /// Tracks a key or takes it off.
    async fn list(&self, channel: &'static str, user: &str, issue: &str, wanted: Standing) -> Word {
        let (command, done) = match wanted {
            Standing::Listed => ("track", ["Now tracking ", " is already tracked"]),
            _ => ("untrack", ["Stopped tracking ", " is not tracked"]),
        };
        let (word, said) = self.say(channel, user, &format!("/maro {command} {issue}"), &done).await;
        self.ledger.note_listing(channel, issue, wanted, word, &said);
        word
    }

    /// Tracks and untracks the same few issues, which nobody else does.
    pub(super) async fn change_list(&self, channel: &'static str, user: &str, first: u64) {
        while !self.is_over() {
            let issue = format!("SCRUM-{}", first + self.ledger.random(KEYS));
            self.world.jira.add_issue(&key(&issue), "Harbour lights", "Open");
            let wanted = if self.ledger.random(2) == 0 { Standing::Listed } else { Standing::Absent };
            self.list(channel, user, &issue, wanted).await;
            sleep(Duration::from_millis(100 + self.ledger.random(300))).await;
        }
    }

    /// Tracks issues that somebody then does in Jira, which tells MARO if MARO listens.
    pub(super) async fn do_issues(&self, channel: &'static str, user: &str) {
        for number in 0.. {
            if self.is_over() {
                return;
            }
            let issue = format!("SCRUM-{}", 20_000 + number);
            self.world.jira.add_issue(&key(&issue), "Quay wall", "In Progress");
            for _ in 0..10 {
                if self.list(channel, user, &issue, Standing::Listed).await == Word::Done {
                    self.ledger.entries().done.push(issue.clone());
                    self.world.jira.transition_issue(&key(&issue), "Done");
                    break;
                }
                sleep(Duration::from_millis(500)).await;
            }
            sleep(Duration::from_millis(500 + self.ledger.random(1_500))).await;
        }
    }

    /// Creates one issue after the other.
    pub(super) async fn create(&self, channel: &'static str, user: &str) {
        while !self.is_over() {
            let summary = self.ledger.summary();
            let typed = format!("/maro create {summary}");
            let is_form = |modal: &Modal| modal.value("summary").as_deref() == Some(&summary);
            if self.open(channel, user, &typed, is_form).await {
                let (word, said) = self.submit(user).await;
                self.ledger.note_wish(Wish { summary, channel, word, said });
            }
            self.close_all(user).await;
            sleep(Duration::from_millis(300 + self.ledger.random(1_000))).await;
        }
    }

    /// Creates stories under an epic, two at a time.
    pub(super) async fn create_stories(&self, channel: &'static str, user: &str) {
        while !self.is_over() {
            let is_form = |modal: &Modal| modal.field("stories").is_some();
            if self.open(channel, user, "/maro stories SCRUM-101", is_form).await {
                let summaries = [self.ledger.summary(), self.ledger.summary()];
                let lines = summaries.join("\n");
                if self.world.slack.fill(user, &[("stories", &lines)]).await.is_ok() {
                    let (word, said) = self.submit(user).await;
                    for summary in summaries {
                        self.ledger.note_wish(Wish { summary, channel, word, said: said.clone() });
                    }
                }
            }
            self.close_all(user).await;
            sleep(Duration::from_millis(800 + self.ledger.random(2_000))).await;
        }
    }

    /// Whether the form that a command opens is there in time.
    async fn open(&self, channel: &str, user: &str, typed: &str, is_form: impl Fn(&Modal) -> bool) -> bool {
        self.world.slack.send_command(channel, user, typed).await.unwrap();
        let form = timeout(PATIENCE, self.world.slack.wait_for_modal(user, is_form)).await;
        matches!(form, Ok(Ok(_)))
    }

    /// Submits a form until it says something, as people do: what that means, and all that it says.
    async fn submit(&self, user: &str) -> (Word, Vec<String>) {
        let mut told = (Word::Refused, Vec::new());
        for _ in 0..MOST_SUBMISSIONS {
            let (word, said) = match self.world.slack.submit(user).await {
                Ok(SubmitOutcome::Closed) => (Word::Done, "(closed)".to_owned()),
                Ok(SubmitOutcome::Updated(modal) | SubmitOutcome::Pushed(modal)) => {
                    self.read_report(user, modal).await
                }
                Ok(SubmitOutcome::Failed(trouble)) => (Word::Unclear, trouble),
                Ok(SubmitOutcome::Errors(errors) | SubmitOutcome::Incomplete(errors)) => {
                    let said: Vec<String> = errors.into_values().collect();
                    let said = said.join(" ");
                    (if said.contains("may have been started") { Word::Unclear } else { Word::Refused }, said)
                }
                // There is nothing to submit any more.
                Err(_) => return told,
            };
            told.1.push(said);
            told.0 = match (word, told.0) {
                // Whatever came before, it may have been begun then.
                (Word::Refused, Word::Unclear) if told.1.len() > 1 => Word::Unclear,
                _ => word,
            };
            if word == Word::Done {
                return told;
            }
            sleep(Duration::from_millis(700)).await;
        }
        told
    }

    /// What a form that was redrawn says once MARO isn't at work on it any more.
    async fn read_report(&self, user: &str, first: Modal) -> (Word, String) {
        let is_at_work = |modal: &Modal| modal.text().contains("MARO is working on it");
        let settled = timeout(PATIENCE, self.world.slack.wait_for_modal(user, |modal| !is_at_work(modal)));
        let modal = match settled.await {
            Ok(Ok(modal)) => modal,
            _ => return (Word::Unclear, first.text()),
        };
        let said = modal.text();
        let is_done = ["Done.", "Created:", "Created "].iter().any(|words| said.contains(words));
        let is_refused = said.contains("Nothing was ") || said.contains("Couldn't create:");
        match (is_done, is_refused) {
            (true, false) => (Word::Done, said),
            (false, true) => (Word::Refused, said),
            _ => (Word::Unclear, said),
        }
    }

    async fn close_all(&self, user: &str) {
        while self.world.slack.modal(user).is_some() {
            // Who isn't told of it by MARO has closed it all the same.
            let _ = self.world.slack.close(user).await;
        }
    }
}
