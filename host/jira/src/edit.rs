//! Changing an issue: how it can fail, and finding out what became of a change that was not confirmed.
//!
//! A request that Jira may have heard is never sent again from here.

use bytes::Bytes;
use tokio::time::Instant;

use crate::{
    client::JiraClient,
    create::{self, CreateError},
    error::JiraError,
    model::is_jira_error,
    transport::{ActionError, Answer, JiraRequest},
    wire::refusal,
};

/// Why there is no confirmed change.
#[derive(Debug, thiserror::Error)]
pub enum EditError {
    /// The issue is missing, or not visible. Nothing was changed.
    #[error("the issue to change doesn't exist")]
    Missing,
    /// Jira has read the change and refuses it: its own words, one bounded line. Nothing was changed.
    #[error("Jira rejected the change")]
    Refused { reason: String },
    /// Nothing was changed, for sure.
    #[error("Jira changed nothing")]
    Jira(#[source] JiraError),
    /// Jira may have made the change, or may still do so.
    #[error("Jira didn't confirm the change")]
    Unknown(#[source] JiraError),
}

impl From<CreateError> for EditError {
    fn from(error: CreateError) -> Self {
        match error {
            CreateError::Refused { fields, messages } => {
                Self::Refused { reason: refusal::joined(fields, messages) }
            }
            CreateError::Jira(error) => Self::Jira(error),
            CreateError::Unknown(error) => Self::Unknown(error),
        }
    }
}

impl From<ActionError> for EditError {
    fn from(error: ActionError) -> Self {
        CreateError::from(error).into()
    }
}

impl JiraClient {
    /// Has Jira change an issue: the body of its answer.
    pub(super) async fn edit(&self, action: &JiraRequest, deadline: Instant) -> Result<Bytes, EditError> {
        match self.act(action, deadline).await? {
            Answer::Found(body) => Ok(body),
            Answer::NotFound(body) if is_jira_error(&body) => {
                self.before(deadline, self.confirm(deadline)).await.map_err(EditError::Jira)?;
                Err(EditError::Missing)
            }
            Answer::Refused(status, body) => Err(create::refusal(status, &body).into()),
            answer @ Answer::NotFound(_) => Err(CreateError::not_done(answer).into()),
        }
    }

    /// As [`JiraClient::edit`] for a change that Jira confirms with an empty answer and whose effect can be
    /// seen: after an answer that says nothing, `is_done` looks. It is asked at `deadline` at the latest, for
    /// which the change itself leaves some time.
    pub(super) async fn edit_and_look(
        &self,
        action: &JiraRequest,
        deadline: Instant,
        is_done: impl AsyncFnOnce() -> bool,
    ) -> Result<(), EditError> {
        let remaining = deadline.saturating_duration_since(Instant::now());
        let error = match self.edit(action, Instant::now() + remaining.mul_f32(0.7)).await {
            Ok(body) if body.is_empty() => return Ok(()),
            Ok(_) => JiraError::invalid("an unexpected body"),
            Err(EditError::Unknown(error)) => error,
            Err(error) => return Err(error),
        };
        if is_done().await { Ok(()) } else { Err(EditError::Unknown(error)) }
    }
}
