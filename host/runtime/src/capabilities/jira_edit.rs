//! `jira-edit`: changing Jira.

mod create;

use std::sync::Arc;

use crate::{
    capabilities::{
        author_of_writes,
        jira::{guest_issue, guest_user, kind},
        permitted_call::{Call, CallError},
    },
    interface::bindings::maro::plugin::{
        jira_edit::{AvailableTransition, EditError, EditErrorKind, Host, NewIssue},
        types::{self, JiraErrorKind, JiraUser},
    },
    invocation::{Invocation, services::HostServices},
    policy::functions::Function,
};
use maro_access::hiding_rules::Rule;
use maro_domain::{
    caller::Caller,
    ids::UserId,
    issue::{Issue, IssueKey, StatusSetter},
    issue_details::Transition,
    rich_text::{Inline, RichBlock, RichText},
};
use maro_jira::{
    accounts::people::is_account, accounts::permissions::Permission,
    editing::edit::EditError as JiraEditError,
};
use maro_process::telemetry::error_chain;
use maro_store::notices::OwnChange;
use maro_sync::{one_issue, security_levels::note_withheld};
use maro_texts as texts;
use maro_tickets::{assigning::Assigning, audit::outcome, signature_line::Signature};

/// The longest comment or description, in characters.
const MAX_TEXT_LENGTH: usize = 10_000;

/// The longest text for finding a name, in characters.
const MAX_WORDS_LENGTH: usize = 200;

impl Host for Invocation {
    async fn comment(&mut self, key: String, text: String) -> wasmtime::Result<Result<(), EditError>> {
        Ok(self.add_comment(key, &text).await)
    }

    async fn list_transitions(
        &mut self,
        key: String,
    ) -> wasmtime::Result<Result<Vec<AvailableTransition>, EditError>> {
        let transitions = self.present_transitions(key).await;
        Ok(transitions.map(|transitions| transitions.into_iter().map(guest_transition).collect()))
    }

    async fn transition(
        &mut self,
        key: String,
        transition_id: String,
    ) -> wasmtime::Result<Result<(), EditError>> {
        Ok(self.take_transition(key, &transition_id).await)
    }

    async fn find_assignable(
        &mut self,
        key: String,
        words: String,
    ) -> wasmtime::Result<Result<Vec<JiraUser>, EditError>> {
        Ok(self.assignable(key, &words).await)
    }

    async fn assign(
        &mut self,
        key: String,
        user_id: Option<String>,
    ) -> wasmtime::Result<Result<(), EditError>> {
        Ok(self.assign_to(key, user_id).await)
    }

    async fn create(&mut self, issue: NewIssue) -> wasmtime::Result<Result<types::Issue, EditError>> {
        let created = self.create_issue(issue).await;
        Ok(created.map(|issue| {
            let created = guest_issue(&issue);
            self.confirmed.push(issue);
            created
        }))
    }
}

impl Invocation {
    async fn add_comment(&mut self, key: String, text: &str) -> Result<(), EditError> {
        let mut call = Call::begin_with_issues(self, Function::COMMENT).await?;
        let deadline = call.jira_deadline(self);
        if text.trim().is_empty() || text.chars().count() > MAX_TEXT_LENGTH {
            return Err(invalid(texts::plugins::requests::comment_length(MAX_TEXT_LENGTH)));
        }
        let key = self.present_key(&mut call, key, Some(Permission::AddComments)).await?;
        let text = signed(text, &call.caller, &self.authority.plugin);
        let (jira, commented) = (Arc::clone(&call.capabilities.jira), key.clone());
        let notices = Arc::clone(&call.capabilities.tickets.notices);
        let work = async move {
            // Nobody is told of what somebody has just done from Slack. If that isn't noted, they are.
            let own = OwnChange::of_fields(&commented);
            let _ = notices.note_own_change(&own, false).await;
            let added = jira.add_comment(&commented, &text, deadline).await;
            let _ = notices.note_own_change(&own, true).await;
            added
        };
        self.edit(&call, "comment", key, work).await
    }

