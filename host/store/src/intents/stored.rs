//! Reads stored intents and tickets. Both databases return them as JSON, as they do the lists.

use jiff::Timestamp;
use serde::{Deserialize, de::Error};

use crate::{
    database::{
        error::{self, DatabaseError},
        time::StoredTime,
    },
    intents::{Begun, Intent, IntentKind, IntentState, Version},
};
use maro_domain::{
    ids::{ChannelId, UserId},
    issue::{Issue, IssueId, IssueKey},
};

/// One intent, with its columns in the order of both databases' statements.
#[derive(Deserialize)]
struct StoredIntent(String, String, String, String, String, String, i64, StoredTime, StoredTime);

/// Reads the intent that an insertion with `version` has inserted or found.
pub(super) fn parse_begun(json: &str, version: Version) -> Result<Begun, DatabaseError> {
    let intent = serde_json::from_str(json).and_then(intent).map_err(DatabaseError::unreadable)?;
    Ok(if intent.version == version { Begun::New(intent) } else { Begun::Known(intent) })
}

/// Reads an array of at most one intent.
pub(super) fn parse_one(json: &str) -> Result<Option<Intent>, DatabaseError> {
    let rows: Vec<StoredIntent> = error::parse(json)?;
    rows.into_iter().next().map(intent).transpose().map_err(DatabaseError::unreadable)
}

/// Reads intents, oldest first. Invalid ones are skipped and logged, so that they never hide the others.
pub(super) fn parse_all(rows: &[String]) -> Vec<Intent> {
    let mut intents: Vec<Intent> = rows
        .iter()
        .filter_map(|row| {
            let read = serde_json::from_str(row).and_then(intent);
            read.inspect_err(|error| tracing::warn!(%error, "skipped an invalid intent")).ok()
        })
        .collect();
    intents.sort_by(|one, other| (one.created_at, &one.id).cmp(&(other.created_at, &other.id)));
    intents
}

/// Reads an array of triples of id, key and summary.
pub(super) fn parse_tickets(json: &str) -> Result<Vec<Issue>, DatabaseError> {
    let rows: Vec<(String, String, String)> = error::parse(json)?;
    let tickets = rows.into_iter().filter_map(|(id, key, summary)| {
        let Ok(key) = IssueKey::parse(&key) else {
            tracing::warn!(issue_key = %key, "skipped a ticket with an invalid issue_key");
            return None;
        };
        Some(Issue::new(IssueId::new(id), key, &summary, ""))
    });
    Ok(tickets.collect())
}

fn intent(row: StoredIntent) -> Result<Intent, serde_json::Error> {
    let StoredIntent(id, kind, channel, user, state, data, version, created_at, updated_at) = row;
    let invalid = |column| serde_json::Error::custom(format!("intent {id:?} has an invalid {column}"));
    let time = |time: StoredTime, column| -> Result<Timestamp, _> { time.0.ok_or_else(|| invalid(column)) };
    Ok(Intent {
        kind: kind_named(&kind).ok_or_else(|| invalid("kind"))?,
        channel: ChannelId::parse(&channel).map_err(|_| invalid("channel_id"))?,
        user: UserId::parse(&user).map_err(|_| invalid("user_id"))?,
        state: state_named(&state).ok_or_else(|| invalid("state"))?,
        data,
        version: Version(version),
        created_at: time(created_at, "created_at")?,
        updated_at: time(updated_at, "updated_at")?,
        id,
    })
}

fn kind_named(name: &str) -> Option<IntentKind> {
    IntentKind::ALL.into_iter().find(|kind| kind.as_str() == name)
}

fn state_named(name: &str) -> Option<IntentState> {
    IntentState::ALL.into_iter().find(|state| state.as_str() == name)
}
