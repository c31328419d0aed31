//! What one person may see in Jira, asked of Jira itself. Whatever can't be found out isn't shown.
//!
//! Slack says which confirmed email address somebody has, Jira which account has that address and whether that account
//! can view an issue. Answers are good for some minutes.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use futures_util::{StreamExt as _, stream};
use tokio::time::{Instant, timeout_at};

use crate::{
    hiding_rules::Rule,
    workspace::{Standing, Workspace},
};
use maro_domain::{
    ids::UserId,
    issue::{IssueId, IssueKey},
};
use maro_jira::{
    accounts::permissions::Permission,
    accounts::person_permissions::Target,
    accounts::{account_by_email::PersonAccount, may_view::Viewed},
    client::JiraClient,
    error::JiraError,
};
use maro_process::{telemetry::error_chain, ttl_cache::Remembered};
use maro_slack::web_api::{SlackWebApi, error::ApiError};

/// The scopes without which Slack tells nobody's address.
pub(crate) const EMAIL_SCOPES: [&str; 2] = ["users:read", "users:read.email"];

/// How long answers are good.
const ACCOUNT_LIFETIME: Duration = Duration::from_secs(600);
const VIEW_LIFETIME: Duration = Duration::from_secs(180);

/// How long nobody is asked again after a failure.
const FAILURE_LIFETIME: Duration = Duration::from_secs(15);

/// How long Jira may take.
const PATIENCE: Duration = Duration::from_secs(6);

/// How many issues Jira is asked about at once.
const AT_ONCE: usize = 8;

/// How many answers are remembered.
const MAX_REMEMBERED: usize = 20_000;

/// Finds out what people may see.
pub(crate) struct PersonRights {
    slack: Arc<SlackWebApi>,
    jira: Arc<JiraClient>,
    workspace: Arc<Workspace>,
    accounts: Remembered<UserId, Result<PersonAccount, Rule>>,
    views: Remembered<(String, String), bool>,
    permissions: Remembered<(String, Permission, String), bool>,
    /// That Jira doesn't tell the bot's account what others may do.
    untold: Remembered<(), ()>,
}

impl PersonRights {
    pub(crate) fn new(slack: Arc<SlackWebApi>, jira: Arc<JiraClient>, workspace: Arc<Workspace>) -> Self {
        let accounts = Remembered::at_most(MAX_REMEMBERED);
        let views = Remembered::at_most(MAX_REMEMBERED);
        let permissions = Remembered::at_most(MAX_REMEMBERED);
        Self { slack, jira, workspace, accounts, views, permissions, untold: Remembered::at_most(1) }
    }

    /// For each key, whether the person may see that issue.
    pub(crate) async fn of_issues(
        &self,
        user: &UserId,
        keys: Vec<IssueKey>,
    ) -> HashMap<String, Result<(), Rule>> {
        let keys: Vec<String> = keys.into_iter().map(IssueKey::into_string).collect();
        let account = match self.account(user).await {
            Ok(account) => account,
            Err(rule) => return keys.into_iter().map(|key| (key, Err(rule.clone()))).collect(),
        };
        // The compiler can't see that a stream of borrowing futures is Send unless they are made beforehand.
        let asked: Vec<_> = keys.iter().map(|key| self.view(&account, Viewed::Issue(key))).collect();
        let answers: Vec<Result<(), Rule>> = stream::iter(asked).buffered(AT_ONCE).collect().await;
        keys.into_iter().zip(answers).collect()
    }

    /// Whether it can be found out what the person sees, asked of a key by which Jira knows no issue.
    pub(crate) async fn of_missing(&self, user: &UserId, key: &IssueKey) -> Result<(), Rule> {
        let account = self.account(user).await?;
        let viewed = Viewed::Issue(key.as_str());
        // It isn't remembered: there may be such an issue soon.
        match self.jira.can_view(&account, viewed, Instant::now() + PATIENCE).await {
            // Jira's word that there is nothing to ask about.
            Ok(_) | Err(JiraError::InvalidResponse { .. }) => Ok(()),
            Err(error) => Err(failed(&error)),
        }
    }

    pub(crate) async fn sees_project(&self, user: &UserId, project_key: &str) -> Result<(), Rule> {
        let account = self.account(user).await?;
        self.view(&account, Viewed::Project(project_key)).await
    }

    /// Those of some projects that the person sees, as far as Jira says so by `deadline`.
    pub(crate) async fn visible_projects(
        &self,
        user: &UserId,
        keys: Vec<String>,
        deadline: Instant,
    ) -> HashSet<String> {
        let mut visible = HashSet::new();
        let Ok(Ok(account)) = timeout_at(deadline, self.account(user)).await else { return visible };
        let asked: Vec<_> = keys.iter().map(|key| self.view(&account, Viewed::Project(key))).collect();
        let mut answers = stream::iter(asked).buffered(AT_ONCE);
        for key in &keys {
            match timeout_at(deadline, answers.next()).await {
                Ok(Some(answer)) => visible.extend(answer.is_ok().then(|| key.clone())),
                Ok(None) | Err(_) => break,
            }
        }
        visible
    }

