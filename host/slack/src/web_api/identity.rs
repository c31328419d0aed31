//! Who the bot is to Slack.

use std::time::Duration;

use futures_util::FutureExt as _;
use serde::Deserialize;

use crate::web_api::{SlackWebApi, calling::Method, error::ApiError};
use maro_domain::ids::UserId;

const AUTH_TEST: Method = Method { name: "auth.test", deadline: Duration::from_secs(10), repeatable: true };

/// Who the bot's token belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    pub team_id: String,
    /// The organization that the workspace belongs to, if to one.
    pub enterprise_id: Option<String>,
    /// Whether the app is installed for that whole organization.
    pub is_enterprise_install: bool,
    /// The workspace's name.
    pub team: String,
    /// The bot itself.
    pub user_id: UserId,
    /// What the token may do, such as `chat:write`. Empty if Slack doesn't say.
    pub scopes: Vec<String>,
    /// How long the token lasts, if it is one that ends.
    pub expires_in: Option<Duration>,
}

#[derive(Deserialize)]
struct IdentityAnswer {
    team_id: String,
    enterprise_id: Option<String>,
    #[serde(default)]
    is_enterprise_install: bool,
    #[serde(default)]
    team: String,
    user_id: String,
    /// In seconds, for tokens that Slack rotates.
    expires_in: Option<u64>,
}

impl SlackWebApi {
    /// Asks who the token belongs to and what it may do.
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn auth_test(&self) -> Result<Identity, ApiError> {
        // The scopes are in a header, which slack-morphism doesn't pass on.
        let connector = self.caller.connector();
        let token = self.caller.token.get();
        let attempt = async || {
            let answer = connector.call(AUTH_TEST.name, &token).await?;
            Ok((answer.read::<IdentityAnswer>()?, answer.scopes()))
        };
        let (identity, scopes) = self.caller.repeat(AUTH_TEST, || attempt().boxed()).await?;
        let user_id = UserId::parse(&identity.user_id)
            .map_err(|_| ApiError::InvalidResponse { detail: "user_id isn't an id".to_owned() })?;
        let expires_in = identity.expires_in.map(Duration::from_secs);
        // Another token may have come meanwhile.
        if *self.caller.token.get() == *token {
            self.caller.token_state.set_lasts(expires_in);
        }
        Ok(Identity {
            team_id: identity.team_id,
            enterprise_id: identity.enterprise_id.filter(|id| !id.is_empty()),
            is_enterprise_install: identity.is_enterprise_install,
            team: identity.team,
            user_id,
            scopes,
            expires_in,
        })
    }
}
