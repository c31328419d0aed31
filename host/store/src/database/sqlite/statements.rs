//! Changes that are statements and nothing else: no decision falls between them.

use serde_json::Value;
use sqlx::{Row as _, SqliteConnection, sqlite::SqliteRow};

use crate::{
    audit::{
        Entry,
        author_and_request::{Claim, Stamp},
        sqlite::replay_guard::{self, Admission, Claims, without_request},
    },
    database::{
        error::DatabaseError,
        sqlite::{
            SqliteDatabase,
            queue::Queue,
            write::{Change, run},
        },
    },
};

/// How many rows are removed at once.
const BATCH: usize = 500;

pub(crate) struct StatementQueue(Queue<Statements, Option<StatementsOutcome>>);

impl StatementQueue {
    pub(crate) fn on(database: &SqliteDatabase) -> Self {
        Self(database.start_writer())
    }

    /// The first column of the rows of the last statement, as text.
    ///
    /// # Errors
    /// Also [`DatabaseError::Replayed`].
    pub(crate) async fn ask(&self, statements: Statements) -> Result<Vec<String>, DatabaseError> {
        let claim = statements.claim.clone();
        Ok(claim.settle(self.0.ask(statements).await?, |outcome| outcome.is_noted)?.texts)
    }
}

impl StatementQueue {
    /// Runs a statement again until it removes fewer rows than it may, so that no other change waits for long. The last
    /// argument of the statement, how many it may, is added here. It returns a row for each that it removes.
    pub(crate) async fn remove_in_batches(
        &self,
        sql: &'static [&'static str],
        arguments: &[Value],
    ) -> Result<u64, DatabaseError> {
        let mut removed = 0;
        loop {
            let arguments = arguments.iter().cloned().chain([Value::from(BATCH)]).collect();
            let batch = self.ask(Statements::new(sql, arguments)).await?.len();
            removed += batch as u64;
            if batch < BATCH {
                return Ok(removed);
            }
        }
    }
}

pub(crate) struct StatementsOutcome {
    texts: Vec<String>,
    /// Whether there are entries in the log.
    is_noted: bool,
}

/// Statements to run in order, all with the same arguments.
#[derive(Debug)]
pub(crate) struct Statements {
    sql: &'static [&'static str],
    arguments: Vec<Value>,
    claim: Claim,
    entries: Vec<Value>,
    /// Whether the second column of the rows says that there is something to note.
    asks_rows: bool,
}

impl Statements {
    /// In each statement, `?1` is the JSON array of the arguments.
    pub(crate) fn new(sql: &'static [&'static str], arguments: Vec<Value>) -> Self {
        Self { sql, arguments, claim: Claim::default(), entries: Vec::new(), asks_rows: false }
    }

    /// With entries in the log if the last statement returns rows, and only for the first handling of the author's
    /// request that changes anything.
    pub(crate) fn noting(self, stamp: &Stamp, entries: &[Entry<'_>]) -> Self {
        let entries = entries.iter().enumerate().map(|(number, entry)| stamp.entry(*entry, number == 0));
        Self { entries: entries.collect(), claim: stamp.claim().clone(), ..self }
    }

    /// As [`Statements::noting`], if the second column of the last statement is true.
    pub(crate) fn noting_what_is_new(self, stamp: &Stamp, entry: Entry<'_>) -> Self {
        Self { asks_rows: true, ..self.noting(stamp, &[entry]) }
    }

    fn has_changed(&self, rows: &[SqliteRow]) -> Result<bool, sqlx::Error> {
        match rows.first() {
            Some(row) if self.asks_rows => row.try_get(1),
            row => Ok(row.is_some()),
        }
    }

    /// The entries, without the request if the log has it already.
    fn entries(&self, admission: Admission) -> impl Iterator<Item = Value> {
        let is_again = admission == Admission::Again;
        self.entries.iter().cloned().map(move |entry| if is_again { without_request(entry) } else { entry })
    }
}

impl Change for Statements {
    /// `None` if another handling of the request has changed something before.
    type Outcome = Option<StatementsOutcome>;

    async fn apply(
        changes: &[&Self],
        connection: &mut SqliteConnection,
    ) -> Result<Vec<Self::Outcome>, sqlx::Error> {
        let mut claims = Claims::look(connection, changes.iter().map(|change| &change.claim)).await?;
        let mut outcomes = Vec::with_capacity(changes.len());
        let mut entries = Vec::new();
        for change in changes {
            let admission = claims.admit(&change.claim);
            if admission == Admission::Replay {
                outcomes.push(None);
                continue;
            }
            let mut rows = Vec::new();
            for statement in change.sql {
                rows = run(connection, statement, &[&change.arguments]).await?;
            }
            let is_noted = !change.entries.is_empty() && change.has_changed(&rows)?;
            if is_noted {
                entries.extend(change.entries(admission));
            }
            let texts = rows.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?;
            outcomes.push(Some(StatementsOutcome { texts, is_noted }));
        }
        replay_guard::note(connection, &entries).await?;
        Ok(outcomes)
    }
}
