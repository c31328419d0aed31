//! A call that may go ahead: the only way to use a capability.

use std::sync::Arc;

use tokio::time::Instant;

use crate::{
    invocation::{Invocation, services::Capabilities},
    policy::grants::Grant,
};
use maro_domain::{caller::Caller, issue::IssueKey};
use maro_tickets::texts;

/// The most keys that one call takes.
const MAX_KEYS: usize = 100;

/// Proof that the operator granted a capability for this caller.
pub(super) struct Call {
    grant: Grant,
    pub(super) caller: Arc<Caller>,
    pub(super) capabilities: Arc<Capabilities>,
}

/// Why a call may not go ahead, as a sentence for the person. Each interface has its own type.
#[derive(Debug)]
pub(super) enum CallError {
    Denied(String),
    InvalidArgument(String),
}

impl Call {
    /// Checks the grant.
    pub(super) fn begin(invocation: &mut Invocation, grant: Grant) -> Result<Self, CallError> {
        let (caller, capabilities) = invocation.authority.authorise(grant).map_err(CallError::Denied)?;
        Ok(Self { grant, caller, capabilities })
    }

    /// The keys that the guest gave, if the grant covers all of them.
    pub(super) fn keys(
        &self,
        invocation: &mut Invocation,
        keys: Vec<String>,
    ) -> Result<Vec<IssueKey>, CallError> {
        if keys.len() > MAX_KEYS {
            return Err(CallError::InvalidArgument(texts::requests::too_many_keys(MAX_KEYS)));
        }
        let keys: Vec<_> = keys
            .into_iter()
            .map(IssueKey::from_string)
            .collect::<Result<_, _>>()
            .map_err(|_| CallError::InvalidArgument(texts::requests::not_a_key()))?;
        keys.iter().try_for_each(|key| self.reaches(invocation, key.project_key()))?;
        Ok(keys)
    }

    /// As [`Call::keys`], for one.
    pub(super) fn key(&self, invocation: &mut Invocation, key: String) -> Result<IssueKey, CallError> {
        let key = IssueKey::from_string(key)
            .map_err(|_| CallError::InvalidArgument(texts::requests::not_a_key()))?;
        self.reaches(invocation, key.project_key())?;
        Ok(key)
    }

    /// Whether the grant covers issues of a project.
    pub(super) fn reaches(&self, invocation: &mut Invocation, project_key: &str) -> Result<(), CallError> {
        invocation.authority.reach(self.grant, project_key).map_err(CallError::Denied)
    }

    /// As [`Call::jira_deadline`], for what changes nothing.
    pub(super) fn jira_read_deadline(&self, invocation: &mut Invocation) -> Instant {
        invocation.budget.jira_read_deadline(self.capabilities.jira_patience)
    }

    /// When this invocation has waited long enough for Jira. The first call starts the time.
    pub(super) fn jira_deadline(&self, invocation: &mut Invocation) -> Instant {
        invocation.budget.jira_deadline(self.capabilities.jira_patience)
    }
}
