//! The lock by which a file belongs to one process.
//!
//! It's on a file of its own. On the database itself, closing it would drop SQLite's locks, and on network
//! folders it would be in their way. The system releases it when the process ends, however it ends.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Read as _, Write as _},
    os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _, fchown},
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use anyhow::Context as _;
use tokio::time::Instant;

use crate::database::sqlite::{
    diagnosis::{cannot_open, in_network_folder},
    paths::{actual_path, beside, create_private, identity},
};

/// How long to wait for a process that is ending.
const PATIENCE: Duration = Duration::from_secs(1);

const RETRY_AFTER: Duration = Duration::from_millis(50);

/// What SQLite and MARO put beside a database, as endings of its name.
const BESIDE: [&str; 3] = ["-wal", "-shm", LOCK];

const LOCK: &str = "-lock";

/// What makes a file this process's own until it's released or dropped.
pub(super) struct FileLock {
    path: PathBuf,
    file: Mutex<Option<File>>,
}

impl FileLock {
    /// Makes the file this process's own, whether it exists yet or not.
    ///
    /// # Errors
    /// One sentence for the operator.
    pub(super) async fn take(name: &Path) -> anyhow::Result<Self> {
        let path = actual_path(name).with_context(|| cannot_open(name))?;
        let lock = lock_file(&path).with_context(|| cannot_open(name))?;
        let started = Instant::now();
        loop {
            match lock.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) if started.elapsed() < PATIENCE => {
                    tokio::time::sleep(RETRY_AFTER).await;
                }
                Err(TryLockError::WouldBlock) => anyhow::bail!(is_taken(name, &path, lock)),
                Err(TryLockError::Error(error)) => {
                    return Err(anyhow::Error::new(error).context(in_network_folder(name)));
                }
            }
        }
        // Only a help for a program that finds it taken.
        let _ = note_owner(&lock);
        if let Ok(database) = fs::metadata(&path) {
            // A backup may be restored under another account than the bot's, which has to open the lock.
            let _ = fchown(&lock, Some(database.uid()), Some(database.gid()));
        }
        check_names(&path)?;
        warn_of_readers(&path);
        Ok(Self { path, file: Some(lock).into() })
    }

    /// Creates an empty database if there is none, for its owner alone. SQLite would create one that others may
    /// read.
    pub(super) fn create_database(&self) -> io::Result<()> {
        match create_private(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            result => result.map(drop),
        }
    }

    /// Takes it again if somebody has deleted its file, as one that seemed to be left over.
    ///
    /// # Errors
    /// A sentence for the operator, if another process was faster.
    pub(super) fn keep(&self) -> Result<(), String> {
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(held) = file.as_ref() else { return Ok(()) };
        let there = fs::metadata(beside(&self.path, LOCK)).ok();
        if there.is_some_and(|there| held.metadata().is_ok_and(|held| identity(&held) == identity(&there))) {
            return Ok(());
        }
        // Where it can't be made, nobody else can make it, either.
        let Ok(again) = lock_file(&self.path) else { return Ok(()) };
        match again.try_lock() {
            Err(TryLockError::WouldBlock) => Err(is_taken(&self.path, &self.path, again)),
            Err(TryLockError::Error(_)) => Ok(()),
            Ok(()) => {
                let _ = note_owner(&again);
                *file = Some(again);
                Ok(())
            }
        }
    }

    /// Call this once SQLite's connections are closed.
    pub(super) fn release(&self) {
        *self.file.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

fn lock_file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).mode(0o600);
    options.open(beside(path, LOCK))
}

fn note_owner(mut lock: &File) -> io::Result<()> {
    let host = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let on_host = if host.is_empty() { String::new() } else { format!(" on {}", host.trim()) };
    lock.set_len(0)?;
    writeln!(lock, "process {}{on_host}", std::process::id())
}

fn is_taken(name: &Path, path: &Path, lock: File) -> String {
    let mut owner = String::new();
    // Enough for any host's name.
    let is_read = lock.take(400).read_to_string(&mut owner).is_ok_and(|length| length > 0);
    let owner = if is_read { format!(" ({})", owner.trim()) } else { String::new() };
    let path = if name == path { String::new() } else { format!(", which is {}", path.display()) };
    format!(
        "Another MARO{owner} is using the database {}{path}, and a SQLite file is for one process: stop the other one \
         first.",
        name.display()
    )
}

/// SQLite names its log after the file. With two names there would be two logs, and the file would be damaged.
fn check_names(path: &Path) -> anyhow::Result<()> {
    let names = fs::metadata(path).map_or(0, |metadata| metadata.nlink());
    if names > 1 {
        anyhow::bail!(
            "The database {} has {names} names (hard links), and another MARO may be using it under another one, \
             which would damage it: remove the other names.",
            path.display()
        );
    }
    Ok(())
}

fn warn_of_readers(path: &Path) {
    let files = std::iter::once(path.to_owned()).chain(BESIDE.map(|ending| beside(path, ending)));
    for file in files {
        let Ok(metadata) = fs::metadata(&file) else { continue };
        let mode = metadata.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            tracing::warn!(
                file = %file.display(),
                mode = format!("{mode:o}"),
                "others on this machine may open the database: run chmod 600 on this file"
            );
        }
    }
}
