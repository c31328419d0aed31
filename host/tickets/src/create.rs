//! Creating one ticket: from the submitted form to Jira, once.

use std::{collections::BTreeMap, time::Duration};

use crate::{
    CREATE_PATIENCE, Outcome, Tickets, deadline,
    duplicates::Similar,
    record::{Announcement, CreateRecord, ModalState},
    submit, texts,
    views::{
        CHANNEL, CreateForm, DESCRIPTION, ISSUE_TYPE, MAX_SUMMARY_LENGTH, PROJECT, SUMMARY, errors_by_input,
        sentence,
    },
    work::{self, Start},
};
use maro_domain::{
    events::{DomainEvent, TicketEvent},
    issue::one_line,
    reply::{Block, Span},
    ticket::NewTicket,
};
use maro_jira::{create::CreateError, error::JiraError};
use maro_process::telemetry::error_chain;
use maro_slack::{
    interaction::view_state::{InputValues, ViewState},
    markup,
    view::input::Choice,
};
use maro_store::intents::{
    IntentKind, IntentState,
    work::{Stop, Ticket, Work},
};

/// How often Jira is asked to create a ticket whose creation it did not confirm and which is not there.
const MAX_ATTEMPTS: u32 = 2;

/// How long Jira may take to list a project's types, which it mostly did a moment ago.
const TYPES_PATIENCE: Duration = Duration::from_millis(700);

impl Tickets {
    /// The create form was submitted: looks for similar tickets, then creates.
    pub(super) async fn submit_create(&self, mut state: ModalState, view: ViewState) -> Outcome {
        let record = match read_form(&state, &view) {
            Ok(record) => self.with_type_of_project(record).await,
            Err(errors) => return submit::errors(errors, self.create_view(&state, &form(&view.values), &[])),
        };
        let work = match self.draft(&state, record).await {
            Ok(work) => work,
            Err(outcome) => return outcome,
        };
        let unchecked = match self.find_similar(&work.record).await {
            Similar::Found(similar) => {
                state.candidates = similar.iter().map(|ticket| ticket.key.as_str().to_owned()).collect();
                let view = self.duplicates_view(&state, &work.record.summary, &similar);
                return Outcome::news(view, vec![sentence(texts::forms::CLOSED_TOO_EARLY)]);
            }
            Similar::None => false,
            Similar::Unchecked => true,
        };
        self.create(work, unchecked).await
    }

    /// "Create anyway" under the similar tickets.
    pub(super) async fn submit_create_anyway(&self, state: ModalState) -> Outcome {
        let origin = &state.origin;
        let intent = match self.journal.get(&state.intent_id).await {
            Ok(Some(intent)) => intent,
            Ok(None) => {
                return self.sentence_outcome(texts::issues::CREATE_TITLE, origin, texts::forms::EXPIRED);
            }
            Err(error) => return self.stopped(origin, &Stop::Store(error.into())),
        };
        let is_draft = matches!(intent.state, IntentState::Draft | IntentState::Failed);
        match Work::<CreateRecord>::read(intent) {
            Ok(work) if is_draft => match self.create(work, false).await {
                // The modal with the similar tickets has no inputs to put errors beside.
                Outcome::Errors { form, .. } => {
                    Outcome::Show { view: form, news: vec![sentence(texts::forms::CLOSED_TOO_EARLY)] }
                }
                outcome => outcome,
            },
            Ok(work) => self.known(&work),
            Err(stop) => self.stopped(origin, &stop),
        }
    }

    /// A type chosen before the project was has the id of another project's: the one of the same name is
    /// meant. If there is none, Jira says so.
    async fn with_type_of_project(&self, mut record: CreateRecord) -> CreateRecord {
        let types = self.jira.get_issue_types(&record.project_key, deadline(TYPES_PATIENCE)).await;
        if let Ok(Some(types)) = types
            && types.iter().all(|issue_type| issue_type.id != record.issue_type_id)
            && let Some(meant) = types
                .into_iter()
                .find(|issue_type| issue_type.name.eq_ignore_ascii_case(&record.issue_type_name))
        {
            record.issue_type_id = meant.id;
        }
        record
    }

