//! Stories under an epic. They are created in batches, and each has its own outcome.

pub(crate) mod epic;
pub mod epic_key;
mod linking;
pub(crate) mod outcomes;

use std::convert::Infallible;

use tokio::time::Instant;

use crate::{
    filled_fields::FilledField,
    intents::{
        records::{Announcement, IntentPlace, StoriesRecord, StoryLine, StoryState, add_twin, all_keys},
        wish::{Asked, Told, Wish},
    },
    signature_line::Signature,
    stories::{
        epic::{NoEpic, read_epic},
        linking::link_created,
        outcomes::{change_lines, created_issues, created_key, created_lines, fail_all, lines_in, mark},
    },
};
use maro_access::policy_in_channel::Sight;
use maro_domain::{
    events::{DomainEvent, TicketEvent},
    issue::{IssueId, IssueKey},
    reply::{Block, Span},
    rich_text::RichText,
    ticket::CreatedTicket,
};
use maro_jira::{
    client::JiraClient,
    creating::create::CreateError,
    creating::epic::Epic,
    creating::stories::{EpicLink, MAX_STORIES_AT_ONCE, NewStory, StoriesAnswer},
};
use maro_store::intents::{IntentKind, work::Work};
use maro_texts as texts;

/// How many times one batch is sent, if Jira doesn't confirm it and doesn't have it either.
const MAX_ATTEMPTS: u32 = 2;

/// How many stories are listed in the channel itself.
const MAX_LISTED: usize = 20;

/// What Jira says about a batch.
pub(crate) enum BatchAnswer {
    /// By the number of the line.
    Each(Vec<(usize, Result<CreatedTicket, String>)>),
    /// Nothing was created: they can only be created without their epic.
    NoFieldForEpic,
    /// Nothing was created, for this reason.
    None(String),
}

/// The wish to create all stories of one form. If Jira rejects a story, that is the outcome of its line, not
/// of the wish.
pub(crate) struct Stories {
    /// What may be shown in the channel.
    sight: Sight,
    /// `None` until Jira has shown it.
    epic: Option<Epic>,
}

impl Stories {
    pub(crate) fn new(sight: Sight) -> Self {
        Self { sight, epic: None }
    }

    /// As [`read_epic`], but asks only once.
    async fn epic(&mut self, jira: &JiraClient, key: &str) -> Result<&Epic, String> {
        let epic = match self.epic.take() {
            Some(epic) => epic,
            None => {
                let key = IssueKey::parse(key).map_err(|_| texts::issues::forms::EXPIRED.to_owned())?;
                read_epic(jira, &self.sight, &key).await.map_err(NoEpic::into_text)?
            }
        };
        Ok(self.epic.insert(epic))
    }
}

impl Wish for Stories {
    const KIND: IntentKind = IntentKind::Stories;
    type Record = StoriesRecord;
    type Answer = BatchAnswer;
    type Refusal = Infallible;
    const ACTION: &str = "create";

    fn subject(record: &StoriesRecord) -> String {
        record.epic.clone()
    }

    fn changed(&self, work: &Work<StoriesRecord>) -> Vec<String> {
        let created = work.record.lines.iter().filter_map(|line| match &line.state {
            StoryState::Created(ticket) => Some(std::iter::once(ticket).chain(&line.twins)),
            _ => None,
        });
        created.flatten().map(|ticket| ticket.key.clone()).collect()
    }

    async fn prepare(&mut self, jira: &JiraClient, record: &mut StoriesRecord) -> bool {
        link_created(jira, record).await;
        let batch: Vec<usize> = lines_in(record, &StoryState::Due).take(MAX_STORIES_AT_ONCE).collect();
        if batch.is_empty() {
            return false;
        }
        if let Err(reason) = self.epic(jira, &record.epic).await {
            change_lines(record, &StoryState::Due, &StoryState::Failed(reason));
            return false;
        }
        for index in batch {
            record.lines[index].state = StoryState::Asked;
        }
        true
    }

