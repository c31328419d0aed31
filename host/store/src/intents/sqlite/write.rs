//! Writes the intents in SQLite.

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::{
    audit::{Noted, author_and_request::Stamp},
    database::{sqlite::statements::Statements, time::time_text},
    intents::{IntentState, NewIntent, Version},
};
use maro_domain::issue::Issue;

/// On a conflict, this changes nothing. It only makes the statement return the existing row.
const BEGIN: &str = "
    INSERT INTO ticket_intents (id, kind, channel_id, user_id, data, version, state, created_at, updated_at)
    VALUES (?1 ->> 0, ?1 ->> 1, ?1 ->> 2, ?1 ->> 3, ?1 ->> 4, ?1 ->> 5, ?1 ->> 6, ?1 ->> 7, ?1 ->> 7)
    ON CONFLICT (id) DO UPDATE SET id = excluded.id
    RETURNING json_array(id, kind, channel_id, user_id, state, data, version, created_at, updated_at),
        version = ?1 ->> 5";

const SAVE: &str = "
    UPDATE ticket_intents
    SET version = ?1 ->> 2, state = ?1 ->> 3, data = ?1 ->> 4, updated_at = ?1 ->> 5
    WHERE id = ?1 ->> 0 AND version = ?1 ->> 1
    RETURNING id";

/// What was written later than that, from now on, was written by a clock that was wrong.
const AHEAD: SignedDuration = SignedDuration::from_hours(1);

/// Kinds from a newer MARO are left to it.
const CLAIM: &str = "
    UPDATE ticket_intents SET version = ?1 ->> 0, updated_at = ?1 ->> 1
    WHERE id IN (
        SELECT id FROM ticket_intents
        WHERE state IN ('begun', 'confirmed') AND kind IN ('create', 'link', 'stories', 'plugin_create')
            AND (updated_at < ?1 ->> 2 OR updated_at > ?1 ->> 4)
        ORDER BY updated_at, id LIMIT ?1 ->> 3)
    RETURNING json_array(id, kind, channel_id, user_id, state, data, version, created_at, updated_at)";

const RECORD: &str = "
    INSERT INTO created_tickets (project_key, intent_id, created_at, issue_id, issue_key, summary)
    SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5
    FROM json_each(?1) WHERE true
    ON CONFLICT DO NOTHING
    RETURNING issue_id";

/// The arguments are the time, and how many are removed at once.
pub(super) const FORGET_TICKETS: &str = "
    DELETE FROM created_tickets WHERE rowid IN (
        SELECT rowid FROM created_tickets WHERE created_at < ?1 ->> 0 LIMIT ?1 ->> 1)
    RETURNING issue_id";

/// As [`FORGET_TICKETS`].
pub(super) const FORGET_INTENTS: &str = "
    DELETE FROM ticket_intents WHERE rowid IN (
        SELECT rowid FROM ticket_intents
        WHERE state IN ('draft', 'finished', 'failed') AND updated_at < ?1 ->> 0 LIMIT ?1 ->> 1)
    RETURNING id";

pub(super) fn begin(
    intent: &NewIntent,
    noted: Option<Noted<'_>>,
    version: Version,
    now: Timestamp,
) -> Statements {
    let NewIntent { id, kind, channel, user, state, data } = intent;
    let arguments = vec![
        json!(id),
        json!(kind.as_str()),
        json!(channel.as_str()),
        json!(user.as_str()),
        json!(data),
        json!(version.0),
        json!(state.as_str()),
        json!(time_text(now)),
    ];
    let statements = Statements::new(&[BEGIN], arguments);
    match noted {
        Some(noted) => statements.noting_what_is_new(&Stamp::new(noted.author, noted.at), noted.entry),
        None => statements,
    }
}

/// `versions` are the current one and the next.
pub(super) fn save(
    id: &str,
    versions: [Version; 2],
    state: IntentState,
    data: &str,
    now: Timestamp,
) -> Statements {
    let [version, next] = versions.map(|version| json!(version.0));
    let arguments = vec![json!(id), version, next, json!(state.as_str()), json!(data), json!(time_text(now))];
    Statements::new(&[SAVE], arguments)
}

pub(super) fn claim(version: Version, idle_before: Timestamp, now: Timestamp, limit: u32) -> Statements {
    let (idle_before, ahead) = (time_text(idle_before), time_text(now.saturating_add(AHEAD).unwrap_or(now)));
    let arguments =
        vec![json!(version.0), json!(time_text(now)), json!(idle_before), json!(limit), json!(ahead)];
    Statements::new(&[CLAIM], arguments)
}

pub(super) fn record(project_key: &str, intent_id: &str, tickets: &[Issue], now: Timestamp) -> Statements {
    let now = time_text(now);
    let row = |ticket: &Issue| {
        json!([project_key, intent_id, now, ticket.id.as_str(), ticket.key.as_str(), ticket.summary])
    };
    Statements::new(&[RECORD], tickets.iter().map(row).collect())
}
