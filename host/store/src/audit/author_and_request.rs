//! An author as both databases bind one, with the request that a change is made for.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::{
    audit::Entry,
    database::{error::DatabaseError, time::time_text},
};
use maro_domain::{author::Author, ids::TeamId, request_token::RequestToken};

/// What an entry of the log says of an author, and the request if the database has to take care of it.
#[derive(Debug, Clone)]
pub(crate) struct Stamp {
    pub(in crate::audit) at: String,
    pub(in crate::audit) team: String,
    pub(crate) channel: String,
    pub(crate) user: String,
    pub(in crate::audit) plugin: Option<String>,
    pub(in crate::audit) digest: Option<String>,
    pub(in crate::audit) incident: Option<String>,
    request: Claim,
}

/// A request that is to be remembered with a change.
#[derive(Debug, Clone, Default)]
pub(crate) struct Claim(Option<RequestToken>);

impl Claim {
    pub(crate) fn new(request: Option<&RequestToken>) -> Self {
        Self(request.cloned())
    }

    /// The request. What is written down already needn't be again.
    pub(crate) fn request(&self) -> Option<&RequestToken> {
        self.0.as_ref().filter(|request| !request.is_recorded())
    }

    /// The request's entry is in the log.
    pub(crate) fn note_recorded(&self) {
        self.0.iter().for_each(RequestToken::note_recorded);
    }

    /// The outcome of a change. `None` if another handling of the request has changed something before.
    /// `has_entry` says of an outcome whether there is an entry in the log.
    ///
    /// # Errors
    /// [`DatabaseError::Replayed`].
    pub(crate) fn settle<T>(
        &self,
        outcome: Option<T>,
        has_entry: impl Fn(&T) -> bool,
    ) -> Result<T, DatabaseError> {
        match &outcome {
            Some(outcome) if has_entry(outcome) => self.note_recorded(),
            Some(_) => {}
            None => self.0.iter().for_each(RequestToken::note_replay),
        }
        outcome.ok_or(DatabaseError::Replayed)
    }
}

impl Stamp {
    pub(crate) fn new(author: &Author, now: Timestamp) -> Self {
        Self { request: Claim::new(author.request.as_ref()), ..Self::without_request(author, now) }
    }

    /// As [`Stamp::new`], if the request isn't to be remembered.
    pub(crate) fn without_request(author: &Author, now: Timestamp) -> Self {
        let Author { channel, user, foreign_team, plugin, incident, .. } = author;
        Self {
            at: time_text(now),
            team: foreign_team.as_ref().map_or_else(String::new, |team| TeamId::as_str(team).to_owned()),
            channel: channel.as_str().to_owned(),
            user: user.as_str().to_owned(),
            plugin: plugin.as_ref().map(|plugin| plugin.name.clone()),
            digest: plugin.as_ref().map(|plugin| plugin.digest.clone()),
            incident: incident.map(|incident| incident.to_string()),
            request: Claim::default(),
        }
    }

    /// For a change that isn't noted.
    pub(crate) fn nobody(now: Timestamp) -> Self {
        Self {
            at: time_text(now),
            team: String::new(),
            channel: String::new(),
            user: String::new(),
            plugin: None,
            digest: None,
            incident: None,
            request: Claim::default(),
        }
    }

    pub(crate) fn at(&self) -> &str {
        &self.at
    }

    pub(crate) fn claim(&self) -> &Claim {
        &self.request
    }

    /// An entry as SQLite's statements take it, in the order of the columns. `is_first` says that it's the first of
    /// its change, and so has the request.
    pub(crate) fn entry(&self, Entry { action, subject, outcome }: Entry<'_>, is_first: bool) -> Value {
        let Self { at, team, channel, user, plugin, digest, incident, .. } = self;
        let request = self.request.request().filter(|_| is_first);
        let token = request.map(|request| hex::encode(request.request()));
        let handling = request.map(RequestToken::handling);
        json!([at, team, channel, user, action, subject, plugin, digest, outcome, incident, token, handling])
    }
}