    /// Writes the form down. Nothing comes of a draft by itself, so submitting it twice is no harm.
    async fn draft(&self, state: &ModalState, record: CreateRecord) -> Result<Work<CreateRecord>, Outcome> {
        let origin = &state.origin;
        let started = self
            .begin(&state.intent_id, IntentKind::Create, IntentState::Draft, origin, record.clone())
            .await
            .map_err(|stop| self.stopped(origin, &stop))?;
        match started {
            Start::Ours(work) => Ok(work),
            Start::Known(IntentState::Draft | IntentState::Failed, mut work) => {
                work.record = CreateRecord { attempts: work.record.attempts, ..record };
                self.save(&mut work, IntentState::Draft).await.map_err(|stop| self.stopped(origin, &stop))?;
                Ok(work)
            }
            Start::Known(_, work) => Err(self.known(&work)),
        }
    }

    /// Asks Jira to create the ticket. `unchecked` tells that nobody could look for similar ones.
    async fn create(&self, mut work: Work<CreateRecord>, unchecked: bool) -> Outcome {
        work.record.attempts += 1;
        // From this line on a crash leaves it unknown whether Jira did it, and the journal knows that.
        if let Err(stop) = self.save(&mut work, IntentState::Begun).await {
            return self.stopped(&work.record.origin.clone(), &stop);
        }
        let ticket = new_ticket(&work);
        match self.jira.create_ticket(&ticket, deadline(CREATE_PATIENCE)).await {
            Ok(created) => self.created(work, created.into(), unchecked).await,
            Err(CreateError::Refused { fields, messages }) => self.refused(work, fields, messages).await,
            Err(CreateError::Jira(error)) => self.not_created(work, &error).await,
            Err(CreateError::Unknown(error)) => {
                tracing::warn!(
                    intent = work.id,
                    error = error_chain(&error),
                    "it is unknown whether a ticket exists"
                );
                self.settle_create(work).await
            }
        }
    }

    /// As [`Tickets::create`] once more, for a ticket that was looked for and is not there.
    pub(super) async fn create_again(&self, work: Work<CreateRecord>) -> Outcome {
        if work.record.attempts < MAX_ATTEMPTS {
            return Box::pin(self.create(work, false)).await;
        }
        let mut work = work;
        let outcome = self.form_with_notice(&work, texts::forms::NOT_FOUND_AFTERWARDS.to_owned());
        match self.save(&mut work, IntentState::Failed).await {
            Ok(()) => outcome,
            Err(stop) => self.stopped(&work.record.origin, &stop),
        }
    }

    /// Jira has confirmed the ticket.
    pub(super) async fn created(
        &self,
        mut work: Work<CreateRecord>,
        ticket: Ticket,
        unchecked: bool,
    ) -> Outcome {
        let key = ticket.key.clone();
        work.record.ticket = Some(ticket);
        if self.save(&mut work, IntentState::Confirmed).await.is_err() {
            // The ticket exists. Tracking and telling follow when the journal can be read again.
            return self.result(&work.record, &[texts::forms::created_but_pending(&key)]);
        }
        self.conclude_create(work, unchecked).await
    }

