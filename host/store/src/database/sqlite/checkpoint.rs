//! Writes SQLite's log back into the file soon after changes, so that a copy of the file alone is whole. SQLite
//! itself does so once the log is long, and the next change then has to wait for it.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime},
};

use sqlx::{Connection as _, Row as _, SqliteConnection};
use tokio::{sync::Notify, time::Instant};
use tokio_util::sync::CancellationToken;

use crate::database::sqlite::{
    connect::{File, is_busy, touch},
    place::Place,
};

/// How long nothing may have been changed before it's done.
const QUIET: Duration = Duration::from_secs(2);

/// When it's done even though changes go on.
const LATEST: Duration = Duration::from_secs(30);

/// How many pages [`begin_log`] leaves in the log at most.
const BEGINNING: i64 = 2;

/// Counts the changes.
#[derive(Default)]
pub(super) struct Changes {
    count: AtomicU64,
    any: Notify,
}

impl Changes {
    /// Call this after every change. It costs next to nothing.
    pub(super) fn note(&self) {
        self.count.fetch_add(1, Ordering::Relaxed);
        self.any.notify_one();
    }

    fn count(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
    }

    /// Waits until there is a change beyond `seen`, and then until the log isn't written to any more. Most of a quiet
    /// bot's changes find nothing to change, and leave the log as it is.
    async fn wait_for_pause(&self, seen: u64, log: &Path) {
        while self.count() == seen {
            self.any.notified().await;
        }
        let latest = Instant::now() + LATEST;
        loop {
            let before = state(log).await;
            tokio::time::sleep(QUIET).await;
            if state(log).await == before || Instant::now() >= latest {
                return;
            }
        }
    }
}

/// When a file was last written to, and its size. `None` if it isn't there.
async fn state(file: &Path) -> Option<(SystemTime, u64)> {
    let metadata = tokio::fs::metadata(file).await.ok()?;
    Some((metadata.modified().ok()?, metadata.len()))
}

/// Writes the log back after changes until the database closes. It has its own connection while it does, so
/// that nobody waits for it.
pub(super) async fn work(changes: Arc<Changes>, file: File, place: Arc<Place>, closing: CancellationToken) {
    let (mut written, mut is_failing) = (0, false);
    while closing.run_until_cancelled(changes.wait_for_pause(written, place.log())).await.is_some() {
        let count = changes.count();
        if place.check().is_err() {
            // The next change is refused, with the reason. The log would end up in a file that it doesn't belong to.
            written = count;
            continue;
        }
        match write_back(&file).await {
            Ok(true) => (written, is_failing) = (count, false),
            // A reader still needs the rest of the log.
            Ok(false) => is_failing = false,
            Err(error) => {
                if !is_failing && !is_busy(&error) {
                    tracing::warn!(%error, "the database's log can't be written back into its file");
                }
                is_failing = true;
            }
        }
    }
}

/// Whether all of the log is in the file now.
async fn write_back(file: &File) -> Result<bool, sqlx::Error> {
    let mut connection = file.open().await?;
    // PASSIVE waits for nobody, and keeps nobody waiting.
    let row = sqlx::query("PRAGMA wal_checkpoint(PASSIVE)").fetch_one(&mut connection).await?;
    let (in_log, in_file): (i64, i64) = (row.try_get(1)?, row.try_get(2)?);
    // What a new log begins with is all that there is if nothing was changed.
    if in_log == in_file && in_log > BEGINNING {
        begin_log(&mut connection).await?;
    }
    connection.close().await?;
    Ok(in_log == in_file)
}

/// The first change after a log was written back begins a new log, and waits for the disk. This is that change.
/// It changes nothing.
async fn begin_log(connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    touch(&mut transaction).await?;
    transaction.commit().await
}
