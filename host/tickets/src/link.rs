//! Linking an existing ticket to the conversation, instead of creating a duplicate.

use crate::{
    LOOK_UP_PATIENCE, Outcome, Tickets, deadline,
    record::{Announcement, LinkRecord, LinkedIssue, ModalState, Origin},
    texts,
    views::sentence,
    work::{self, Start},
};
use maro_domain::{
    events::{DomainEvent, TicketEvent},
    issue::{IssueId, IssueKey},
    reply::{Block, Span},
};
use maro_jira::{error::JiraError, remote_link::LinkError};
use maro_process::telemetry::error_chain;
use maro_store::intents::{
    IntentKind, IntentState,
    work::{Stop, Work},
};

/// Why a ticket was not linked.
enum NotLinked {
    Missing,
    Jira(JiraError),
}

impl Tickets {
    /// Links the ticket `key` under the intention of `state`, which then creates none.
    pub(super) async fn link(&self, state: &ModalState, view_id: &str, key: &str) -> Outcome {
        let record = LinkRecord {
            origin: state.origin.clone(),
            view_id: view_id.to_owned(),
            key: key.to_owned(),
            issue: None,
            is_tracked: false,
            announcement: Announcement::Due,
        };
        // Beside the draft of a creation: creating one and linking another are not the same intention.
        let id = format!("{}-link-{key}", state.intent_id);
        match self.begin(&id, IntentKind::Link, IntentState::Begun, &state.origin, record).await {
            Ok(Start::Ours(work)) => self.link_in_jira(work).await,
            Ok(Start::Known(IntentState::Failed, work)) => self.link_in_jira(work).await,
            Ok(Start::Known(_, work)) => self.linked(&work.record, &[]),
            Err(stop) => self.stopped(&state.origin, &stop),
        }
    }

    /// Adds the link in Jira. Asking twice adds one: the link has a name of its own.
    pub(super) async fn link_in_jira(&self, mut work: Work<LinkRecord>) -> Outcome {
        if let Err(stop) = self.save(&mut work, IntentState::Begun).await {
            return self.stopped(&work.record.origin, &stop);
        }
        match self.add_link(&work.record).await {
            Ok(issue) => work.record.issue = Some(issue),
            Err(reason) => {
                let text = match reason {
                    NotLinked::Missing => texts::jira::not_found(&work.record.key),
                    NotLinked::Jira(error) => {
                        tracing::warn!(error = error_chain(&error), "a ticket was not linked");
                        texts::jira::failed(&error)
                    }
                };
                if let Err(stop) = self.save(&mut work, IntentState::Failed).await {
                    return self.stopped(&work.record.origin, &stop);
                }
                return self.sentence_outcome(texts::issues::LINK_TITLE, &work.record.origin, &text);
            }
        }
        if let Err(stop) = self.save(&mut work, IntentState::Confirmed).await {
            return self.linked(&work.record, &[work::sentence(&stop).to_owned()]);
        }
        self.conclude_link(work).await
    }

    async fn add_link(&self, record: &LinkRecord) -> Result<LinkedIssue, NotLinked> {
        let key = IssueKey::parse(&record.key).map_err(|_| NotLinked::Missing)?;
        let found = self
            .jira
            .get_issues(std::slice::from_ref(&key), deadline(LOOK_UP_PATIENCE))
            .await
            .map_err(NotLinked::Jira)?;
        let issue = found.into_iter().flatten().next().ok_or(NotLinked::Missing)?;
        let url = record.origin.conversation_url();
        self.jira
            .add_remote_link(&issue.key, &url, &url, texts::issues::CONVERSATION, deadline(LOOK_UP_PATIENCE))
            .await
            .map_err(|error| match error {
                LinkError::MissingIssue => NotLinked::Missing,
                LinkError::Jira(error) => NotLinked::Jira(error),
            })?;
        Ok(LinkedIssue {
            id: issue.id.as_str().to_owned(),
            key: issue.key.into_string(),
            summary: issue.summary,
            status: issue.status,
        })
    }

    /// Does what follows from a link, as far as it is still due.
    pub(super) async fn conclude_link(&self, mut work: Work<LinkRecord>) -> Outcome {
        let Some((event, line)) = consequences(&work.record) else {
            return self.stopped(&work.record.origin, &Stop::Unreadable);
        };
        let mut notes = Vec::new();
        if !work.record.is_tracked {
            match self.hooks.emit(&event).await {
                Ok(()) => work.record.is_tracked = true,
                Err(_) => notes.push(texts::forms::not_tracked_yet(&work.record.key)),
            }
        }
        if work.record.announcement == Announcement::Due {
            work.record.announcement = Announcement::Sending;
            if let Err(stop) = self.save(&mut work, IntentState::Confirmed).await {
                return self.linked(&work.record, &[work::sentence(&stop).to_owned()]);
            }
            if let Err(note) = self.announce(&work.record.origin, vec![Block::Paragraph(line)]).await {
                notes.push(note);
            }
            work.record.announcement = Announcement::Done;
        }
        let is_tracked = work.record.is_tracked;
        self.close(&mut work, is_tracked).await;
        self.linked(&work.record, &notes)
    }

    fn linked(&self, record: &LinkRecord, notes: &[String]) -> Outcome {
        let issue = record.issue.as_ref().and_then(|issue| Some((issue.key().ok()?, &issue.summary)));
        let mut blocks = vec![match issue {
            Some((key, summary)) => Block::Paragraph(texts::issues::linked(&key, summary)),
            None => sentence(texts::issues::LINKING),
        }];
        blocks.extend(notes.iter().map(|note| sentence(note)));
        let news = if notes.is_empty() { Vec::new() } else { blocks.clone() };
        Outcome::news(self.notice_view(texts::issues::LINK_TITLE, &record.origin, blocks, Vec::new()), news)
    }
}

/// What has happened, and how the channel hears it.
fn consequences(record: &LinkRecord) -> Option<(DomainEvent, Vec<Span>)> {
    let issue = record.issue.as_ref()?;
    let LinkedIssue { id, summary, status, .. } = issue;
    let key = issue.key().ok()?;
    let origin: &Origin = &record.origin;
    let event = DomainEvent::DuplicateLinked(TicketEvent {
        id: IssueId::new(id.as_str()),
        key: key.clone(),
        summary: summary.clone(),
        status: Some(status.clone()),
        intent_id: None,
        channel: origin.channel().ok()?,
        user: origin.user().ok()?,
    });
    Some((event, texts::issues::linked_by_caller(&key, summary)))
}
