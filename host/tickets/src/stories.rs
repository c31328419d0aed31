//! Stories under an epic: a title a line, created in batches, each line with an outcome of its own.

use std::collections::HashSet;

use crate::{
    CREATE_PATIENCE, LOOK_UP_PATIENCE, MODAL_LIFETIME, Outcome, Tickets, deadline,
    record::{Announcement, ModalState, StoriesRecord, StoryLine, StoryState},
    submit, texts,
    views::{MAX_SUMMARY_LENGTH, RETRY_STORIES, STORIES, sentence},
    work::{self, Start},
};
use maro_domain::{
    events::{DomainEvent, TicketEvent},
    issue::{IssueKey, one_line},
    reply::{Block, Span},
};
use maro_jira::{
    create::CreateError,
    epic::{Epic, EpicLookup},
    stories::NewStory,
};
use maro_process::telemetry::error_chain;
use maro_slack::{interaction::view_state::ViewState, view::button::Button};
use maro_store::intents::{IntentKind, IntentState, work::Work};

/// The most stories of one modal.
pub(super) const MAX_STORIES: usize = 100;

/// The most that Jira creates at once.
const BATCH: usize = 50;

/// How often one batch is sent that Jira does not confirm and that is not there.
const MAX_ATTEMPTS: u32 = 2;

impl Tickets {
    pub(super) async fn submit_stories(&self, state: ModalState, view: ViewState) -> Outcome {
        let text = view.values.text(STORIES).unwrap_or_default();
        let lines = match parse_lines(text) {
            Ok(lines) => lines,
            Err(problem) => {
                let form = self.stories_view(&state, vec![Span::Text(problem.clone())], text);
                return submit::errors([(STORIES.to_owned(), problem)].into(), form);
            }
        };
        self.begin_stories(&state, &state.intent_id, &view.id, lines).await
    }

    /// The failed lines once more, as an intention of their own that many clicks make only once.
    pub(super) async fn retry_stories(&self, state: &ModalState, view_id: &str) -> Outcome {
        let lines = match self.journal.get(&state.intent_id).await {
            Ok(Some(intent)) => Work::<StoriesRecord>::read(intent).map(|work| {
                let failed = |line: &StoryLine| {
                    matches!(line.state, StoryState::Failed(_)).then(|| line.title.clone())
                };
                work.record.lines.iter().filter_map(failed).collect()
            }),
            Ok(None) => Ok(Vec::new()),
            Err(error) => Err(error.into()),
        };
        match lines {
            Ok(lines) if lines.is_empty() => {
                self.sentence_outcome(texts::stories::TITLE, &state.origin, texts::forms::EXPIRED)
            }
            Ok(lines) => {
                self.begin_stories(state, &format!("{}-again", state.intent_id), view_id, lines).await
            }
            Err(stop) => self.stopped(&state.origin, &stop),
        }
    }

    async fn begin_stories(
        &self,
        state: &ModalState,
        id: &str,
        view_id: &str,
        titles: Vec<String>,
    ) -> Outcome {
        let record = StoriesRecord {
            origin: state.origin.clone(),
            view_id: view_id.to_owned(),
            epic: state.epic.clone().unwrap_or_default(),
            lines: titles
                .into_iter()
                .map(|title| StoryLine { title, state: StoryState::Due, is_tracked: false })
                .collect(),
            announcement: Announcement::Due,
            attempts: 0,
        };
        match self.begin(id, IntentKind::Stories, IntentState::Begun, &state.origin, record).await {
            Ok(Start::Ours(work)) => self.create_stories(work).await,
            Ok(Start::Known(IntentState::Finished, work)) => self.report(&work, &[]),
            Ok(Start::Known(_, work)) => Outcome::show(self.progress_view(&work.record.origin)),
            Err(stop) => self.stopped(&state.origin, &stop),
        }
    }

    /// Creates every line that is due, then does what follows.
    pub(super) async fn create_stories(&self, mut work: Work<StoriesRecord>) -> Outcome {
        let epic = self.epic(&work.record.epic).await;
        // Jira may have done what it was asked, also if it does not show the epic now.
        let was_asked = work.record.lines.iter().any(|line| line.state == StoryState::Asked);
        let project = epic.as_ref().map_or_else(|_| project_of(&work.record.epic), |epic| &epic.project_key);
        let project = project.to_owned();
        if was_asked && !self.settle_stories(&mut work, &project).await {
            return self.unsettled(&work);
        }
        let epic = match epic {
            Ok(epic) => epic,
            Err(reason) => {
                fail_due(&mut work.record, &reason);
                return self.conclude_stories(work).await;
            }
        };
        loop {
            let batch: Vec<usize> = due(&work.record).take(BATCH).collect();
            if batch.is_empty() {
                return self.conclude_stories(work).await;
            }
            for index in &batch {
                work.record.lines[*index].state = StoryState::Asked;
            }
            if let Err(stop) = self.save(&mut work, IntentState::Begun).await {
                return self.stopped(&work.record.origin, &stop);
            }
            if let Err(error) = self.create_batch(&mut work, &epic, &batch).await {
                tracing::warn!(
                    intent = work.id,
                    error = error_chain(&error),
                    "it is unknown which stories exist"
                );
                work.record.attempts += 1;
                if !self.settle_stories(&mut work, &epic.project_key).await {
                    return self.unsettled(&work);
                }
                if work.record.attempts >= MAX_ATTEMPTS {
                    fail_due(&mut work.record, texts::forms::NOT_FOUND_AFTERWARDS);
                }
            }
            self.track_created(&mut work).await;
        }
    }