    async fn ask(
        &self,
        jira: &JiraClient,
        id: &str,
        record: &StoriesRecord,
        deadline: Instant,
    ) -> Asked<BatchAnswer, Infallible> {
        let batch: Vec<usize> = lines_in(record, &StoryState::Asked).collect();
        let stories: Vec<NewStory> = batch
            .iter()
            .map(|&index| NewStory {
                summary: record.lines[index].title.clone(),
                description: Signature::of_origin(&record.origin, "stories").under(RichText::default()),
                reporter: record.reporter.clone(),
                fields: record.fields.iter().filter_map(FilledField::for_jira).collect(),
                intent_id: mark(id, index),
            })
            .collect();
        // `prepare` has read it.
        let Some(epic) = &self.epic else {
            return Asked::Answered(BatchAnswer::None(texts::issues::forms::EXPIRED.to_owned()));
        };
        let link = if record.links_later { EpicLink::Later } else { EpicLink::Created };
        let outcomes = match jira.create_stories(epic, &stories, link, deadline).await {
            Ok(StoriesAnswer::Each(outcomes)) => outcomes,
            Ok(StoriesAnswer::NoFieldForEpic) => return Asked::Answered(BatchAnswer::NoFieldForEpic),
            Err(CreateError::Refused { fields, messages }) => {
                let asked = || record.fields.iter().map(|field| &field.asked);
                let named =
                    |(field, reason): (String, String)| match asked().find(|asked| asked.is_called(&field)) {
                        Some(asked) => texts::issues::forms::about_field(&asked.name, &reason),
                        None => reason,
                    };
                let reasons: Vec<String> = fields.into_iter().map(named).chain(messages).collect();
                vec![Err(reasons.join(" ")); batch.len()]
            }
            Err(CreateError::Jira(error)) => {
                return Asked::Answered(BatchAnswer::None(texts::failures::jira::failed(&error)));
            }
            Err(CreateError::Unknown(error)) => return Asked::Unknown(error),
        };
        Asked::Answered(BatchAnswer::Each(batch.into_iter().zip(outcomes).collect()))
    }

    fn answered(&mut self, work: &mut Work<StoriesRecord>, answer: BatchAnswer) {
        let outcomes = match answer {
            BatchAnswer::Each(outcomes) => outcomes,
            BatchAnswer::NoFieldForEpic => {
                work.record.links_later = true;
                return change_lines(&mut work.record, &StoryState::Asked, &StoryState::Due);
            }
            // The remaining batches would end the same way.
            BatchAnswer::None(reason) => return fail_all(&mut work.record, reason),
        };
        for (index, outcome) in outcomes {
            work.record.lines[index].state = match outcome {
                Ok(created) => StoryState::Created(created.into()),
                Err(reason) if reason.is_empty() => {
                    StoryState::Failed(texts::issues::stories::NO_REASON.to_owned())
                }
                Err(reason) => StoryState::Failed(reason),
            };
        }
    }

