//! The people and channels of the simulated workspace.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use maro_domain::ids::{ChannelId, UserId};

/// A channel. Direct messages with the bot belong to the [`Person`].
#[derive(Debug, Clone)]
pub struct Channel {
    pub id: ChannelId,
    pub name: String,
    pub is_private: bool,
    /// Whether the bot is a member. Otherwise it can't post.
    pub has_bot: bool,
}

#[derive(Debug, Clone)]
pub struct Person {
    pub id: UserId,
    /// The handle, without `@`.
    pub name: String,
    /// This person's direct message with the bot.
    pub direct_message: ChannelId,
}

#[derive(Debug, Clone)]
pub struct Workspace {
    pub team_id: String,
    pub team_domain: String,
    pub app_id: String,
    pub bot_id: String,
    pub bot_user: UserId,
    pub channels: Vec<Channel>,
    pub people: Vec<Person>,
}

/// The place where a command is typed: its id, and the name that Slack sends with it.
#[derive(Debug, Clone)]
pub struct Conversation {
    pub id: ChannelId,
    pub sent_name: String,
}

/// The names that Slack shows instead of ids.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Names {
    /// By id, without `#`.
    pub channels: BTreeMap<String, String>,
    /// By id, without `@`.
    pub users: BTreeMap<String, String>,
}

impl Workspace {
    /// Four public channels, a private one, and four people, always the same. The bot isn't in #hiring.
    pub fn sample() -> Self {
        let channel = |id, name: &str, is_private| Channel {
            id: channel_id(id),
            name: name.to_owned(),
            is_private,
            has_bot: true,
        };
        let person = |id, name: &str, direct_message| Person {
            id: user_id(id),
            name: name.to_owned(),
            direct_message: channel_id(direct_message),
        };
        Self {
            team_id: "T0SIMULATED".to_owned(),
            team_domain: "maro-simulation".to_owned(),
            app_id: "A0MAROAPP01".to_owned(),
            bot_id: "B0MAROBOT01".to_owned(),
            bot_user: user_id("U0MAROBOT01"),
            channels: vec![
                channel("C0GENERAL01", "general", false),
                channel("C0ENGINEER1", "engineering", false),
                channel("C0RANDOM001", "random", false),
                channel("C0LAUNCH001", "launch", true),
                Channel { has_bot: false, ..channel("C0HIRING001", "hiring", false) },
            ],
            people: vec![
                person("U0ADA000001", "ada", "D0ADA000001"),
                person("U0GRACE0001", "grace", "D0GRACE0001"),
                person("U0LINUS0001", "linus", "D0LINUS0001"),
                person("U0MARGARET1", "margaret", "D0MARGARET1"),
            ],
        }
    }

    /// Finds a person by handle, with or without `@`, or by id.
    pub fn person(&self, name: &str) -> Option<&Person> {
        let name = name.strip_prefix('@').unwrap_or(name);
        self.people.iter().find(|person| person.name == name || person.id.as_str() == name)
    }

    /// Finds a place by name, with or without `#`, or by id. `dm` is the person's direct message with the bot.
    pub fn place(&self, name: &str, person: &Person) -> Option<Conversation> {
        let name = name.strip_prefix('#').unwrap_or(name);
        if name == "dm" || name == person.direct_message.as_str() {
            return Some(Conversation {
                id: person.direct_message.clone(),
                sent_name: "directmessage".to_owned(),
            });
        }
        let channel =
            self.channels.iter().find(|channel| channel.name == name || channel.id.as_str() == name)?;
        let sent_name = if channel.is_private { "privategroup".to_owned() } else { channel.name.clone() };
        Some(Conversation { id: channel.id.clone(), sent_name })
    }

    pub fn channel(&self, id: &str) -> Option<&Channel> {
        self.channels.iter().find(|channel| channel.id.as_str() == id)
    }

    /// The names that [`Workspace::place`] knows, for use in a sentence.
    pub fn known_channels(&self) -> String {
        let names = self.channels.iter().map(|channel| channel.name.as_str());
        names.chain(["dm"]).collect::<Vec<_>>().join(", ")
    }

    pub fn names(&self) -> Names {
        let id_and_name = |id: &str, name: &String| (id.to_owned(), name.clone());
        Names {
            channels: self.channels.iter().map(|it| id_and_name(it.id.as_str(), &it.name)).collect(),
            users: self
                .people
                .iter()
                .map(|it| id_and_name(it.id.as_str(), &it.name))
                .chain([(self.bot_user.to_string(), "maro".to_owned())])
                .collect(),
        }
    }
}

fn channel_id(id: &str) -> ChannelId {
    ChannelId::parse(id).expect("the sample's ids are well-formed")
}

fn user_id(id: &str) -> UserId {
    UserId::parse(id).expect("the sample's ids are well-formed")
}