    async fn take_transition(&mut self, key: String, transition_id: &str) -> Result<(), EditError> {
        let mut call = Call::begin_with_issues(self, Function::TRANSITION).await?;
        let deadline = call.jira_deadline(self);
        let (issue, transitions) = self.transitions(&mut call, key).await?;
        self.check_permission(&call, &issue, Permission::TransitionIssues).await?;
        let key = issue.key.clone();
        let Some(transition) = transitions.into_iter().find(|transition| transition.id == transition_id)
        else {
            return Err(rejected(texts::failures::jira::no_such_transition(key.as_str())));
        };
        let capabilities = Arc::clone(&call.capabilities);
        let work = async move {
            let notices = &capabilities.tickets.notices;
            // Nobody is told of what somebody has just done from Slack. If that isn't noted, they are.
            let own = OwnChange::of_status(&issue.key);
            let _ = notices.note_own_change(&own, false).await;
            let taken = capabilities.jira.take_transition(&issue, &transition, deadline).await;
            if taken.is_ok() {
                let HostServices { jira, tracker, clock, .. } = &*capabilities;
                let set_by = Some(StatusSetter::Maro);
                let read = one_issue::refresh(jira, &**tracker, clock, &issue.key, deadline, set_by).await;
                // The lists don't have it yet: the next to read it would announce it as somebody else's.
                if read.is_none() {
                    return taken;
                }
            }
            let _ = notices.note_own_change(&own, true).await;
            taken
        };
        self.edit(&call, "transition", key, work).await
    }

    async fn assign_to(&mut self, key: String, user_id: Option<String>) -> Result<(), EditError> {
        let mut call = Call::begin_with_issues(self, Function::ASSIGN).await?;
        let deadline = call.jira_deadline(self);
        if user_id.as_deref().is_some_and(|id| !is_account(id)) {
            return Err(invalid(texts::plugins::requests::not_an_account()));
        }
        let key = self.present_key(&mut call, key, Some(Permission::AssignIssues)).await?;
        let user_id = match user_id.as_deref().and_then(|id| mentioned(id, &call.caller)) {
            Some(user) => Some(self.account_of(&call, &key, user?).await?),
            None => user_id,
        };
        let (capabilities, assigned) = (Arc::clone(&call.capabilities), key.clone());
        let work = async move {
            let HostServices { jira, tickets, tracker, clock, .. } = &*capabilities;
            let assigning = Assigning { jira, tickets, tracker: &**tracker, clock };
            assigning.assign(&assigned, user_id.as_deref(), deadline).await
        };
        self.edit(&call, "assign", key, work).await
    }

    /// The account of somebody in Slack. The plugin doesn't learn whose it is.
    async fn account_of(&mut self, call: &Call, key: &IssueKey, user: UserId) -> Result<String, EditError> {
        let account = self.timed(call.capabilities.access.jira_account(&user)).await;
        account.map_err(|rule| {
            let message = if user == call.caller.user {
                texts::rights::access::not_assigned(key.as_str(), &rule)
            } else {
                texts::rights::access::not_assigned_to_mentioned(key.as_str())
            };
            jira_failure(JiraErrorKind::Forbidden, message)
        })
    }

    async fn assignable(&mut self, key: String, words: &str) -> Result<Vec<JiraUser>, EditError> {
        let mut call = Call::begin_with_issues(self, Function::FIND_ASSIGNABLE).await?;
        let deadline = call.jira_deadline(self);
        if words.chars().count() > MAX_WORDS_LENGTH {
            return Err(invalid(texts::plugins::requests::name_too_long(MAX_WORDS_LENGTH)));
        }
        let key = self.present_key(&mut call, key, None).await?;
        match self.timed(call.capabilities.jira.find_assignable(&key, words, deadline)).await {
            Ok(Some(people)) => Ok(people.into_iter().map(guest_user).collect()),
            Ok(None) => Err(missing(key.as_str())),
            Err(error) => Err(self.edit_failed(&JiraEditError::Jira(error), key.as_str())),
        }
    }

