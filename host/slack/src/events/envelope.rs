//! What surrounds every event: <https://docs.slack.dev/apis/events-api>.

use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;

use crate::events::sender::{EventAuthor, Sender};
use maro_domain::ids::TeamId;

/// An event of any type. What only some types need is read by the files that know them.
#[derive(Deserialize)]
pub(super) struct Envelope {
    #[serde(default)]
    event_id: Value,
    #[serde(default)]
    event_time: Value,
    #[serde(default)]
    authorizations: Value,
    team_id: Option<String>,
    enterprise_id: Option<String>,
    event: Option<Value>,
}

/// For whom the app hears about it.
#[derive(Deserialize)]
struct Authorization {
    user_id: Option<String>,
    is_bot: Option<bool>,
}

impl Envelope {
    /// The same each time that Slack sends the event. `None` if it has none.
    pub(super) fn id(&self) -> Option<String> {
        self.event_id.as_str().filter(|id| !id.is_empty()).map(str::to_owned)
    }

    /// In seconds since 1970, if it says so.
    pub(super) fn time(&self) -> Option<i64> {
        self.event_time.as_i64()
    }

    pub(super) fn team(&self) -> Option<TeamId> {
        TeamId::parse(self.team_id.as_deref()?).ok()
    }

    /// Those for whom the app hears about it. `None` if that can't be read.
    pub(super) fn authorized_users(&self) -> Option<Vec<String>> {
        if self.authorizations.is_null() {
            return Some(Vec::new());
        }
        let known = self.known()?;
        Some(known.into_iter().filter_map(|authorization| authorization.user_id).collect())
    }

    /// Whether this user is the app's own bot.
    pub(super) fn is_of_bot(&self, user: &str) -> bool {
        let is_bot =
            |known: &Authorization| known.is_bot == Some(true) && known.user_id.as_deref() == Some(user);
        self.known().is_some_and(|known| known.iter().any(is_bot))
    }

    fn known(&self) -> Option<Vec<Authorization>> {
        Vec::deserialize(&self.authorizations).ok()
    }

    /// The event itself, in the shape of its type.
    pub(super) fn event<T: DeserializeOwned>(&self) -> Option<T> {
        T::deserialize(self.event.as_ref()?).ok()
    }

    /// The event's type, and whom it comes from. Both are empty if there is no event.
    ///
    /// # Errors
    /// There is one, and not even that can be read of it.
    pub(super) fn head(&self) -> Result<(String, Sender), serde_json::Error> {
        let author = self.event.as_ref().map(EventAuthor::deserialize).transpose()?.unwrap_or_default();
        let kind = author.kind.clone();
        let sender = Sender {
            team: self.team_id.clone(),
            user_team: author.team(),
            enterprise: self.enterprise_id.clone(),
        };
        Ok((kind, sender))
    }
}
