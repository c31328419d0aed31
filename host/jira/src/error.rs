//! What can go wrong between MARO and Jira, in the words a caller branches on.
//!
//! For operators: the texts hold neither secrets nor anything Jira said. What people read in Slack is
//! written elsewhere.

use std::time::Duration;

/// Why Jira gave no usable answer. It never means "not found": that is an answer.
#[derive(Debug, thiserror::Error)]
pub enum JiraError {
    /// Jira refuses the credentials, or took the request for an anonymous one.
    #[error("Jira does not accept the configured credentials")]
    Unauthorized,
    /// Jira knows the account and refuses it.
    #[error("Jira forbids the configured account to ask")]
    Forbidden,
    /// Jira wants to be left alone for `retry_after`, which is longer than the caller would wait.
    #[error("Jira asks to wait {} s", .retry_after.as_secs())]
    RateLimited { retry_after: Duration },
    /// There is no connection, or Jira is out of order.
    #[error("Jira cannot be reached")]
    Unreachable {
        #[source]
        source: Outage,
    },
    /// The caller's deadline passed.
    #[error("Jira did not answer in time")]
    TimedOut,
    /// Something answers at the configured address, and not as Jira does.
    #[error("Jira's answer makes no sense: {detail}")]
    InvalidResponse { detail: String },
}

/// What makes Jira unreachable.
#[derive(Debug, thiserror::Error)]
pub enum Outage {
    #[error("the connection failed")]
    Connection(#[source] reqwest::Error),
    #[error("the site answered with status {0}")]
    Status(u16),
}

/// A client that cannot be built: HTTPS needs root certificates, and this machine has none.
#[derive(Debug, thiserror::Error)]
#[error("cannot set up the connection to Jira")]
pub struct JiraSetupError(#[source] pub(super) reqwest::Error);

impl JiraError {
    pub(super) fn invalid(detail: impl Into<String>) -> Self {
        Self::InvalidResponse { detail: detail.into() }
    }

    pub(super) fn outage(source: Outage) -> Self {
        Self::Unreachable { source }
    }
}
