//! Lets the owner of the simulated workspace see the calls of the Web API, and make them fail.

use std::sync::PoisonError;

use crate::slack::{
    server::SimulatedSlack,
    state::Sharing,
    web_api::faults::{ApiCall, SlackFault},
};

/// Those in `host/manifest.yaml`.
const ALL_SCOPES: [&str; 14] = [
    "chat:write",
    "chat:write.public",
    "commands",
    "app_mentions:read",
    "channels:read",
    "groups:read",
    "im:history",
    "usergroups:read",
    "users:read",
    "users:read.email",
    "channels:history",
    "groups:history",
    "links:read",
    "links:write",
];

impl SimulatedSlack {
    /// Makes a method, such as `chat.postMessage`, fail until [`SimulatedSlack::clear_faults`].
    pub fn set_fault(&self, method: &str, fault: SlackFault) {
        self.shared.api.state().lasting.insert(method.to_owned(), fault);
    }

    /// Makes every future call of a method fail that is about one channel.
    pub fn set_fault_in(&self, method: &str, channel: &str, fault: SlackFault) {
        self.shared.api.state().lasting_in.insert((method.to_owned(), channel.to_owned()), fault);
    }

    /// Makes only the next calls of a method fail, one fault each. `None` lets a call through.
    pub fn set_next_faults(&self, method: &str, faults: impl IntoIterator<Item = Option<SlackFault>>) {
        self.shared.api.state().next.insert(method.to_owned(), faults.into_iter().collect());
    }

    /// Makes all methods work again. A call that hangs keeps hanging.
    pub fn clear_faults(&self) {
        let mut state = self.shared.api.state();
        state.lasting.clear();
        state.lasting_in.clear();
        state.next.clear();
    }

    /// The calls to the Web API so far, oldest first.
    pub fn calls(&self) -> Vec<ApiCall> {
        self.shared.api.state().calls.clone()
    }

    /// As [`SimulatedSlack::calls`], for one method.
    pub fn calls_of(&self, method: &str) -> Vec<ApiCall> {
        let mut calls = self.calls();
        calls.retain(|call| call.method == method);
        calls
    }

    /// Grants the bot's token only these scopes.
    pub fn grant_scopes(&self, scopes: &[&str]) {
        self.shared.api.state().scopes = Some(scopes.iter().map(|scope| (*scope).to_owned()).collect());
    }

    /// Makes the bot's token one that Slack rotates, which ends after so many seconds.
    pub fn let_token_end_after(&self, seconds: u64) {
        self.shared.api.state().token_lasts_secs = Some(seconds);
    }

    /// Tells the bot of links to this host in messages, if it has the scope `links:read`.
    pub fn unfurl_links_to(&self, host: &str) {
        self.shared.api.state().unfurled_hosts.push(host.to_owned());
    }

    /// Grants all scopes of MARO's manifest, with the optional ones.
    pub fn grant_all_scopes(&self) {
        self.grant_scopes(&ALL_SCOPES);
    }

    /// Makes a user group of people, by their names.
    ///
    /// # Panics
    /// Nobody has such a name.
    pub fn set_user_group(&self, id: &str, people: &[&str]) {
        let find = |name: &&str| match self.shared.person(name) {
            Ok(person) => person.id.clone(),
            Err(_) => panic!("nobody is called {name}"),
        };
        let people = people.iter().map(find).collect();
        let mut groups = self.shared.user_groups.lock().unwrap_or_else(PoisonError::into_inner);
        groups.insert(id.to_owned(), people);
    }

    /// Has `users.info` say from now on that a person is of another workspace.
    pub fn set_team_of(&self, user: &str, team: &str) {
        let mut foreigners = self.shared.foreigners.lock().unwrap_or_else(PoisonError::into_inner);
        foreigners.insert(user.to_owned(), team.to_owned());
    }

    /// Shares a channel with another workspace, or ends that.
    pub fn share(&self, channel: &str, sharing: Option<Sharing>) {
        let mut channels = self.shared.shared_channels.lock().unwrap_or_else(PoisonError::into_inner);
        match sharing {
            Some(sharing) => channels.insert(channel.to_owned(), sharing),
            None => channels.remove(channel),
        };
    }
}
