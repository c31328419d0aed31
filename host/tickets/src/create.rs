//! A ticket from a form that somebody filled in: what is asked of Jira, and what follows.

use std::collections::BTreeMap;

use tokio::time::Instant;

use crate::{
    filled_fields::FilledField,
    intents::records::{Announcement, CreateRecord, IntentPlace, add_twin, all_keys},
    intents::wish::{Asked, Told, Wish},
    signature_line::Signature,
};
use maro_access::{hiding_rules::Rule, policy_in_channel::Sight};
use maro_domain::{
    events::{DomainEvent, TicketEvent},
    issue::{IssueId, IssueKey},
    reply::Block,
    ticket::{CreatedTicket, NewTicket},
};
use maro_jira::{client::JiraClient, creating::create::CreateError, error::JiraError};
use maro_slack::words::parse_markup;
use maro_store::intents::{
    IntentKind,
    work::{Ticket, Work},
};
use maro_texts as texts;

/// How many times Jira is asked to create a ticket, if it doesn't confirm the ticket and doesn't have it
/// either.
const MAX_ATTEMPTS: u32 = 2;

/// The wish to create one ticket.
pub(crate) struct Create {
    /// What may be shown in the channel, and what the person may do, now.
    pub(crate) sight: Sight,
}

/// Why there is no ticket.
#[derive(Debug)]
pub(crate) enum NotCreated {
    /// Jira's reasons, by its own names for fields, and those that aren't about a field.
    Refused {
        fields: BTreeMap<String, String>,
        messages: Vec<String>,
    },
    Failed(JiraError),
    /// The policy or the person's rights are against it by now.
    Withheld(Rule),
    /// Jira was asked as often as allowed, and the ticket can't be found.
    NotThere,
}

impl Wish for Create {
    const KIND: IntentKind = IntentKind::Create;
    type Record = CreateRecord;
    type Answer = CreatedTicket;
    type Refusal = NotCreated;
    const ACTION: &str = "create";

    fn subject(record: &CreateRecord) -> String {
        record.project_key.clone()
    }

    fn changed(&self, work: &Work<CreateRecord>) -> Vec<String> {
        let tickets = work.record.ticket.iter().chain(&work.record.twins);
        tickets.map(|ticket| ticket.key.clone()).collect()
    }

    async fn prepare(&mut self, _: &JiraClient, record: &mut CreateRecord) -> bool {
        let is_due = record.ticket.is_none();
        record.attempts += u32::from(is_due);
        is_due
    }

    async fn ask(
        &self,
        jira: &JiraClient,
        id: &str,
        record: &CreateRecord,
        deadline: Instant,
    ) -> Asked<CreatedTicket, NotCreated> {
        // A form may lie open for long, and so may what a crash left behind.
        if let Err(rule) = self.sight.creates(&record.project_key).await {
            return Asked::Refused(NotCreated::Withheld(rule));
        }
        match jira.create_ticket(&new_ticket(id, record), deadline).await {
            Ok(created) => Asked::Answered(created),
            Err(CreateError::Refused { fields, messages }) => {
                Asked::Refused(NotCreated::Refused { fields, messages })
            }
            Err(CreateError::Jira(error)) => Asked::Refused(NotCreated::Failed(error)),
            Err(CreateError::Unknown(error)) => Asked::Unknown(error),
        }
    }

    fn answered(&mut self, work: &mut Work<CreateRecord>, created: CreatedTicket) {
        work.record.ticket = Some(created.into());
    }

    fn asked_at<'a>(&self, record: &'a mut CreateRecord) -> Option<&'a mut Option<i64>> {
        Some(&mut record.asked_at)
    }

    fn unconfirmed(&self, work: &Work<CreateRecord>) -> Vec<String> {
        if work.record.ticket.is_none() { vec![work.id.clone()] } else { Vec::new() }
    }

    fn repeated(&self, work: &Work<CreateRecord>) -> Vec<String> {
        if work.record.is_repeated { vec![work.id.clone()] } else { Vec::new() }
    }

    fn twins(&self, record: &CreateRecord) -> Vec<Vec<IssueKey>> {
        record.ticket.iter().filter_map(|ticket| all_keys(ticket, &record.twins)).collect()
    }

    async fn project(&mut self, _: &JiraClient, record: &CreateRecord) -> String {
        record.project_key.clone()
    }

    fn found(&mut self, work: &mut Work<CreateRecord>, _: &str, ticket: CreatedTicket) {
        add_ticket(&mut work.record.ticket, &mut work.record.twins, ticket.into());
    }

    fn missing(&mut self, work: &mut Work<CreateRecord>, is_sure: bool) -> Result<(), NotCreated> {
        // The person may send the form again.
        work.record.is_repeated = true;
        if is_sure && work.record.attempts < MAX_ATTEMPTS { Ok(()) } else { Err(NotCreated::NotThere) }
    }

    fn events(&self, work: &Work<CreateRecord>) -> Vec<(usize, DomainEvent)> {
        event(work).filter(|_| !work.record.is_tracked).map(|event| (0, event)).into_iter().collect()
    }

    fn tracked(&self, record: &mut CreateRecord, _: usize) {
        record.is_tracked = true;
    }

    fn told(&self, record: &CreateRecord, hidden: &[IssueId]) -> Option<Told> {
        let ticket = record.ticket.as_ref()?;
        let key = ticket.key().ok()?;
        let summary = if hidden.contains(&ticket.id()) { "" } else { &record.summary };
        Some(Told {
            place: record.origin.place().ok()?,
            thread_ts: record.origin.thread_ts.clone(),
            blocks: vec![
                Block::Paragraph(texts::issues::created::created(&key, summary)),
                Block::Context(texts::commands::done_by_caller()),
            ],
            issues: record.ticket.iter().map(|ticket| ticket.id()).collect(),
            key,
            details: Vec::new(),
        })
    }

    fn announcement<'a>(&self, record: &'a mut CreateRecord) -> Option<&'a mut Announcement> {
        Some(&mut record.announcement)
    }
}

/// Keeps a ticket, or as a twin if there is another already.
fn add_ticket(place: &mut Option<Ticket>, twins: &mut Vec<Ticket>, ticket: Ticket) {
    match place {
        None => *place = Some(ticket),
        Some(first) => add_twin(first, twins, ticket),
    }
}

fn new_ticket(id: &str, record: &CreateRecord) -> NewTicket {
    NewTicket {
        project_key: record.project_key.clone(),
        issue_type_id: record.issue_type_id.clone(),
        summary: record.summary.clone(),
        description: Signature::of_origin(&record.origin, "create")
            .under(parse_markup::parse_typed(&record.description)),
        reporter: record.reporter.clone(),
        is_description_optional: record.description.trim().is_empty(),
        fields: record.fields.iter().filter_map(FilledField::for_jira).collect(),
        intent_id: id.to_owned(),
    }
}

fn event(work: &Work<CreateRecord>) -> Option<DomainEvent> {
    let record = &work.record;
    let ticket = record.ticket.as_ref()?;
    let IntentPlace { channel, user } = record.origin.place().ok()?;
    Some(DomainEvent::TicketCreated(TicketEvent {
        id: ticket.id(),
        key: ticket.key().ok()?,
        summary: record.summary.clone(),
        status: None,
        has_security_level: None,
        intent_id: Some(work.id.clone()),
        channel,
        user,
    }))
}