    async fn present_transitions(&mut self, key: String) -> Result<Vec<Transition>, EditError> {
        let mut call = Call::begin_with_issues(self, Function::LIST_TRANSITIONS).await?;
        Ok(self.transitions(&mut call, key).await?.1)
    }

    /// The issue as it is now, and the steps that it can take.
    async fn transitions(
        &mut self,
        call: &mut Call,
        key: String,
    ) -> Result<(Issue, Vec<Transition>), EditError> {
        let key = call.key(self, key)?;
        let deadline = call.jira_deadline(self);
        match self.timed(call.capabilities.jira.get_transitions(&key, deadline)).await {
            Ok(Some((issue, transitions))) => {
                self.check_shown(call, &key, &issue).await?;
                Ok((issue, transitions))
            }
            Ok(None) => Err(self.not_found(call, &key).await),
            Err(error) => Err(self.edit_failed(&JiraEditError::Jira(error), key.as_str())),
        }
    }

    /// Refuses an issue, called `key` by the plugin, that may not be shown.
    async fn check_shown(&mut self, call: &mut Call, key: &IssueKey, issue: &Issue) -> Result<(), EditError> {
        call.look_at(self, [&issue.key]).await;
        if call.sight().issue(issue) == Err(&Rule::NotVisible) {
            return Err(missing(key.as_str()));
        }
        Ok(call.shows(self, key.as_str(), issue)?)
    }

    /// Jira knows no issue by a key, which not everybody may learn.
    async fn not_found(&mut self, call: &mut Call, key: &IssueKey) -> EditError {
        call.look_at_missing(self, [key]).await;
        call.may_be_missing(key).map_or_else(EditError::from, |()| missing(key.as_str()))
    }

    /// Refuses a change that the person may not make, if that can be known.
    async fn check_permission(
        &mut self,
        call: &Call,
        issue: &Issue,
        permission: Permission,
    ) -> Result<(), EditError> {
        let allowed = self.timed(call.sight().changes(issue, permission)).await;
        allowed.map_err(|rule| rejected(texts::rights::access::not_changed(issue.key.as_str(), &rule)))
    }

    /// A key that the plugin may use, and for what `permission` allows. If it is narrowed to projects, this asks Jira
    /// whether the issue is still in one: an issue that has moved away is out of reach under its old key too.
    async fn present_key(
        &mut self,
        call: &mut Call,
        key: String,
        permission: Option<Permission>,
    ) -> Result<IssueKey, EditError> {
        let key = call.key(self, key)?;
        if self.authority.projects(call.function()).is_none() && call.sight().is_all() {
            return Ok(key);
        }
        let (deadline, asked_at) = (call.jira_deadline(self), call.capabilities.clock.now());
        let found = self.timed(call.capabilities.jira.get_issues(std::slice::from_ref(&key), deadline)).await;
        match found.map(|issues| issues.into_iter().flatten().next()) {
            Ok(Some(issue)) => {
                let tracker = &*call.capabilities.tracker;
                self.timed(note_withheld(tracker, call.sight(), [&issue], asked_at)).await;
                self.check_shown(call, &key, &issue).await?;
                if let Some(permission) = permission {
                    self.check_permission(call, &issue, permission).await?;
                }
                Ok(issue.key)
            }
            Ok(None) => Err(self.not_found(call, &key).await),
            Err(error) => Err(self.edit_failed(&JiraEditError::Jira(error), key.as_str())),
        }
    }

