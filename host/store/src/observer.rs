//! Watching every call of the tables: which one, how it ended, and how long it took.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use tracing::Instrument as _;

use crate::database::error::DatabaseError;
use maro_process::spans;

/// Learns of every call of the database. Called on the way of each command, so it mustn't cost much.
pub trait CallObserver: Send + Sync {
    /// `call` is the operation's name, one of the names of the tables' methods.
    fn ended(&self, call: &'static str, error: Option<&DatabaseError>, took: Duration);
}

/// The error of a call of the database.
pub(crate) trait CallError {
    /// `None` if the database wasn't called.
    fn of_database(&self) -> Option<&DatabaseError>;
}

impl CallError for DatabaseError {
    fn of_database(&self) -> Option<&DatabaseError> {
        // The database did what it should.
        if let Self::Replayed = self { None } else { Some(self) }
    }
}

/// A table whose calls somebody watches.
pub(crate) struct Observed<Table: ?Sized> {
    pub(crate) table: Arc<Table>,
    pub(crate) observer: Arc<dyn CallObserver>,
}

impl<Table: ?Sized> Observed<Table> {
    pub(crate) async fn watch<T, E: CallError>(
        &self,
        call: &'static str,
        work: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        let span = spans::database(call);
        let began = Instant::now();
        let result = work.instrument(span.clone()).await;
        match result.as_ref().err().map(CallError::of_database) {
            Some(None) => {}
            ended => {
                let error = ended.flatten();
                if error.is_some() {
                    span.in_scope(spans::note_failure);
                }
                self.observer.ended(call, error, began.elapsed());
            }
        }
        result
    }
}
