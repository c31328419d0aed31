//! Entries of the log, and requests that take effect once, within the transaction of a change.

use std::collections::HashMap;

use serde_json::Value;
use sqlx::{Row as _, SqliteConnection};

use crate::{audit::author_and_request::Claim, database::sqlite::write::run};

/// Inserts entries, each an array in the order of the columns. `$request` is the request of each.
macro_rules! insert_entries {
    ($request:literal, $from:literal) => {
        concat!(
            "INSERT INTO audit_log (at, team_id, channel_id, user_id, action, subject, plugin, digest, outcome,
                incident, handling, request)
            SELECT entry.value ->> 0, entry.value ->> 1, entry.value ->> 2, entry.value ->> 3,
                entry.value ->> 4, entry.value ->> 5, entry.value ->> 6, entry.value ->> 7,
                entry.value ->> 8, entry.value ->> 9, entry.value ->> 11, ",
            $request,
            " FROM ",
            $from
        )
    };
}

pub(crate) use insert_entries;

const NOTE: &str = insert_entries!("entry.value ->> 10", "json_each(?1) AS entry");

const LOOK: &str =
    "SELECT request, handling FROM audit_log WHERE request IN (SELECT value FROM json_each(?1))";

/// What a change may do for a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Admission {
    /// It is the first, or has no request.
    First,
    /// The same handling has changed something before.
    Again,
    /// Another handling has changed something before.
    Replay,
}

/// The requests of changes that are made together, and which handling each belongs to.
pub(crate) struct Claims(HashMap<String, i64>);

impl Claims {
    /// Looks which requests are known.
    pub(crate) async fn look(
        connection: &mut SqliteConnection,
        claims: impl Iterator<Item = &Claim>,
    ) -> Result<Self, sqlx::Error> {
        let tokens: Vec<Value> = claims.filter_map(token).map(Value::from).collect();
        if tokens.is_empty() {
            return Ok(Self(HashMap::new()));
        }
        let rows = run(connection, LOOK, &[&tokens]).await?;
        let known = rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?)));
        Ok(Self(known.collect::<Result<_, sqlx::Error>>()?))
    }

    /// What the next change may do.
    pub(crate) fn admit(&mut self, claim: &Claim) -> Admission {
        let Some((token, request)) = token(claim).zip(claim.request()) else { return Admission::First };
        match self.0.get(&token) {
            Some(handling) if *handling == request.handling() => Admission::Again,
            Some(_) => Admission::Replay,
            None => {
                self.0.insert(token, request.handling());
                Admission::First
            }
        }
    }
}

/// The request of a claim, as it is stored.
pub(crate) fn token(claim: &Claim) -> Option<String> {
    claim.request().map(|request| hex::encode(request.request()))
}

/// The same entry without the request.
pub(crate) fn without_request(mut entry: Value) -> Value {
    for column in 10..12 {
        entry[column] = Value::Null;
    }
    entry
}

/// Adds entries to the log.
pub(crate) async fn note(connection: &mut SqliteConnection, entries: &[Value]) -> Result<(), sqlx::Error> {
    if !entries.is_empty() {
        run(connection, NOTE, &[entries]).await?;
    }
    Ok(())
}