    /// Sends one batch and writes each line's outcome into the record.
    ///
    /// # Errors
    /// It is unknown what Jira did.
    async fn create_batch(
        &self,
        work: &mut Work<StoriesRecord>,
        epic: &Epic,
        batch: &[usize],
    ) -> Result<(), maro_jira::error::JiraError> {
        let stories: Vec<NewStory> = batch
            .iter()
            .map(|index| NewStory {
                summary: work.record.lines[*index].title.clone(),
                intent_id: line_intent(&work.id, *index),
            })
            .collect();
        let outcomes = match self.jira.create_stories(epic, &stories, deadline(CREATE_PATIENCE)).await {
            Ok(outcomes) => outcomes,
            Err(CreateError::Refused { fields, messages }) => {
                let reason = fields.into_values().chain(messages).collect::<Vec<_>>().join(" ");
                vec![Err(reason); batch.len()]
            }
            Err(CreateError::Jira(error)) => {
                // The batches to come would end alike.
                let reason = texts::jira::failed(&error);
                fail_due(&mut work.record, &reason);
                vec![Err(reason); batch.len()]
            }
            Err(CreateError::Unknown(error)) => return Err(error),
        };
        for (index, outcome) in batch.iter().zip(outcomes) {
            work.record.lines[*index].state = match outcome {
                Ok(created) => StoryState::Created(created.into()),
                Err(reason) if reason.is_empty() => StoryState::Failed(texts::stories::NO_REASON.to_owned()),
                Err(reason) => StoryState::Failed(reason),
            };
        }
        Ok(())
    }

    async fn epic(&self, key: &str) -> Result<Epic, String> {
        let key = IssueKey::parse(key).map_err(|_| texts::forms::EXPIRED.to_owned())?;
        match self.jira.get_epic(&key, deadline(LOOK_UP_PATIENCE)).await {
            Ok(EpicLookup::Epic(epic)) => Ok(epic),
            Ok(EpicLookup::NoStoryType { project_key, .. }) => {
                Err(texts::stories::no_story_type(&project_key))
            }
            Ok(EpicLookup::NotAnEpic { issue, type_name }) => {
                Err(texts::stories::not_an_epic(issue.key.as_str(), &type_name))
            }
            Ok(EpicLookup::Missing) => Err(texts::jira::not_found(key.as_str())),
            Err(error) => Err(texts::jira::failed(&error)),
        }
    }

    /// Puts each created story on the list, also when later batches fail.
    async fn track_created(&self, work: &mut Work<StoriesRecord>) {
        let origin = &work.record.origin;
        let (Ok(channel), Ok(user)) = (origin.channel(), origin.user()) else { return };
        for (index, line) in work.record.lines.iter_mut().enumerate() {
            let StoryState::Created(ticket) = &line.state else { continue };
            let Ok(key) = ticket.key() else { continue };
            if line.is_tracked {
                continue;
            }
            let event = DomainEvent::StoryCreated(TicketEvent {
                id: ticket.id(),
                key,
                summary: line.title.clone(),
                status: None,
                intent_id: Some(line_intent(&work.id, index)),
                channel: channel.clone(),
                user: user.clone(),
            });
            line.is_tracked = self.hooks.emit(&event).await.is_ok();
        }
    }

    /// Tells the channel what was created, and the person about every line.
    pub(super) async fn conclude_stories(&self, mut work: Work<StoriesRecord>) -> Outcome {
        self.track_created(&mut work).await;
        let mut notes = Vec::new();
        let created = created_lines(&work.record);
        if work.record.announcement == Announcement::Due && !created.is_empty() {
            work.record.announcement = Announcement::Sending;
            if let Err(stop) = self.save(&mut work, IntentState::Confirmed).await {
                return self.report(&work, &[work::sentence(&stop).to_owned()]);
            }
            let heading = texts::stories::created_under(created.len(), epic_span(&work.record.epic));
            let blocks = vec![Block::Paragraph(heading), Block::items(created)];
            if let Err(note) = self.announce(&work.record.origin, blocks).await {
                notes.push(note);
            }
            work.record.announcement = Announcement::Done;
        }
        let untracked = work.record.lines.iter().filter_map(|line| match &line.state {
            StoryState::Created(ticket) if !line.is_tracked => {
                Some(texts::forms::not_tracked_yet(&ticket.key))
            }
            _ => None,
        });
        notes.extend(untracked);
        let is_tracked = work
            .record
            .lines
            .iter()
            .all(|line| line.is_tracked || !matches!(line.state, StoryState::Created(_)));
        self.close(&mut work, is_tracked).await;
        self.report(&work, &notes)
    }

