//! A call that may go ahead: the only way to use a capability.

use std::sync::Arc;

use tokio::time::Instant;

use crate::{
    capabilities::author_of_writes,
    invocation::{Invocation, services::HostServices},
    policy::functions::Function,
};
use maro_access::{policy_in_channel::Sight, roles::Role};
use maro_domain::{
    caller::Caller,
    issue::{Issue, IssueKey, one_line},
};
use maro_texts as texts;

/// The most keys that one call takes.
const MAX_KEYS: usize = 100;

/// How much of a guest's words the audit log keeps of what was denied, in characters.
const MAX_NOTED_LENGTH: usize = 200;

/// Proof that the operator granted a capability for this caller.
pub(super) struct Call {
    function: Function,
    /// What may be shown in the caller's channel.
    sight: Sight,
    pub(super) caller: Arc<Caller>,
    pub(super) capabilities: Arc<HostServices>,
}

/// Why a call may not go ahead, as a sentence for the person. Each interface has its own type.
#[derive(Debug)]
pub(super) enum CallError {
    Denied(String),
    InvalidArgument(String),
}

impl Call {
    /// Checks the grant, for a call that shows no issue.
    pub(super) fn begin(invocation: &mut Invocation, function: Function) -> Result<Self, CallError> {
        let (caller, capabilities) = invocation.authority.authorise(function).map_err(CallError::Denied)?;
        Ok(Self { function, sight: Sight::ALL, caller, capabilities })
    }

    /// Checks the grant, and finds out what may be shown in the caller's channel.
    pub(super) async fn begin_with_issues(
        invocation: &mut Invocation,
        function: Function,
    ) -> Result<Self, CallError> {
        let call = Self::begin(invocation, function)?;
        let sight =
            invocation.timed(call.capabilities.access.sight(&call.caller.channel, &call.caller.user)).await;
        Ok(Self { sight, ..call })
    }

    /// Whether the caller has a role. If not, that is noted.
    pub(super) async fn may(
        &self,
        invocation: &mut Invocation,
        role: Role,
        action: &str,
        subject: &str,
    ) -> Result<(), CallError> {
        let allowed = invocation.timed(self.capabilities.access.roles.check(role, &self.caller)).await;
        let allowed =
            allowed.map_err(|refused| CallError::Denied(texts::rights::roles::not_allowed(&refused)));
        self.noting_refusal(invocation, action, subject, allowed).await
    }

    /// Notes in the audit log if a change is denied.
    pub(super) async fn noting_refusal<T>(
        &self,
        invocation: &mut Invocation,
        action: &str,
        subject: &str,
        result: Result<T, CallError>,
    ) -> Result<T, CallError> {
        if let Err(CallError::Denied(_)) = &result {
            let author = author_of_writes::author(invocation, &self.caller);
            let subject = one_line(subject, MAX_NOTED_LENGTH);
            invocation.timed(self.capabilities.audit.refused(&author, action, &subject)).await;
        }
        result
    }

    /// The keys that the guest gave, if the grant covers all of them.
    pub(super) fn keys(
        &self,
        invocation: &mut Invocation,
        keys: Vec<String>,
    ) -> Result<Vec<IssueKey>, CallError> {
        let keys = parse(keys)?;
        keys.iter().try_for_each(|key| self.reaches(invocation, key))?;
        Ok(keys)
    }

    /// As [`Call::keys`], without those that may not be shown in the channel; a sentence stands in their place.
    pub(super) fn keys_or_sentences(
        &self,
        invocation: &mut Invocation,
        keys: Vec<String>,
    ) -> Result<Vec<Result<IssueKey, String>>, CallError> {
        let keep = |key: IssueKey| {
            if let Err(rule) = self.sight.project(key.project_key()) {
                return Ok(Err(texts::rights::access::withheld(key.as_str(), rule)));
            }
            self.reaches(invocation, &key).map(|()| Ok(key))
        };
        parse(keys)?.into_iter().map(keep).collect()
    }

    /// As [`Call::keys`], for one.
    pub(super) fn key(&self, invocation: &mut Invocation, key: String) -> Result<IssueKey, CallError> {
        let key = IssueKey::from_string(key)
            .map_err(|_| CallError::InvalidArgument(texts::plugins::requests::not_a_key()))?;
        self.reaches(invocation, &key)?;
        Ok(key)
    }

    /// Whether the grant and the channel's policy cover an issue, as far as its key says.
    fn reaches(&self, invocation: &mut Invocation, key: &IssueKey) -> Result<(), CallError> {
        let project = key.project_key();
        self.sight
            .project(project)
            .map_err(|rule| CallError::Denied(texts::rights::access::withheld(key.as_str(), rule)))?;
        invocation.authority.reach(self.function, project).map_err(CallError::Denied)
    }

    /// Whether the grant and the channel's policy cover an issue as Jira shows it. It was asked for as `asked`, under
    /// which it may have moved away since.
    pub(super) fn shows(
        &self,
        invocation: &mut Invocation,
        asked: &str,
        issue: &Issue,
    ) -> Result<(), CallError> {
        self.sight
            .issue(issue)
            .map_err(|rule| CallError::Denied(texts::rights::access::withheld(asked, rule)))?;
        invocation.authority.reach(self.function, issue.key.project_key()).map_err(CallError::Denied)
    }

    /// Whether the caller may learn that Jira knows no issue by a key.
    pub(super) fn may_be_missing(&self, key: &IssueKey) -> Result<(), CallError> {
        let missing = self.sight.missing(key);
        missing.map_err(|rule| CallError::Denied(texts::rights::access::withheld(key.as_str(), rule)))
    }

    /// Whether the grant and the channel's policy cover creating issues in a project.
    pub(super) async fn creates(
        &self,
        invocation: &mut Invocation,
        project_key: &str,
    ) -> Result<(), CallError> {
        let allowed = invocation.timed(self.sight.creates(project_key)).await;
        allowed.map_err(|rule| CallError::Denied(texts::rights::access::not_created(project_key, &rule)))?;
        invocation.authority.reach(self.function, project_key).map_err(CallError::Denied)
    }

    /// Finds out which of these issues the caller may see, if that matters.
    pub(super) async fn look_at(
        &mut self,
        invocation: &mut Invocation,
        keys: impl IntoIterator<Item = &IssueKey>,
    ) {
        let sight = std::mem::take(&mut self.sight);
        self.sight = invocation.timed(sight.for_issues(keys)).await;
    }

    /// As [`Call::look_at`], with what is said of keys by which Jira knows no issue.
    pub(super) async fn look_at_missing(
        &mut self,
        invocation: &mut Invocation,
        keys: impl IntoIterator<Item = &IssueKey>,
    ) {
        let sight = std::mem::take(&mut self.sight);
        self.sight = invocation.timed(sight.for_missing(keys)).await;
    }

    pub(super) fn function(&self) -> Function {
        self.function
    }

    /// What may be shown in the caller's channel.
    pub(super) fn sight(&self) -> &Sight {
        &self.sight
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

/// The keys that a guest gave, if there are few enough and all are keys.
fn parse(keys: Vec<String>) -> Result<Vec<IssueKey>, CallError> {
    if keys.len() > MAX_KEYS {
        return Err(CallError::InvalidArgument(texts::plugins::requests::too_many_keys(MAX_KEYS)));
    }
    keys.into_iter()
        .map(IssueKey::from_string)
        .collect::<Result<_, _>>()
        .map_err(|_| CallError::InvalidArgument(texts::plugins::requests::not_a_key()))
}
