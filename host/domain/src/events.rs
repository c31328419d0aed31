//! What has happened to tickets. The code that creates or links one says so with an event and does nothing
//! else about it; what follows from it, such as tracking, listens.

use crate::{
    ids::{ChannelId, UserId},
    issue::{IssueId, IssueKey},
};

/// Everything that can happen to a ticket through MARO.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DomainEvent {
    /// Jira confirmed a new ticket.
    TicketCreated(TicketEvent),
    /// Somebody chose an existing ticket instead of a duplicate.
    DuplicateLinked(TicketEvent),
    /// Jira confirmed a story under an epic.
    StoryCreated(TicketEvent),
}

impl DomainEvent {
    /// The same in the channel that `current` names, since a channel's id may have changed meanwhile.
    #[must_use]
    pub fn in_channel(mut self, current: impl FnOnce(&ChannelId) -> ChannelId) -> Self {
        let (Self::TicketCreated(ticket) | Self::DuplicateLinked(ticket) | Self::StoryCreated(ticket)) =
            &mut self;
        ticket.channel = current(&ticket.channel);
        self
    }
}

/// Which ticket, where it was asked for, and by whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TicketEvent {
    pub id: IssueId,
    pub key: IssueKey,
    pub summary: String,
    /// `None` where Jira has not said it: its answer to a creation does not.
    pub status: Option<String>,
    /// Whether Jira shows it only to some people. `None` where Jira has not said it.
    pub has_security_level: Option<bool>,
    /// The mark that a new ticket carries in Jira; `None` for one that was there before.
    pub intent_id: Option<String>,
    pub channel: ChannelId,
    pub user: UserId,
}