    /// Makes a change in a task of its own, and notes it for the operator.
    async fn edit<T: Send + 'static>(
        &mut self,
        call: &Call,
        action: &'static str,
        key: IssueKey,
        work: impl Future<Output = Result<T, JiraEditError>> + Send + 'static,
    ) -> Result<T, EditError> {
        let (writer, changed) = (author_of_writes::writer(self, &call.caller), key.clone());
        let auditor = call.capabilities.audit.clone();
        if self.timed(auditor.begin(&writer.author, action, key.as_str())).await.is_err() {
            self.authority.note_outage("the database");
            let sentence = texts::failures::database::NOTHING_WRITTEN.to_owned();
            return Err(jira_failure(JiraErrorKind::Unreachable, sentence));
        }
        let work = async move {
            let result = work.await;
            let outcome = outcome(result.as_ref().err());
            writer.note(action, changed.as_str(), outcome);
            auditor.ended(&writer.author, action, changed.as_str(), outcome).await;
            result
        };
        let changed = self.run_to_its_end(call, work).await.ok_or_else(unconfirmed)?;
        changed.map_err(|error| self.edit_failed(&error, key.as_str()))
    }

    /// Logs for the operator why `key` wasn't changed, and returns the sentence for the person.
    fn edit_failed(&self, error: &JiraEditError, key: &str) -> EditError {
        match error {
            JiraEditError::Missing => missing(key),
            JiraEditError::Refused { reason } => rejected(texts::failures::jira::edit_rejected(reason)),
            JiraEditError::Jira(cause) => {
                self.log_failure(error);
                jira_failure(kind(cause), texts::failures::jira::failed(cause))
            }
            JiraEditError::Unknown(_) => {
                self.log_failure(error);
                unconfirmed()
            }
        }
    }

    fn log_failure(&self, error: &JiraEditError) {
        if let JiraEditError::Jira(cause) = error
            && cause.is_outage()
        {
            return self.authority.note_outage("Jira");
        }
        tracing::warn!(plugin = &*self.authority.plugin, error = error_chain(error), "a Jira call failed");
    }
}

/// A guest's text, which has no formatting, with the host's last line.
fn signed(text: &str, caller: &Caller, plugin: &str) -> RichText {
    let text = RichText { blocks: vec![RichBlock::Paragraph(vec![Inline::plain(text)])] };
    Signature::of_caller(caller, plugin).under(text)
}

/// Who is mentioned in place of an account, `<@U1>` or `<@U1|ada>`, or the caller in `<@me>`.
fn mentioned(id: &str, caller: &Caller) -> Option<Result<UserId, EditError>> {
    let mention = id.strip_prefix("<@")?.strip_suffix('>')?;
    let user = mention.split_once('|').map_or(mention, |(user, _)| user);
    let user = if user == "me" { Ok(caller.user.clone()) } else { UserId::parse(user) };
    Some(user.map_err(|_| invalid(texts::plugins::requests::not_an_account())))
}

fn guest_transition(transition: Transition) -> AvailableTransition {
    AvailableTransition { id: transition.id, name: transition.name, to_status: transition.to_status }
}

fn missing(key: &str) -> EditError {
    EditError { kind: EditErrorKind::Missing, message: texts::failures::jira::not_found(key) }
}

fn rejected(message: String) -> EditError {
    EditError { kind: EditErrorKind::Rejected, message }
}

/// A change that panicked may have been made.
fn unconfirmed() -> EditError {
    uncertain(texts::failures::jira::EDIT_UNCONFIRMED)
}

fn uncertain(message: &str) -> EditError {
    EditError { kind: EditErrorKind::Uncertain, message: message.to_owned() }
}

fn invalid(message: String) -> EditError {
    jira_failure(JiraErrorKind::InvalidArgument, message)
}

impl From<CallError> for EditError {
    fn from(error: CallError) -> Self {
        match error {
            CallError::Denied(message) => jira_failure(JiraErrorKind::Denied, message),
            CallError::InvalidArgument(message) => invalid(message),
        }
    }
}

fn jira_failure(kind: JiraErrorKind, message: String) -> EditError {
    EditError { kind: EditErrorKind::Jira(kind), message }
}
