//! Changing an issue: how it can fail, and finding out whether an unconfirmed change was made.
//!
//! A request that Jira may have received is never sent again from here.

use bytes::Bytes;
use tokio::time::Instant;

use crate::{
    connection::request::JiraRequest,
    connection::site::{ActionError, JiraSite},
    connection::transport::Answer,
    creating::create::{self, CreateError},
    error::JiraError,
    wire::{refusal, refusal::is_jira_error},
};

/// Why there is no confirmed change.
#[derive(Debug, thiserror::Error)]
pub enum EditError {
    /// The issue is missing, or not visible. Nothing was changed.
    #[error("the issue to change doesn't exist")]
    Missing,
    /// Jira rejected the change, for this reason in its own words, one bounded line. Nothing was changed.
    #[error("Jira rejected the change")]
    Refused { reason: String },
    /// Jira has certainly changed nothing.
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

/// Has Jira change an issue, and returns the body of its answer.
pub(crate) async fn edit(
    site: &JiraSite,
    action: &JiraRequest,
    deadline: Instant,
) -> Result<Bytes, EditError> {
    match site.act(action, deadline).await? {
        Answer::Found(body) => Ok(body),
        Answer::NotFound(body) if is_jira_error(&body) => {
            site.confirm(deadline).await.map_err(EditError::Jira)?;
            Err(EditError::Missing)
        }
        Answer::Refused(status, body) => Err(create::refusal(status, &body).into()),
        answer @ Answer::NotFound(_) => Err(CreateError::not_done(answer).into()),
    }
}

/// Has Jira change an issue. Jira confirms such a change with an empty answer; if there is none, `is_done`
/// looks at the issue. The change gets 70% of the time, and `is_done` the rest.
pub(crate) async fn edit_and_look(
    site: &JiraSite,
    action: &JiraRequest,
    deadline: Instant,
    is_done: impl AsyncFnOnce() -> bool,
) -> Result<(), EditError> {
    let remaining = deadline.saturating_duration_since(Instant::now());
    let error = match edit(site, action, Instant::now() + remaining.mul_f32(0.7)).await {
        Ok(body) if body.is_empty() => return Ok(()),
        Ok(_) => JiraError::invalid("an unexpected body"),
        Err(EditError::Unknown(error)) => error,
        Err(error) => return Err(error),
    };
    if is_done().await { Ok(()) } else { Err(EditError::Unknown(error)) }
}
