//! Removes many rows a thousand at a time, so that no statement takes long and none holds many locks.

use crate::database::{
    error::DatabaseError,
    postgres::{PostgresDatabase, attempt::Effect, lease::Statement},
};

/// How many rows are removed at once.
const BATCH: u32 = 1_000;

impl PostgresDatabase {
    /// Makes a change again until it removes fewer rows than it may, and returns how many it removed in all. The last
    /// two arguments of the statement, how many it may and its deadline, are bound here.
    pub(crate) async fn remove_in_batches<'q>(
        &self,
        statement: impl Fn() -> Statement<'q> + Send + Sync,
    ) -> Result<u64, DatabaseError> {
        let mut removed = 0;
        loop {
            let batch = self.execute(Effect::Repeatable, || statement().bind(i64::from(BATCH))).await?;
            removed += batch;
            if batch < u64::from(BATCH) {
                return Ok(removed);
            }
        }
    }
}
