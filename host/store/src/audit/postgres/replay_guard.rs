//! Entries of the log, and requests that take effect once, within the statement of a change.
//!
//! A statement made of these binds a [`Stamp`] as `$1` to `$9`: the request (null if there is none, or it is written
//! down already), its handling, the time and the rest. It changes something and is `noted`, all in one statement and
//! one trip. If another handling has the request, the entry fails, and the statement with it.

use sqlx::{
    Postgres, Row as _,
    postgres::{PgArguments, PgRow},
    query::Query,
};

use crate::audit::author_and_request::Stamp;

/// Inserts an entry for each row of `$from`, of which there is one at most.
macro_rules! note_one {
    ($action:literal, $subject:literal, $outcome:literal, $($from:expr),+) => {
        crate::audit::postgres::replay_guard::note!(
            "$1::bytea, $2::bigint"; $action, $subject, $outcome, $($from),+
        )
    };
}

/// Inserts an entry for each row of `$from`. The first has the request.
macro_rules! note_all {
    ($action:literal, $subject:literal, $outcome:literal, $($from:expr),+) => {
        crate::audit::postgres::replay_guard::note!(
            "CASE WHEN row_number() OVER () = 1 THEN $1::bytea END,
             CASE WHEN row_number() OVER () = 1 THEN $2::bigint END";
            $action, $subject, $outcome, $($from),+
        )
    };
}

macro_rules! note {
    ($request:literal; $action:literal, $subject:literal, $outcome:literal, $($from:expr),+) => {
        concat!(
            "INSERT INTO audit_log (at, team_id, channel_id, user_id, action, subject, plugin, digest, outcome,
                incident, request, handling)
            SELECT $3::text::timestamptz, $4::text, $5::text, $6::text, ",
            $action,
            ", ",
            $subject,
            ", $7::text, $8::text, ",
            $outcome,
            ", $9::text, ",
            $request,
            " FROM ",
            $($from,)+
            " RETURNING subject"
        )
    };
}

/// Whether another handling of the request has changed something.
macro_rules! is_replay {
    () => {
        "EXISTS (SELECT FROM audit_log WHERE request = $1::bytea AND handling <> $2::bigint)"
    };
}

/// The outcome of a change that is `noted`, for [`NotedOutcome::read`]: the subjects; none if nothing was changed;
/// null if another handling of the request has changed something.
macro_rules! outcome {
    () => {
        crate::audit::postgres::replay_guard::outcome!("subject FROM noted", "ARRAY[]::text[]")
    };
    ($texts:literal, $otherwise:literal) => {
        concat!(
            " SELECT CASE WHEN EXISTS (SELECT FROM noted) THEN ARRAY(SELECT ",
            $texts,
            ") WHEN ",
            crate::audit::postgres::replay_guard::is_replay!(),
            " THEN NULL ELSE ",
            $otherwise,
            " END, EXISTS (SELECT FROM noted)"
        )
    };
}

pub(crate) use {is_replay, note, note_all, note_one, outcome};

/// What came of a change.
pub(crate) struct NotedOutcome {
    pub(crate) texts: Vec<String>,
    /// Whether it has an entry in the log.
    pub(crate) is_noted: bool,
}

impl NotedOutcome {
    /// `None` if another handling of the request has changed something.
    pub(crate) fn read(row: &PgRow) -> Result<Option<Self>, sqlx::Error> {
        let texts: Option<Vec<String>> = row.try_get(0)?;
        let is_noted = row.try_get(1)?;
        Ok(texts.map(|texts| Self { texts, is_noted }))
    }
}

/// A statement with its first arguments, `$1` to `$9`.
pub(crate) fn stamped<'q>(statement: &'static str, stamp: &'q Stamp) -> Query<'q, Postgres, PgArguments> {
    let Stamp { at, team, channel, user, plugin, digest, incident, .. } = stamp;
    let request = stamp.claim().request();
    sqlx::query(statement)
        .bind(request.map(|request| request.request().to_vec()))
        .bind(request.map(|request| request.handling()))
        .bind(at)
        .bind(team)
        .bind(channel)
        .bind(user)
        .bind(plugin.as_deref())
        .bind(digest.as_deref())
        .bind(incident.as_deref())
}
