//! Assigning an issue from Slack, and what follows from it.

use tokio::time::Instant;

use crate::intents::exactly_once::Driver;
use maro_domain::issue::IssueKey;
use maro_jira::{client::JiraClient, editing::edit::EditError};
use maro_process::clock::Clock;
use maro_store::{notices::OwnChange, tracker::ChannelIssueTracker};
use maro_sync::one_issue;

/// What it takes.
#[derive(Clone, Copy)]
pub struct Assigning<'a> {
    pub jira: &'a JiraClient,
    pub tickets: &'a Driver,
    pub tracker: &'a dyn ChannelIssueTracker,
    pub clock: &'a Clock,
}

impl Assigning<'_> {
    /// Assigns an issue to an account (to nobody, if there is none), and brings the lists up to date. Channels aren't
    /// told of what somebody has just done from Slack, unless that can't be noted.
    ///
    /// # Errors
    /// [`EditError`]
    pub async fn assign(
        self,
        key: &IssueKey,
        account: Option<&str>,
        deadline: Instant,
    ) -> Result<(), EditError> {
        let Self { jira, tickets, tracker, clock } = self;
        let own = OwnChange::of_fields(key);
        let _ = tickets.notices.note_own_change(&own, false).await;
        let done = jira.assign(key, account, deadline).await;
        let _ = tickets.notices.note_own_change(&own, true).await;
        done?;
        one_issue::refresh(jira, tracker, clock, key, deadline, None).await;
        Ok(())
    }
}