    /// Every line: the created key, or Jira's reason; and a button for those that failed.
    fn report(&self, work: &Work<StoriesRecord>, notes: &[String]) -> Outcome {
        let record = &work.record;
        let mut blocks: Vec<Block> = notes.iter().map(|note| sentence(note)).collect();
        let created = created_lines(record);
        let failed: Vec<_> = record
            .lines
            .iter()
            .filter_map(|line| match &line.state {
                StoryState::Failed(reason) => Some(texts::stories::failed(&line.title, reason)),
                _ => None,
            })
            .collect();
        if !created.is_empty() {
            blocks.push(sentence(texts::stories::CREATED));
            blocks.push(Block::items(created));
        }
        let mut buttons = Vec::new();
        let failed_is_empty = failed.is_empty();
        if !failed_is_empty {
            blocks.push(sentence(texts::stories::FAILED));
            blocks.push(Block::items(failed));
            buttons.extend(self.retry_button(work));
        }
        let is_news = !failed_is_empty || !notes.is_empty();
        let news = if is_news { blocks.clone() } else { Vec::new() };
        Outcome::news(self.notice_view(texts::stories::TITLE, &record.origin, blocks, buttons), news)
    }

    fn retry_button(&self, work: &Work<StoriesRecord>) -> Option<Button> {
        let state = ModalState {
            intent_id: work.id.clone(),
            origin: work.record.origin.clone(),
            candidates: Vec::new(),
            project: None,
            epic: Some(work.record.epic.clone()),
        };
        let value =
            self.sealer.seal_for_button(RETRY_STORIES, &state, self.clock.now(), MODAL_LIFETIME).ok()?;
        Some(Button::new(RETRY_STORIES, texts::stories::RETRY, value))
    }

    fn unsettled(&self, work: &Work<StoriesRecord>) -> Outcome {
        self.sentence_outcome(texts::stories::TITLE, &work.record.origin, texts::forms::UNCONFIRMED)
    }
}

/// The intention of one line.
pub(super) fn line_intent(id: &str, index: usize) -> String {
    format!("{id}/{index}")
}

/// The titles, trimmed, each once. Bullets that people paste are taken off.
fn parse_lines(text: &str) -> Result<Vec<String>, String> {
    let mut seen = HashSet::new();
    let mut titles = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.trim().trim_start_matches(['•', '-', '*', '–']).trim();
        let title = one_line(line, MAX_SUMMARY_LENGTH + 1);
        if title.chars().count() > MAX_SUMMARY_LENGTH {
            return Err(texts::stories::line_too_long(number + 1, MAX_SUMMARY_LENGTH));
        }
        if !title.is_empty() && seen.insert(title.to_lowercase()) {
            titles.push(title);
        }
    }
    match titles.len() {
        0 => Err(texts::stories::NONE_ENTERED.to_owned()),
        count if count > MAX_STORIES => Err(texts::stories::too_many(count, MAX_STORIES)),
        _ => Ok(titles),
    }
}

fn due(record: &StoriesRecord) -> impl Iterator<Item = usize> {
    record.lines.iter().enumerate().filter(|(_, line)| line.state == StoryState::Due).map(|(index, _)| index)
}

fn fail_due(record: &mut StoriesRecord, reason: &str) {
    for line in &mut record.lines {
        if line.state == StoryState::Due {
            line.state = StoryState::Failed(reason.to_owned());
        }
    }
}

fn created_lines(record: &StoriesRecord) -> Vec<Vec<Span>> {
    record
        .lines
        .iter()
        .filter_map(|line| match &line.state {
            StoryState::Created(ticket) => Some(texts::stories::created(&ticket.key().ok()?, &line.title)),
            _ => None,
        })
        .collect()
}

/// The project that a key is of: all before its number.
fn project_of(key: &str) -> &str {
    key.rsplit_once('-').map_or(key, |(project, _)| project)
}

fn epic_span(key: &str) -> Span {
    IssueKey::parse(key).map_or_else(|_| Span::Text(key.to_owned()), Span::Issue)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles_are_trimmed_and_each_kept_once() {
        let titles = parse_lines("  Sign up \n\n• Sign in\r\n- sign up\n\tReset password  ").unwrap();
        assert_eq!(titles, ["Sign up", "Sign in", "Reset password"]);
    }

    #[test]
    fn too_much_is_told_with_the_number() {
        assert_eq!(parse_lines(" \n ").unwrap_err(), texts::stories::NONE_ENTERED);
        let long = format!("ok\n{}", "x".repeat(256));
        assert_eq!(parse_lines(&long).unwrap_err(), "Line 2 is longer than 255 characters.");
        assert!(parse_lines(&"x".repeat(255)).is_ok());
        let many: String = (0..101).map(|number| format!("story {number}\n")).collect();
        assert_eq!(parse_lines(&many).unwrap_err(), "You entered 101 stories; the limit is 100 at a time.");
    }
}