    /// Does what follows from a confirmed ticket, as far as it is still due.
    pub(super) async fn conclude_create(&self, mut work: Work<CreateRecord>, unchecked: bool) -> Outcome {
        let Some((event, line)) = consequences(&work) else {
            return self.stopped(&work.record.origin, &Stop::Unreadable);
        };
        let mut notes = Vec::new();
        if unchecked {
            notes.push(texts::issues::DUPLICATES_UNCHECKED.to_owned());
        }
        if !work.record.is_tracked {
            match self.hooks.emit(&event).await {
                Ok(()) => work.record.is_tracked = true,
                Err(_) => notes.push(texts::forms::not_tracked_yet(&event_key(&event))),
            }
        }
        if work.record.announcement == Announcement::Due {
            work.record.announcement = Announcement::Sending;
            if let Err(stop) = self.save(&mut work, IntentState::Confirmed).await {
                notes.push(work::sentence(&stop).to_owned());
                return self.result(&work.record, &notes);
            }
            if let Err(note) = self.announce(&work.record.origin, vec![Block::Paragraph(line)]).await {
                notes.push(note);
            }
            work.record.announcement = Announcement::Done;
        }
        let is_tracked = work.record.is_tracked;
        self.close(&mut work, is_tracked).await;
        if notes.is_empty() { Outcome::Close } else { self.result(&work.record, &notes) }
    }

    async fn refused(
        &self,
        mut work: Work<CreateRecord>,
        fields: BTreeMap<String, String>,
        messages: Vec<String>,
    ) -> Outcome {
        let (errors, others) = errors_by_input(fields);
        let mut notices: Vec<String> = errors.values().cloned().chain(messages.iter().cloned()).collect();
        if !others.is_empty() || errors.is_empty() {
            notices.extend(others);
            notices.push(texts::forms::create_in_jira(self.jira_base_url.as_str()));
        }
        if let Err(stop) = self.save(&mut work, IntentState::Failed).await {
            return self.stopped(&work.record.origin, &stop);
        }
        let only_inputs = notices.len() == errors.len();
        let form = self.form_again(&work, &notices);
        if only_inputs {
            return submit::errors(errors, form);
        }
        Outcome::news(form, notices.iter().map(|notice| sentence(notice)).collect())
    }

    async fn not_created(&self, mut work: Work<CreateRecord>, error: &JiraError) -> Outcome {
        tracing::warn!(intent = work.id, error = error_chain(error), "a ticket was not created");
        let outcome = self.form_with_notice(&work, texts::jira::failed(error));
        match self.save(&mut work, IntentState::Failed).await {
            Ok(()) => outcome,
            Err(stop) => self.stopped(&work.record.origin, &stop),
        }
    }

    fn form_with_notice(&self, work: &Work<CreateRecord>, notice: String) -> Outcome {
        Outcome::news(self.form_again(work, std::slice::from_ref(&notice)), vec![sentence(&notice)])
    }

    /// The form as it was submitted, to be submitted again under the same intention.
    fn form_again(&self, work: &Work<CreateRecord>, notices: &[String]) -> maro_slack::view::View {
        let record = &work.record;
        let state = ModalState {
            intent_id: work.id.clone(),
            origin: record.origin.clone(),
            candidates: Vec::new(),
            project: Some(record.project_key.clone()),
            epic: None,
        };
        let form = CreateForm {
            project: Some(Choice::new(&record.project_key, &record.project_name)),
            issue_type: Some(Choice::new(&record.issue_type_id, &record.issue_type_name)),
            summary: record.summary.clone(),
            description: record.description.clone(),
        };
        self.create_view(&state, &form, notices)
    }

    /// What is shown of an intention that is past its draft.
    fn known(&self, work: &Work<CreateRecord>) -> Outcome {
        match &work.record.ticket {
            Some(_) => self.result(&work.record, &[]),
            None => Outcome::show(self.progress_view(&work.record.origin)),
        }
    }

    fn result(&self, record: &CreateRecord, notes: &[String]) -> Outcome {
        let mut blocks = Vec::new();
        if let Some(key) = record.ticket.as_ref().and_then(|ticket| ticket.key().ok()) {
            blocks.push(Block::Paragraph(texts::issues::created(&key, &record.summary)));
        }
        blocks.extend(notes.iter().map(|note| sentence(note)));
        let news = if notes.is_empty() { Vec::new() } else { blocks.clone() };
        Outcome::news(self.notice_view(texts::issues::CREATE_TITLE, &record.origin, blocks, Vec::new()), news)
    }

