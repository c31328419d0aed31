//! User groups: lists of people that a workspace keeps, such as @on-call.

use std::time::Duration;

use serde::Deserialize;

use crate::web_api::{SlackWebApi, calling::Method, error::ApiError};

/// Somebody waits for it.
const LIST_USERS: Method =
    Method { name: "usergroups.users.list", deadline: Duration::from_secs(3), repeatable: true };

/// Somebody waits for it.
const LIST_GROUPS: Method =
    Method { name: "usergroups.list", deadline: Duration::from_secs(3), repeatable: true };

#[derive(Deserialize)]
struct GroupsAnswer {
    usergroups: Vec<Group>,
}

#[derive(Deserialize)]
struct Group {
    id: String,
    handle: Option<String>,
}

#[derive(Deserialize)]
struct UsersAnswer {
    users: Vec<String>,
}

impl SlackWebApi {
    /// The ids of the people in a user group, within 3 s.
    ///
    /// # Errors
    /// [`ApiError`]: [`ApiError::MissingScope`] without `usergroups:read`, and [`ApiError::Refused`] if there is no
    /// such group.
    pub async fn get_user_group_members(&self, group: &str) -> Result<Vec<String>, ApiError> {
        let params = vec![("usergroup", Some(group))];
        let answer: UsersAnswer = self.caller.get(LIST_USERS, &params).await?;
        Ok(answer.users)
    }

    /// What people type to mention a user group, without the `@`, within 3 s. `None` if there is no such group.
    ///
    /// # Errors
    /// [`ApiError`]: [`ApiError::MissingScope`] without `usergroups:read`.
    pub async fn get_user_group_handle(&self, group: &str) -> Result<Option<String>, ApiError> {
        let answer: GroupsAnswer = self.caller.get(LIST_GROUPS, &[]).await?;
        Ok(answer.usergroups.into_iter().find(|known| known.id == group).and_then(|known| known.handle))
    }
}
