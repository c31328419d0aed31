//! Linking an existing ticket, which somebody chose instead of a duplicate, to the conversation.

use tokio::time::Instant;

use crate::{
    intents::patience::{LOOK_UP_PATIENCE, deadline},
    intents::records::{Announcement, IntentPlace, LinkRecord, LinkedIssue},
    intents::wish::{Asked, Told, Wish},
};
use maro_access::{hiding_rules::Rule, policy_in_channel::Sight};
use maro_domain::{
    events::{DomainEvent, TicketEvent},
    issue::{IssueId, IssueKey},
    reply::Block,
};
use maro_jira::{
    accounts::permissions::Permission, client::JiraClient, editing::remote_link::LinkError, error::JiraError,
};
use maro_store::intents::{IntentKind, work::Work};
use maro_texts as texts;

/// The wish to add one link. The link has an id, so asking twice adds it once, and there is nothing to look
/// for.
pub(crate) struct Link {
    /// What may be shown in the channel.
    sight: Sight,
}

impl Link {
    pub(crate) fn new(sight: Sight) -> Self {
        Self { sight }
    }
}

/// Why a ticket was not linked.
#[derive(Debug)]
pub(crate) enum NotLinked {
    Missing,
    /// It may not be shown in the channel.
    Withheld(Rule),
    Jira(JiraError),
}

impl Wish for Link {
    const KIND: IntentKind = IntentKind::Link;
    type Record = LinkRecord;
    type Answer = LinkedIssue;
    type Refusal = NotLinked;
    const ACTION: &str = "link";

    fn subject(record: &LinkRecord) -> String {
        record.key.clone()
    }

    fn changed(&self, work: &Work<LinkRecord>) -> Vec<String> {
        work.record.issue.iter().map(|issue| issue.key.clone()).collect()
    }

    async fn prepare(&mut self, _: &JiraClient, record: &mut LinkRecord) -> bool {
        record.issue.is_none()
    }

    async fn ask(
        &self,
        jira: &JiraClient,
        _: &str,
        record: &LinkRecord,
        deadline: Instant,
    ) -> Asked<LinkedIssue, NotLinked> {
        add_link(jira, &self.sight, record, deadline).await
    }

    fn answered(&mut self, work: &mut Work<LinkRecord>, issue: LinkedIssue) {
        work.record.issue = Some(issue);
    }

    fn events(&self, work: &Work<LinkRecord>) -> Vec<(usize, DomainEvent)> {
        let record = &work.record;
        event(record).filter(|_| !record.is_tracked).map(|event| (0, event)).into_iter().collect()
    }

    fn tracked(&self, record: &mut LinkRecord, _: usize) {
        record.is_tracked = true;
    }

    fn told(&self, record: &LinkRecord, hidden: &[IssueId]) -> Option<Told> {
        let issue = record.issue.as_ref()?;
        let is_hidden = hidden.iter().any(|id| id.as_str() == issue.id);
        let summary = if is_hidden { "" } else { &issue.summary };
        let line = texts::issues::created::linked_by_caller(&issue.key().ok()?, summary);
        Some(Told {
            place: record.origin.place().ok()?,
            thread_ts: record.origin.thread_ts.clone(),
            blocks: vec![Block::Paragraph(line)],
            issues: vec![IssueId::new(issue.id.clone())],
            key: issue.key().ok()?,
            details: Vec::new(),
        })
    }

    fn announcement<'a>(&self, record: &'a mut LinkRecord) -> Option<&'a mut Announcement> {
        Some(&mut record.announcement)
    }
}

async fn add_link(
    jira: &JiraClient,
    sight: &Sight,
    record: &LinkRecord,
    until: Instant,
) -> Asked<LinkedIssue, NotLinked> {
    let missing = || Asked::Refused(NotLinked::Missing);
    let Ok(key) = IssueKey::parse(&record.key) else { return missing() };
    let withheld = |rule: &Rule| Asked::Refused(NotLinked::Withheld(rule.clone()));
    if let Err(rule) = sight.project(key.project_key()) {
        return withheld(rule);
    }
    let issue = match jira.get_issues(std::slice::from_ref(&key), deadline(LOOK_UP_PATIENCE)).await {
        Ok(found) => found.into_iter().flatten().next(),
        Err(error) => return Asked::Refused(NotLinked::Jira(error)),
    };
    let Some(issue) = issue else {
        return sight.clone().for_missing([&key]).await.missing(&key).map_or_else(withheld, |()| missing());
    };
    match sight.clone().for_issues([&issue.key]).await.issue(&issue) {
        Ok(()) => {}
        Err(Rule::NotVisible) => return missing(),
        Err(rule) => return withheld(rule),
    }
    if let Err(rule) = sight.changes(&issue, Permission::LinkIssues).await {
        return withheld(&rule);
    }
    let url = record.origin.conversation_url();
    match jira.add_remote_link(&issue.key, &url, &url, texts::issues::created::CONVERSATION, until).await {
        Ok(()) => Asked::Answered(LinkedIssue {
            id: issue.id.as_str().to_owned(),
            key: issue.key.into_string(),
            summary: issue.summary,
            status: issue.status,
            has_security_level: Some(issue.has_security_level),
        }),
        Err(LinkError::MissingIssue) => missing(),
        Err(LinkError::Jira(error)) => Asked::Refused(NotLinked::Jira(error)),
        Err(LinkError::Unknown(error)) => Asked::Unknown(error),
    }
}

fn event(record: &LinkRecord) -> Option<DomainEvent> {
    let issue = record.issue.as_ref()?;
    let IntentPlace { channel, user } = record.origin.place().ok()?;
    Some(DomainEvent::DuplicateLinked(TicketEvent {
        id: IssueId::new(issue.id.as_str()),
        key: issue.key().ok()?,
        summary: issue.summary.clone(),
        status: Some(issue.status.clone()),
        has_security_level: issue.has_security_level,
        intent_id: None,
        channel,
        user,
    }))
}
