//! Whether somebody has a role. User groups are asked of Slack, and what isn't known isn't allowed.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use maro_domain::{
    caller::{Caller, Person},
    ids::{TeamId, UserId},
};
use maro_process::{replaceable::Live, telemetry::error_chain, ttl_cache::Remembered};
use maro_slack::web_api::{SlackWebApi, error::ApiError};

use crate::role_settings::{Member, Roles};

/// The scope for looking into user groups.
pub const SCOPE: &str = "usergroups:read";

/// How long an answer of Slack is good, and how long it isn't asked again after a failure.
const LIFETIME: Duration = Duration::from_secs(300);
const FAILURE_LIFETIME: Duration = Duration::from_secs(15);

/// What a person may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Putting issues on a channel's list, and taking them off it.
    Track,
    /// Creating issues and stories, and linking issues.
    Create,
    /// Choosing what a channel is told about changes.
    Notify,
    /// Reloading plugins, and turning them on and off.
    Plugins,
}

impl Role {
    /// The role's key under `[roles]`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Track => "track",
            Self::Create => "create",
            Self::Notify => "notify",
            Self::Plugins => "plugins",
        }
    }
}

/// Why somebody may not do something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotAllowed {
    pub role: Role,
    pub because: Because,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Because {
    /// The role's list doesn't include the person.
    NotListed,
    /// The role is for administrators alone.
    AdminsOnly,
    /// Slack didn't say who is in a user group, which may include the person.
    UnknownGroup { group: String, problem: GroupProblem },
}

/// Why it isn't known who is in a user group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GroupProblem {
    /// The app doesn't have [`SCOPE`].
    MissingScope,
    /// Slack has no such group.
    NoSuchGroup,
    /// Slack didn't answer.
    NoAnswer,
}

/// How many user groups are remembered.
const MAX_REMEMBERED: usize = 500;

/// The people in a user group, or why they aren't known.
type GroupMembers = Result<Arc<HashSet<String>>, GroupProblem>;

/// `[roles]`, the administrators, and what Slack says of user groups.
pub struct RoleBook {
    roles: Live<Roles>,
    admins: Live<Vec<Person>>,
    slack: Arc<SlackWebApi>,
    groups: Remembered<String, GroupMembers>,
    /// Each group's is held while Slack is asked about it.
    asking: Mutex<HashMap<String, Arc<tokio::sync::Mutex<()>>>>,
}

impl RoleBook {
    pub fn new(roles: Roles, admins: Live<Vec<Person>>, slack: Arc<SlackWebApi>) -> Self {
        let groups = Remembered::at_most(MAX_REMEMBERED);
        Self { roles: Live::new(roles), admins, slack, groups, asking: Mutex::default() }
    }

    /// Has these roles decide from now on.
    pub fn replace_roles(&self, roles: Roles) {
        self.roles.set(roles);
    }

    /// Whether the person behind a command has a role.
    ///
    /// # Errors
    /// Why not.
    pub async fn check(&self, role: Role, caller: &Caller) -> Result<(), NotAllowed> {
        self.check_person(role, &caller.user, caller.foreign_team.as_ref()).await
    }

    /// Whether a person has a role. `foreign_team` is the person's workspace, if it isn't the bot's own: a list names
    /// nobody there but by `everyone`, or as an administrator.
    ///
    /// # Errors
    /// Why not.
    pub async fn check_person(
        &self,
        role: Role,
        user: &UserId,
        foreign_team: Option<&TeamId>,
    ) -> Result<(), NotAllowed> {
        let (roles, admins) = (self.roles.get(), self.admins.get());
        let members = match role {
            Role::Track => &roles.track,
            Role::Create => &roles.create,
            Role::Notify => &roles.notify,
            Role::Plugins => &roles.plugins,
        };
        // Nothing is asked of Slack if anything else includes the person.
        let is_listed = members.iter().any(|member| match member {
            Member::Everyone => true,
            Member::Admins => {
                admins.iter().any(|admin| admin.user == *user && admin.foreign_team.as_ref() == foreign_team)
            }
            Member::User(listed) => foreign_team.is_none() && listed == user,
            Member::UserGroup(_) => false,
        });
        if is_listed {
            return Ok(());
        }
        let mut because = if *members == [Member::Admins] { Because::AdminsOnly } else { Because::NotListed };
        for member in members.iter().filter(|_| foreign_team.is_none()) {
            let Member::UserGroup(group) = member else { continue };
            match self.people_in(group).await {
                Ok(people) if people.contains(user.as_str()) => return Ok(()),
                Ok(_) => {}
                Err(problem) => because = Because::UnknownGroup { group: group.clone(), problem },
            }
        }
        Err(NotAllowed { role, because })
    }

    /// Asks Slack if it hasn't said lately. Those who ask meanwhile wait for the same answer.
    async fn people_in(&self, group: &str) -> GroupMembers {
        if let Some(people) = self.groups.get(group) {
            return people;
        }
        let asking = {
            let mut all = self.asking.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(all.entry(group.to_owned()).or_default())
        };
        let _asking = asking.lock().await;
        if let Some(people) = self.groups.get(group) {
            return people;
        }
        let people = match self.slack.get_user_group_members(group).await {
            Ok(people) => Ok(Arc::new(people.into_iter().collect())),
            Err(error) => {
                let error_text = error_chain(&error);
                tracing::warn!(
                    group,
                    error = error_text,
                    "Slack doesn't say who is in a user group of [roles]"
                );
                Err(match error {
                    ApiError::MissingScope { .. } => GroupProblem::MissingScope,
                    ApiError::Refused { .. } => GroupProblem::NoSuchGroup,
                    _ => GroupProblem::NoAnswer,
                })
            }
        };
        let lifetime = if people.is_ok() { LIFETIME } else { FAILURE_LIFETIME };
        self.groups.put(group.to_owned(), people.clone(), lifetime);
        people
    }
}