    pub(super) fn stopped(&self, origin: &super::record::Origin, stop: &Stop) -> Outcome {
        self.sentence_outcome(texts::issues::CREATE_TITLE, origin, work::sentence(stop))
    }
}

fn read_form(state: &ModalState, view: &ViewState) -> Result<CreateRecord, BTreeMap<String, String>> {
    let form = form(&view.values);
    let mut errors = BTreeMap::new();
    let summary = one_line(&form.summary, MAX_SUMMARY_LENGTH + 1);
    if summary.is_empty() {
        errors.insert(SUMMARY.to_owned(), texts::forms::SUMMARY_MISSING.to_owned());
    } else if summary.chars().count() > MAX_SUMMARY_LENGTH {
        errors.insert(SUMMARY.to_owned(), texts::forms::summary_too_long(MAX_SUMMARY_LENGTH));
    }
    let mut chosen = |choice: Option<Choice>, input: &str, missing: &str| {
        if choice.is_none() {
            errors.insert(input.to_owned(), missing.to_owned());
        }
        choice
    };
    let mut origin = state.origin.clone();
    if origin.is_nowhere() {
        let channel = chosen(view.values.selected(CHANNEL).cloned(), CHANNEL, texts::forms::CHANNEL_MISSING);
        origin.channel = channel.map(|choice| choice.value).unwrap_or_default();
    }
    let project = chosen(form.project, PROJECT, texts::forms::PROJECT_MISSING);
    let issue_type = chosen(form.issue_type, ISSUE_TYPE, texts::forms::ISSUE_TYPE_MISSING);
    match (project, issue_type) {
        (Some(project), Some(issue_type)) if errors.is_empty() => Ok(CreateRecord {
            origin,
            view_id: view.id.clone(),
            project_key: project.value,
            project_name: project.label,
            issue_type_id: issue_type.value,
            issue_type_name: issue_type.label,
            summary,
            description: form.description,
            ticket: None,
            is_tracked: false,
            announcement: Announcement::Due,
            attempts: 0,
        }),
        _ => Err(errors),
    }
}

pub(super) fn form(values: &InputValues) -> CreateForm {
    CreateForm {
        project: values.selected(PROJECT).cloned(),
        issue_type: values.selected(ISSUE_TYPE).cloned(),
        summary: values.text(SUMMARY).unwrap_or_default().to_owned(),
        description: values.text(DESCRIPTION).unwrap_or_default().to_owned(),
    }
}

fn new_ticket(work: &Work<CreateRecord>) -> NewTicket {
    let record = &work.record;
    NewTicket {
        project_key: record.project_key.clone(),
        issue_type_id: record.issue_type_id.clone(),
        summary: record.summary.clone(),
        description: markup::parse_typed(&record.description),
        intent_id: work.id.clone(),
    }
}

/// What has happened, and how the channel hears it.
fn consequences(work: &Work<CreateRecord>) -> Option<(DomainEvent, Vec<Span>)> {
    let record = &work.record;
    let ticket = record.ticket.as_ref()?;
    let key = ticket.key().ok()?;
    let event = DomainEvent::TicketCreated(TicketEvent {
        id: ticket.id(),
        key: key.clone(),
        summary: record.summary.clone(),
        status: None,
        intent_id: Some(work.id.clone()),
        channel: record.origin.channel().ok()?,
        user: record.origin.user().ok()?,
    });
    Some((event, texts::issues::created(&key, &record.summary)))
}

fn event_key(event: &DomainEvent) -> String {
    match event {
        DomainEvent::TicketCreated(ticket)
        | DomainEvent::DuplicateLinked(ticket)
        | DomainEvent::StoryCreated(ticket) => ticket.key.to_string(),
    }
}
