//! A single SQLite file, the embedded default.
//!
//! sqlx runs each connection on its own thread, and a trip there costs more than the statement. So callers
//! queue for a few workers, and requests waiting at the same time share one trip.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use anyhow::Context as _;
use sqlx::{Connection, SqliteConnection};
use tokio::sync::Mutex;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::database::{
    error::DatabaseError,
    migrations,
    sqlite::{
        checkpoint::Changes,
        connect::{File, PATIENCE},
        diagnosis::{cannot_open, check_folder, describe, describe_migration},
        lock::FileLock,
        place::Place,
        queue::{Queue, queue},
        read::{Question, Readers},
        reopening::Reopening,
        write::Change,
        write_probe::Trial,
    },
};

pub(crate) mod backup;
pub(crate) mod clock;
mod error;
pub(crate) mod inspect;
pub(crate) mod queue;
pub(crate) mod read;
pub(crate) mod restore;
pub(crate) mod statements;
pub(crate) mod write;

mod checkpoint;
pub(in crate::database) mod connect;
mod diagnosis;
mod lock;
mod paths;
mod place;
mod reopening;
mod write_probe;

/// Two, so that a long query doesn't hold up short ones. More wouldn't help.
const READERS: usize = 2;

/// An open file.
pub struct SqliteDatabase {
    path: PathBuf,
    patience: Duration,
    readers: Readers,
    trials: Queue<Trial, ()>,
    write_connection: Arc<Mutex<Reopening>>,
    changes: Arc<Changes>,
    workers: TaskTracker,
    closing: CancellationToken,
    place: Arc<Place>,
}

impl SqliteDatabase {
    /// Opens the file, creates it if it doesn't exist, and brings its tables to the current schema. If another
    /// program locks the file, now or later, waits up to `patience`. Another MARO can't open it until
    /// it is closed, or the end of this process.
    ///
    /// # Errors
    /// One sentence for the operator. It names the file.
    pub async fn open(path: &Path, patience: Duration) -> anyhow::Result<Self> {
        check_folder(path)?;
        let lock = FileLock::take(path).await?;
        lock.create_database().with_context(|| cannot_open(path))?;
        let file = File { path: path.to_owned(), busy_timeout: patience };
        migrate(&file).await?;
        let place = Arc::new(Place::of(path, lock).with_context(|| cannot_open(path))?);
        let (workers, closing) = (TaskTracker::new(), CancellationToken::new());
        let (readers, inbox) = queue(patience, closing.clone());
        let inbox = Arc::new(inbox);
        for _ in 0..READERS {
            workers.spawn(read::work(Arc::clone(&inbox), Reopening::new(file.clone(), Arc::clone(&place))));
        }
        let changes = Arc::new(Changes::default());
        let write_back =
            checkpoint::work(Arc::clone(&changes), file.clone(), Arc::clone(&place), closing.clone());
        workers.spawn(write_back);
        let write_connection = Arc::new(Mutex::new(Reopening::new(file, Arc::clone(&place))));
        let (trials, inbox) = queue(patience, closing.clone());
        workers.spawn(write::work(inbox, Arc::clone(&write_connection), Arc::clone(&changes)));
        let path = path.to_owned();
        Ok(Self { path, patience, readers, trials, write_connection, changes, workers, closing, place })
    }

    /// A connection that changes nothing. A MARO may be running on the file.
    ///
    /// # Errors
    /// One sentence for the operator. It names the file.
    pub(crate) async fn open_to_read(path: &Path) -> anyhow::Result<SqliteConnection> {
        check_folder(path)?;
        anyhow::ensure!(path.exists(), "There is no database {} yet.", path.display());
        let file = File { path: path.to_owned(), busy_timeout: PATIENCE };
        file.open_as_it_is().await.map_err(|error| describe(error, path))
    }

    /// Tries whether a change could be made, and leaves nothing behind.
    pub(crate) async fn try_change(&self) -> Result<(), DatabaseError> {
        self.trials.ask(Trial).await?;
        write_probe::try_room_elsewhere(&self.path).await
    }

    /// The answer to a question, as JSON.
    pub(crate) async fn read(&self, question: Question) -> Result<String, DatabaseError> {
        self.readers.ask(question).await
    }

    /// Starts a writer and returns its queue.
    pub(crate) fn start_writer<C: Change>(&self) -> Queue<C, C::Outcome> {
        // SQLite may first wait for another process's lock, and then the others in the queue have their turn.
        let (writer, inbox) = queue(self.patience + self.patience / 2, self.closing.clone());
        self.workers.spawn(write::work(inbox, Arc::clone(&self.write_connection), Arc::clone(&self.changes)));
        writer
    }

    /// Handles what is in the queues, and closes the connections.
    pub(super) async fn close(&self) {
        self.closing.cancel();
        self.workers.close();
        self.workers.wait().await;
        self.write_connection.lock().await.close().await;
        self.place.release();
    }
}

/// The workers keep their connections a little longer, and the file is another's at once.
impl Drop for SqliteDatabase {
    fn drop(&mut self) {
        self.place.release();
    }
}

async fn migrate(file: &File) -> anyhow::Result<()> {
    let describe = |error| describe(error, &file.path);
    let mut connection = file.create().await.map_err(describe)?;
    // The write lock makes other programs wait and turns all steps into one change.
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await.map_err(describe)?;
    let migrated = migrations::apply_sqlite(&mut transaction).await;
    migrated.map_err(|error| describe_migration(error, &file.path))?;
    transaction.commit().await.map_err(describe)?;
    connection.close().await.map_err(describe)
}
