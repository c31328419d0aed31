//! Changes that are statements and nothing else: no decision falls between them.

use serde_json::Value;
use sqlx::{Row as _, SqliteConnection};

use crate::database::sqlite::{
    queue::Queue,
    write::{Change, run},
};

/// The queue for statements. The outcome is the first column of the last one, as text.
pub(crate) type StatementQueue = Queue<Statements, Vec<String>>;

/// Statements to run in order, all with the same arguments.
#[derive(Debug)]
pub(crate) struct Statements {
    sql: &'static [&'static str],
    arguments: Vec<Value>,
}

impl Statements {
    /// In each statement, `?1` is the JSON array of the arguments.
    pub(crate) fn new(sql: &'static [&'static str], arguments: Vec<Value>) -> Self {
        Self { sql, arguments }
    }
}

impl Change for Statements {
    type Outcome = Vec<String>;

    async fn apply(
        changes: &[&Self],
        connection: &mut SqliteConnection,
    ) -> Result<Vec<Vec<String>>, sqlx::Error> {
        let mut outcomes = Vec::with_capacity(changes.len());
        for change in changes {
            let mut rows = Vec::new();
            for statement in change.sql {
                rows = run(connection, statement, &[&change.arguments]).await?;
            }
            outcomes.push(rows.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?);
        }
        Ok(outcomes)
    }
}
