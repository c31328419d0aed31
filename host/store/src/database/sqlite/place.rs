//! Whether the names of the database still lead to the files that this process has open.
//!
//! SQLite doesn't look. In a file that was deleted, or that another has taken the place of, it would go on as if nothing
//! had happened, and whatever people are told is done would be gone with the process.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::database::{
    error::DatabaseError,
    sqlite::{
        lock::FileLock,
        paths::{Identity, actual_path, beside, identity},
    },
};

/// Why what is changed now wouldn't last. The operator reads it in the log.
#[derive(Debug, thiserror::Error)]
enum Misplaced {
    #[error(
        "the database {} was moved, deleted or replaced while MARO was running on it: put it back, or start MARO again \
         with the file that you want",
        .0.display()
    )]
    Database(PathBuf),
    #[error(
        "{} was deleted while MARO was running: start MARO again. What was acknowledged before is in the database",
        .0.display()
    )]
    Log(PathBuf),
    #[error("the lock of the database was deleted while MARO was running. {0}")]
    Lock(String),
}

/// The database, its log and its lock.
pub(super) struct Place {
    name: PathBuf,
    log: PathBuf,
    lock: FileLock,
    ours: Identity,
    /// The log that the connection for changes writes to.
    open_log: Mutex<Option<Identity>>,
}

impl Place {
    /// Call this once the file was written to: until then, a layered file system may show another number for it. While
    /// SQLite has it open, no other file gets that number.
    pub(super) fn of(name: &Path, lock: FileLock) -> io::Result<Self> {
        let (name, log) = (name.to_owned(), beside(&actual_path(name)?, "-wal"));
        let ours = identity(&fs::metadata(&name)?);
        Ok(Self { name, log, lock, ours, open_log: None.into() })
    }

    /// Whether SQLite may open the file.
    ///
    /// # Errors
    /// [`DatabaseError::Unavailable`] if the name leads elsewhere by now, or the log was deleted.
    pub(super) fn check(&self) -> Result<(), DatabaseError> {
        if at(&self.name) != Some(self.ours) {
            return Err(misplaced(Misplaced::Database(self.name.clone())));
        }
        match *self.open_log() {
            Some(open) if at(&self.log) != Some(open) => Err(misplaced(Misplaced::Log(self.log.clone()))),
            _ => Ok(()),
        }
    }

    /// Where SQLite keeps the log of the file, which may be named by a link.
    pub(super) fn log(&self) -> &Path {
        &self.log
    }

    /// Takes the lock again if its file was deleted.
    ///
    /// # Errors
    /// [`DatabaseError::Unavailable`] if another process has it.
    pub(super) fn keep_lock(&self) -> Result<(), DatabaseError> {
        self.lock.keep().map_err(|taken| misplaced(Misplaced::Lock(taken)))
    }

    /// Call this after a change: SQLite has the log open from then on, for as long as its connection is.
    pub(super) fn note_log(&self) {
        let mut open = self.open_log();
        if open.is_none() {
            *open = at(&self.log);
        }
    }

    /// Call this when the connection for changes is closed.
    pub(super) fn forget_log(&self) {
        *self.open_log() = None;
    }

    /// Call this once SQLite's connections are closed.
    pub(super) fn release(&self) {
        self.lock.release();
    }

    fn open_log(&self) -> MutexGuard<'_, Option<Identity>> {
        self.open_log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The file that a path leads to.
fn at(path: &Path) -> Option<Identity> {
    fs::metadata(path).ok().map(|metadata| identity(&metadata))
}

fn misplaced(why: Misplaced) -> DatabaseError {
    DatabaseError::Unavailable(Arc::new(why))
}