    fn asked_at<'a>(&self, record: &'a mut StoriesRecord) -> Option<&'a mut Option<i64>> {
        Some(&mut record.asked_at)
    }

    fn unconfirmed(&self, work: &Work<StoriesRecord>) -> Vec<String> {
        lines_in(&work.record, &StoryState::Asked).map(|index| mark(&work.id, index)).collect()
    }

    fn repeated(&self, work: &Work<StoriesRecord>) -> Vec<String> {
        if work.record.attempts == 0 {
            return Vec::new();
        }
        (0..work.record.lines.len()).map(|index| mark(&work.id, index)).collect()
    }

    fn twins(&self, record: &StoriesRecord) -> Vec<Vec<IssueKey>> {
        let keys = |line: &StoryLine| match &line.state {
            StoryState::Created(ticket) => all_keys(ticket, &line.twins),
            _ => None,
        };
        record.lines.iter().filter_map(keys).collect()
    }

    /// Jira may have created the stories even if it doesn't show their epic now. Then the epic's key tells
    /// the project.
    async fn project(&mut self, jira: &JiraClient, record: &StoriesRecord) -> String {
        match self.epic(jira, &record.epic).await {
            Ok(epic) => epic.project_key.clone(),
            Err(_) => record.epic.rsplit_once('-').map_or("", |(project, _)| project).to_owned(),
        }
    }

    fn found(&mut self, work: &mut Work<StoriesRecord>, found: &str, ticket: CreatedTicket) {
        let Work { id, record, .. } = work;
        let line = record.lines.iter_mut().enumerate().find(|(index, _)| mark(id, *index) == found);
        let Some((_, line)) = line else { return };
        match &line.state {
            StoryState::Created(first) => add_twin(first, &mut line.twins, ticket.into()),
            _ => line.state = StoryState::Created(ticket.into()),
        }
    }

    fn missing(&mut self, work: &mut Work<StoriesRecord>, is_sure: bool) -> Result<(), Infallible> {
        let record = &mut work.record;
        record.attempts += u32::from(is_sure);
        if is_sure && record.attempts < MAX_ATTEMPTS {
            change_lines(record, &StoryState::Asked, &StoryState::Due);
        } else {
            fail_all(record, texts::issues::forms::NOT_FOUND_AFTERWARDS.to_owned());
        }
        Ok(())
    }

    fn events(&self, work: &Work<StoriesRecord>) -> Vec<(usize, DomainEvent)> {
        let Ok(IntentPlace { channel, user }) = work.record.origin.place() else { return Vec::new() };
        let lines = work.record.lines.iter().enumerate().filter(|(_, line)| !line.is_tracked);
        lines
            .filter_map(|(index, line)| {
                let StoryState::Created(ticket) = &line.state else { return None };
                let event = TicketEvent {
                    id: ticket.id(),
                    key: ticket.key().ok()?,
                    summary: line.title.clone(),
                    status: None,
                    has_security_level: None,
                    intent_id: Some(mark(&work.id, index)),
                    channel: channel.clone(),
                    user: user.clone(),
                };
                Some((index, DomainEvent::StoryCreated(event)))
            })
            .collect()
    }

    fn tracked(&self, record: &mut StoriesRecord, number: usize) {
        record.lines[number].is_tracked = true;
    }

    fn told(&self, record: &StoriesRecord, hidden: &[IssueId]) -> Option<Told> {
        let created = created_lines(record, hidden);
        if created.is_empty() {
            return None;
        }
        let key = created_key(record)?;
        let epic =
            IssueKey::parse(&record.epic).map_or_else(|_| Span::Text(record.epic.clone()), Span::Issue);
        let (thread_ts, count) = (record.origin.thread_ts.clone(), created.len());
        // A channel needn't scroll past all of them. A thread is where the list would go anyway.
        let is_short = count <= MAX_LISTED || thread_ts.is_some() || record.not_linked.is_some();
        let heading = match &record.not_linked {
            Some(_) => texts::issues::stories::created_beside(count, epic),
            None if is_short => texts::issues::stories::created_under(count, epic),
            None => texts::issues::stories::created_many_under(count, epic),
        };
        let (heading, list) = (Block::Paragraph(heading), Block::items(created));
        let by = Block::Context(texts::commands::done_by_caller());
        let (blocks, details) = match is_short {
            true => (vec![heading, list, by], Vec::new()),
            false => (vec![heading, by], vec![list]),
        };
        Some(Told {
            place: record.origin.place().ok()?,
            thread_ts,
            blocks,
            details,
            issues: created_issues(record),
            key,
        })
    }

    fn announcement<'a>(&self, record: &'a mut StoriesRecord) -> Option<&'a mut Announcement> {
        Some(&mut record.announcement)
    }
}
