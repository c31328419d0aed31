//! Notes who changes what: in the audit log of the database, and in a line of the operator's log for each write of a
//! plugin.
//!
//! The lines have the target `maro::audit`, so that a log collector can separate them.

use std::sync::Arc;

use maro_domain::{author::Author, request_token::RequestToken};
use maro_jira::editing::edit::EditError;
use maro_process::{clock::Clock, telemetry::error_chain};
use maro_store::{
    audit::{AuditLog, Entry},
    database::error::DatabaseError,
};

/// The audit log, for what isn't a change of the database. The database's own changes bring their entries with them.
#[derive(Clone)]
pub struct Auditor {
    pub log: Arc<dyn AuditLog>,
    pub clock: Clock,
}

impl Auditor {
    /// Notes what is about to be changed, for the author's request.
    ///
    /// # Errors
    /// The entry isn't written, so nothing may be changed: the database fails, or another handling of the request
    /// has changed something before.
    pub async fn begin(&self, author: &Author, action: &str, subject: &str) -> Result<(), DatabaseError> {
        let entry = Entry { action, subject, outcome: "begun" };
        self.log.begin(author, entry, self.clock.now()).await
    }

    /// Whether a request was handled before, as far as the database knows. Call this for one that has changed
    /// nothing this time: then it may be because of that.
    pub async fn find_replay(&self, request: &RequestToken) {
        if request.is_recorded() || request.is_replay() {
            return;
        }
        match self.log.is_replay(request).await {
            Ok(true) => request.note_replay(),
            Ok(false) => {}
            Err(error) => tracing::debug!(error = error_chain(&error), "a request may be handled twice"),
        }
    }

    /// Notes how it ended. `outcome` is one of [`outcome`]'s.
    pub async fn ended(&self, author: &Author, action: &str, subject: &str, outcome: &str) {
        self.note(author, Entry { action, subject, outcome }).await;
    }

    /// Notes what somebody wanted and may not do.
    pub async fn refused(&self, author: &Author, action: &str, subject: &str) {
        self.note(author, Entry { action, subject, outcome: "refused" }).await;
    }

    async fn note(&self, author: &Author, entry: Entry<'_>) {
        if let Err(error) = self.log.note(author, entry, self.clock.now()).await {
            let Entry { action, subject, outcome } = entry;
            let (user, channel) = (author.user.as_str(), author.channel.as_str());
            let error = error_chain(&error);
            tracing::warn!(
                user,
                channel,
                action,
                subject,
                outcome,
                error,
                "couldn't add an entry to the audit log"
            );
        }
    }
}

/// Who writes, for a write that may outlive its invocation.
#[derive(Clone)]
pub struct Writer {
    /// By a plugin.
    pub author: Author,
}

impl Writer {
    /// Logs a write. `what` says what was changed (a key, a number of keys), never its content.
    pub fn note(&self, action: &str, what: &str, outcome: &str) {
        let plugin = self.author.plugin.as_ref();
        tracing::info!(
            target: "maro::audit",
            plugin = plugin.map(|plugin| plugin.name.as_str()),
            digest = plugin.map(|plugin| plugin.digest.as_str()),
            channel = self.author.channel.as_str(),
            user = self.author.user.as_str(),
            action,
            what,
            outcome,
            "a plugin made a change"
        );
    }
}

/// The word for how a write to Jira ended; `None` is success.
pub fn outcome(error: Option<&EditError>) -> &'static str {
    match error {
        None => "done",
        Some(EditError::Missing) => "missing",
        Some(EditError::Refused { .. }) => "refused",
        Some(EditError::Jira(_)) => "failed",
        Some(EditError::Unknown(_)) => "uncertain",
    }
}
