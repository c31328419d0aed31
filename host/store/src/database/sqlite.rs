//! A single SQLite file, the embedded default.
//!
//! sqlx runs each connection on its own thread, and a trip there costs more than the statement. So callers
//! queue for a few workers, and requests waiting at the same time share one trip.

use std::{path::Path, sync::Arc, time::Duration};

use sqlx::{Connection, migrate::MigrateError};
use tokio::sync::Mutex;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::database::{
    error::DatabaseError,
    migrations,
    sqlite::{
        checkpoint::Changes,
        connect::{File, Reopening, extended_code, primary_code},
        lock::{FileLock, cannot_open, folder_of, in_network_folder},
        queue::{Queue, queue},
        read::{Question, Readers},
        write::Change,
    },
};

mod error;
pub(crate) mod queue;
pub(crate) mod read;
pub(crate) mod statements;
pub(crate) mod write;

mod checkpoint;
mod connect;
mod lock;

/// How long the bot waits while another process locks the file.
pub const PATIENCE: Duration = Duration::from_secs(5);

/// Two, so that a long query doesn't hold up short ones. More wouldn't help.
const READERS: usize = 2;

/// An open file.
pub struct SqliteDatabase {
    patience: Duration,
    readers: Readers,
    write_connection: Arc<Mutex<Reopening>>,
    changes: Arc<Changes>,
    workers: TaskTracker,
    closing: CancellationToken,
    lock: FileLock,
}

impl SqliteDatabase {
    /// Opens the file, creates it if it doesn't exist, and brings its tables to the current schema. If another
    /// program locks the file, now or later, waits up to `patience`. Another MARO can't open it until
    /// [`SqliteDatabase::close`] or the end of this process.
    ///
    /// # Errors
    /// One sentence for the operator. It names the file.
    pub async fn open(path: &Path, patience: Duration) -> anyhow::Result<Self> {
        check_folder(path)?;
        let lock = FileLock::take(path).await?;
        let file = File { path: path.to_owned(), busy_timeout: patience };
        migrate(&file).await?;
        let (workers, closing) = (TaskTracker::new(), CancellationToken::new());
        let (readers, inbox) = queue(patience, closing.clone());
        let inbox = Arc::new(inbox);
        for _ in 0..READERS {
            workers.spawn(read::work(Arc::clone(&inbox), Reopening::new(file.clone())));
        }
        let changes = Arc::new(Changes::default());
        workers.spawn(checkpoint::work(Arc::clone(&changes), file.clone(), closing.clone()));
        let write_connection = Arc::new(Mutex::new(Reopening::new(file)));
        Ok(Self { patience, readers, write_connection, changes, workers, closing, lock })
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
        self.lock.release();
    }
}

/// SQLite itself only says "unable to open database file".
fn check_folder(path: &Path) -> anyhow::Result<()> {
    let folder = folder_of(path);
    if !folder.is_dir() {
        anyhow::bail!(
            "DATABASE_URL names the file {}, but the folder {} doesn't exist.",
            path.display(),
            folder.display()
        );
    }
    if path.is_dir() {
        anyhow::bail!("DATABASE_URL must name a file, but {} is a folder.", path.display());
    }
    Ok(())
}

async fn migrate(file: &File) -> anyhow::Result<()> {
    let mut connection = file.create().await.map_err(|error| describe(error, file))?;
    // The write lock makes other processes wait and turns all steps into one change.
    let mut transaction =
        connection.begin_with("BEGIN IMMEDIATE").await.map_err(|error| describe(error, file))?;
    match migrations::apply_sqlite(&mut transaction).await {
        Ok(()) => {}
        Err(MigrateError::Execute(error)) => return Err(describe(error, file)),
        Err(error) => {
            let sentence = migrations::sentence(&error, &migrations::SQLITE);
            return Err(anyhow::Error::new(error).context(sentence));
        }
    }
    transaction.commit().await.map_err(|error| describe(error, file))?;
    connection.close().await.map_err(|error| describe(error, file))
}

/// What to tell the operator if the file can't be opened.
fn describe(error: sqlx::Error, file: &File) -> anyhow::Error {
    let path = file.path.display();
    // https://sqlite.org/rescode.html
    let sentence = match (primary_code(&error), extended_code(&error)) {
        (Some(5 | 6), _) => format!("The database {path} is locked by another process."),
        (Some(8), _) => {
            format!("MARO can't write to the database {path}: check who owns the file and its folder.")
        }
        // The locks and the shared memory of the log, which network folders often don't have.
        (Some(15 | 22), _) | (_, Some(2058 | 2314 | 3594 | 3850 | 4618 | 4874 | 5130 | 5386)) => {
            in_network_folder(&file.path)
        }
        (Some(10), _) => format!(
            "MARO can't read or write the database {path}: its disk fails, or it's in a network folder, and \
             SQLite needs a local disk."
        ),
        (Some(11), _) => format!("The database {path} is damaged. Restore it from a backup."),
        (Some(13), _) => format!("There's no disk space left for the database {path}."),
        (Some(14), _) => cannot_open(&file.path),
        (Some(26), _) => format!("{path} isn't a SQLite database."),
        _ => format!("MARO can't open the database {path}."),
    };
    anyhow::Error::new(error).context(sentence)
}
