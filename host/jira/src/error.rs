//! What can go wrong between MARO and Jira, in the distinctions that callers make.
//!
//! The texts are for operators, and contain neither secrets nor anything that Jira said. What people read in
//! Slack is written elsewhere; it has the reason that Jira gave, where there is one.

use std::time::Duration;

/// Why Jira gave no usable answer. It never means "not found", which is an answer.
#[derive(Debug, thiserror::Error)]
pub enum JiraError {
    /// Jira rejected the credentials, or treated the request as anonymous.
    #[error("Jira rejected MARO's credentials")]
    Unauthorized,
    /// Jira knows the account, but doesn't allow it to do this. Of a change that it refused, the reason in its own
    /// words, if it gave one.
    #[error("MARO's account isn't allowed to do this in Jira")]
    Forbidden { reason: Option<String> },
    /// Jira knows the token, but it doesn't cover requests of this kind.
    #[error("MARO's token for Jira doesn't have the scope {scope}")]
    MissingScope { scope: &'static str },
    /// Jira limits the rate and asks to wait for `retry_after`, which is longer than the caller would wait.
    #[error("Jira is rate-limiting MARO and asks it to wait {} s", .retry_after.as_secs())]
    RateLimited { retry_after: Duration },
    /// There is no connection, or Jira is down.
    #[error("can't reach Jira")]
    Unreachable {
        #[source]
        source: JiraOutage,
    },
    /// The caller's deadline passed. Or the latest requests of this kind weren't answered, so this one wasn't sent.
    #[error("Jira took too long to respond")]
    TimedOut,
    /// Something answers at the configured address, but not the way Jira does.
    #[error("can't read Jira's response: {detail}")]
    InvalidResponse { detail: String },
}

/// What makes Jira unreachable.
#[derive(Debug, thiserror::Error)]
pub enum JiraOutage {
    /// To this host: the site, where its API is, or who gives out tokens.
    #[error("the connection to {host} failed")]
    Connection {
        host: String,
        #[source]
        source: reqwest::Error,
    },
    #[error("the site responded with status {0}")]
    Status(u16),
    /// Who gives out tokens for service accounts gave none.
    #[error("{host} gave no token for JIRA_CLIENT_ID: {detail}")]
    NoToken { host: String, detail: String },
    /// The latest requests of this kind found no connection, so this one wasn't sent.
    #[error("it couldn't be reached lately, so it isn't asked for now")]
    NotAsked,
    /// Jira couldn't serve this issue lately, so this one wasn't sent.
    #[error("the site couldn't serve this issue lately, so it isn't asked for it now")]
    Resting,
}

/// The client can't be built: HTTPS needs root certificates, and this machine has none, or those of the settings can't
/// be used.
#[derive(Debug, thiserror::Error)]
#[error("can't set up the connection to Jira")]
pub struct JiraSetupError(#[source] pub(super) reqwest::Error);

impl JiraError {
    pub(super) fn invalid(detail: impl Into<String>) -> Self {
        Self::InvalidResponse { detail: detail.into() }
    }

    /// Whether Jira is away, which is logged where every request passes. All else is for callers to log.
    pub fn is_outage(&self) -> bool {
        matches!(self, Self::TimedOut | Self::Unreachable { .. })
    }

    /// Whether nothing came back from Jira, not even an error of its own.
    pub fn is_unreachable(&self) -> bool {
        let is_lost =
            |source: &JiraOutage| matches!(source, JiraOutage::Connection { .. } | JiraOutage::NotAsked);
        match self {
            Self::TimedOut => true,
            Self::Unreachable { source } => is_lost(source),
            _ => false,
        }
    }

    /// Whether one issue isn't asked for because Jira couldn't serve it lately. That says nothing of others.
    pub fn is_of_one_issue(&self) -> bool {
        matches!(self, Self::Unreachable { source: JiraOutage::Resting })
    }

    /// Whether an issue may be the reason, if it was asked for alone and others are served.
    pub(super) fn may_be_of_one_issue(&self) -> bool {
        match self {
            Self::InvalidResponse { .. } | Self::TimedOut => true,
            Self::Unreachable { source } => {
                matches!(source, JiraOutage::Status(_) | JiraOutage::Connection { .. })
            }
            _ => false,
        }
    }

    /// The outcome's name in metrics.
    pub(super) fn as_str(&self) -> &'static str {
        match self {
            Self::Unauthorized => "unauthorized",
            Self::Forbidden { .. } => "forbidden",
            Self::MissingScope { .. } => "missing_scope",
            Self::RateLimited { .. } => "rate_limited",
            Self::Unreachable { .. } => "unreachable",
            Self::TimedOut => "timed_out",
            Self::InvalidResponse { .. } => "invalid_response",
        }
    }

    /// The same for somebody else who waited for the same request. What caused it stays with the first.
    #[must_use]
    pub fn again(&self) -> Self {
        match self {
            Self::Unauthorized => Self::Unauthorized,
            Self::Forbidden { reason } => Self::Forbidden { reason: reason.clone() },
            Self::MissingScope { scope } => Self::MissingScope { scope },
            Self::RateLimited { retry_after } => Self::RateLimited { retry_after: *retry_after },
            Self::Unreachable { source: JiraOutage::Status(status) } => {
                Self::outage(JiraOutage::Status(*status))
            }
            Self::Unreachable { source: JiraOutage::Resting } => Self::outage(JiraOutage::Resting),
            Self::Unreachable { .. } => Self::outage(JiraOutage::NotAsked),
            Self::TimedOut => Self::TimedOut,
            Self::InvalidResponse { detail } => Self::invalid(detail.clone()),
        }
    }

    pub(super) fn outage(source: JiraOutage) -> Self {
        Self::Unreachable { source }
    }

    /// A connection failed. The error's own address, which may contain parts of the request, doesn't show.
    pub(super) fn connection(error: reqwest::Error) -> Self {
        let host = error.url().and_then(|url| url.host_str()).unwrap_or("Jira").to_owned();
        Self::outage(JiraOutage::Connection { host, source: error.without_url() })
    }
}
