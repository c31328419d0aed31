//! The names of people, channels and user groups that a message mentions by their ids.

use std::{collections::BTreeMap, time::Duration};

use futures_util::{StreamExt as _, stream::FuturesUnordered};
use tokio::time::timeout;

use crate::{
    web_api::{SlackWebApi, user::User},
    words::parse_markup::{nameless, with_names},
};
use maro_domain::ids::{ChannelId, UserId};

/// How many names are looked up for one message. The others stay ids.
const MAX_NAMES: usize = 12;

/// How long Slack may take for all of them. Somebody waits for a form.
const PATIENCE: Duration = Duration::from_millis(1_200);

/// The longest name that is shown, in characters.
const MAX_LENGTH: usize = 80;

/// What comes before the id of a user group.
const GROUP: &str = "subteam^";

impl SlackWebApi {
    /// The message with the names of what it mentions, as far as Slack tells them: that takes the scopes `users:read`,
    /// `usergroups:read`, `channels:read` and `groups:read`, and what Slack doesn't tell stays as it is.
    pub async fn with_names(&self, mrkdwn: &str) -> String {
        let ids = nameless(mrkdwn);
        if ids.is_empty() {
            return mrkdwn.to_owned();
        }
        let mut asked: FuturesUnordered<_> =
            ids.into_iter().take(MAX_NAMES).map(|id| self.name_of(id)).collect();
        let mut names = BTreeMap::new();
        let collecting = async {
            while let Some((id, name)) = asked.next().await {
                names.extend(name.map(|name| (id, name)));
            }
        };
        // What has come by then is of use.
        let _ = timeout(PATIENCE, collecting).await;
        with_names(mrkdwn, |id| names.get(id).cloned())
    }

    async fn name_of(&self, id: String) -> (String, Option<String>) {
        let name = if let Some(group) = id.strip_prefix(GROUP) {
            self.get_user_group_handle(group).await.ok().flatten()
        } else if let Ok(channel) = ChannelId::parse(&id)
            && id.starts_with(['C', 'G'])
        {
            // Not everybody may know the name of a private channel.
            let conversation = self.get_conversation(&channel).await.ok();
            conversation.filter(|channel| !channel.is_private).and_then(|channel| channel.name)
        } else if let Ok(user) = UserId::parse(&id) {
            self.get_user(&user).await.ok().and_then(User::shown_name)
        } else {
            None
        };
        let name =
            name.map(|name| name.chars().filter(|letter| !letter.is_control()).take(MAX_LENGTH).collect());
        (id, name.filter(|name: &String| !name.trim().is_empty()))
    }
}

impl User {
    /// What Slack shows of them.
    fn shown_name(self) -> Option<String> {
        let names = [self.profile.display_name, self.profile.real_name, self.name];
        names.into_iter().flatten().find(|name| !name.trim().is_empty())
    }
}