    /// Whether the person may create issues in a project. Where Jira doesn't tell the bot's account, whether they may
    /// see its issues.
    pub(crate) async fn of_project(&self, user: &UserId, project_key: &str) -> Result<(), Rule> {
        let account = self.account(user).await?;
        // Jira has no such project, as far as somebody knows who doesn't see it.
        self.view(&account, Viewed::Project(project_key)).await?;
        self.permission(&account, Permission::CreateIssues, Target::Project(project_key)).await
    }

    /// Whether the person may change an issue that they see. Where Jira doesn't tell the bot's account, nothing is
    /// against it.
    pub(crate) async fn of_change(
        &self,
        user: &UserId,
        issue: &IssueId,
        permission: Permission,
    ) -> Result<(), Rule> {
        let account = self.account(user).await?;
        self.permission(&account, permission, Target::Issue(issue)).await
    }

    async fn permission(
        &self,
        account: &PersonAccount,
        permission: Permission,
        target: Target<'_>,
    ) -> Result<(), Rule> {
        let place = match target {
            Target::Issue(id) => id.as_str(),
            Target::Project(key) => key,
        };
        let question = (account.id.clone(), permission, place.to_owned());
        let has_permission = match self.permissions.get(&question) {
            Some(has_permission) => has_permission,
            None if self.untold.get(&()).is_some() => return Ok(()),
            None => {
                let deadline = Instant::now() + PATIENCE;
                let answer = self.jira.person_may(account, permission, target, deadline).await;
                let Some(has_permission) = answer.map_err(|error| failed(&error))? else {
                    self.untold.put((), (), ACCOUNT_LIFETIME);
                    return Ok(());
                };
                self.permissions.put(question, has_permission, VIEW_LIFETIME);
                has_permission
            }
        };
        if has_permission { Ok(()) } else { Err(Rule::Lacks(permission)) }
    }

    async fn view(&self, account: &PersonAccount, viewed: Viewed<'_>) -> Result<(), Rule> {
        let (Viewed::Issue(key) | Viewed::Project(key)) = viewed;
        let question = (account.id.clone(), key.to_owned());
        let allowed = |is_visible: bool| if is_visible { Ok(()) } else { Err(Rule::NotVisible) };
        if let Some(is_visible) = self.views.get(&question) {
            return allowed(is_visible);
        }
        match self.jira.can_view(account, viewed, Instant::now() + PATIENCE).await {
            Ok(is_visible) => {
                self.views.put(question, is_visible, VIEW_LIFETIME);
                allowed(is_visible)
            }
            Err(error) => Err(failed(&error)),
        }
    }

    pub(crate) async fn account(&self, user: &UserId) -> Result<PersonAccount, Rule> {
        if let Some(account) = self.accounts.get(user) {
            return account;
        }
        let account = self.find_account(user).await;
        let lifetime = if account.is_ok() { ACCOUNT_LIFETIME } else { FAILURE_LIFETIME };
        self.accounts.put(user.clone(), account.clone(), lifetime);
        account
    }

    async fn find_account(&self, user: &UserId) -> Result<PersonAccount, Rule> {
        for scope in EMAIL_SCOPES {
            if self.workspace.lacks_scope(scope).await {
                return Err(Rule::NoEmailScope);
            }
        }
        let email = match self.slack.get_user(user).await {
            // Another workspace's admin may have confirmed any address.
            Ok(_) if !self.workspace.is_known().await => return Err(Rule::RightsUnknown),
            Ok(person) if self.workspace.standing_of(&person).await != Standing::Own => {
                return Err(Rule::NoAccount);
            }
            Ok(person) => person.confirmed_email().ok_or(Rule::NoEmail)?,
            Err(ApiError::MissingScope { .. }) => return Err(Rule::NoEmailScope),
            // Asked again, Slack says the same.
            Err(error) if error.is_no_such_user() => return Err(Rule::NoAccount),
            Err(error) => {
                tracing::info!(error = error_chain(&error), "Slack doesn't say who a person is");
                return Err(Rule::RightsUnknown);
            }
        };
        match self.jira.find_account(&email, Instant::now() + PATIENCE).await {
            Ok(account) => account.ok_or(Rule::NoAccount),
            Err(error) => Err(failed(&error)),
        }
    }
}

fn failed(error: &JiraError) -> Rule {
    match error {
        JiraError::Forbidden { .. } | JiraError::MissingScope { .. } => Rule::MayNotLookUpPeople,
        _ => Rule::RightsUnknown,
    }
}
