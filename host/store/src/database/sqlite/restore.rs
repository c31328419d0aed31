//! Puts a backup into the place of the file, while no bot is running on it.

use std::{
    fs::{self, File as OpenFile},
    io::{self, Read as _},
    os::unix::fs::{MetadataExt as _, chown},
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use jiff::Timestamp;
use sqlx::{Connection as _, SqliteConnection};

use crate::database::sqlite::{
    connect::{File, PATIENCE, primary_code},
    diagnosis::{cannot_open, check_folder, describe},
    inspect::count_missing,
    lock::FileLock,
    paths::{actual_path, beside, create_private, folder_of, identity},
};

/// Replaces the database by a copy of a backup, once that has proved to be a database of MARO's in good order. The
/// previous one stays beside it under another name, which is returned.
///
/// # Errors
/// One sentence for the operator. The database is as it was.
pub(in crate::database) async fn restore(
    path: &Path,
    from: &Path,
    now: Timestamp,
) -> anyhow::Result<Option<PathBuf>> {
    check_folder(path)?;
    let lock = FileLock::take(path).await?;
    let place = actual_path(path).with_context(|| cannot_open(path))?;
    check_source(from, &place)?;
    let copy = Copy::of(from, &place)?;
    check(&copy.0, from).await?;
    write_back(&place).await;
    let kept = copy
        .replace(&place, now)
        .with_context(|| format!("MARO can't replace the database {}.", path.display()))?;
    lock.release();
    Ok(kept)
}

fn check_source(from: &Path, place: &Path) -> anyhow::Result<()> {
    let name = from.display();
    if from.is_dir() {
        anyhow::bail!("{name} is a folder, and not a backup.");
    }
    let Ok(source) = fs::metadata(from) else { anyhow::bail!("There's no file {name}.") };
    let is_same = |other: fs::Metadata| identity(&source) == identity(&other);
    if fs::metadata(place).is_ok_and(is_same) {
        anyhow::bail!("{name} is the database itself, and not a backup.");
    }
    Ok(())
}

/// A copy of the backup beside the database. It's removed unless it takes the database's place.
struct Copy(PathBuf);

impl Copy {
    /// With the log that lies beside the backup, if that was copied by hand.
    fn of(from: &Path, place: &Path) -> anyhow::Result<Self> {
        let copy = Self(beside(place, "-restoring"));
        copy.remove();
        let from_log = beside(from, "-wal");
        let mut pairs = vec![(from.to_owned(), copy.0.clone())];
        if from_log.exists() {
            pairs.push((from_log, beside(&copy.0, "-wal")));
        }
        for (from, to) in pairs {
            let sentence = || format!("MARO can't copy {} beside the database.", from.display());
            let mut source = OpenFile::open(&from).with_context(sentence)?;
            let mut target = create_private(&to).with_context(sentence)?;
            io::copy(&mut source, &mut target).with_context(sentence)?;
            target.sync_all().with_context(sentence)?;
        }
        Ok(copy)
    }

    /// Takes the database's place. There's a whole database there at every moment.
    fn replace(&self, place: &Path, now: Timestamp) -> io::Result<Option<PathBuf>> {
        let previous = fs::metadata(place).ok();
        let owner = match &previous {
            Some(previous) => previous.clone(),
            None => fs::metadata(folder_of(place))?,
        };
        // This may run under another account than the bot's, which has to open the file.
        let _ = chown(&self.0, Some(owner.uid()), Some(owner.gid()));
        let kept = beside(place, &format!("-before-restore-{}", now.strftime("%Y%m%dT%H%M%SZ")));
        if kept.exists() {
            return Err(io::Error::new(io::ErrorKind::AlreadyExists, format!("{} exists", kept.display())));
        }
        // SQLite would take the log of the previous one for the new one's.
        for ending in ["-wal", "-shm"] {
            match fs::rename(beside(place, ending), beside(&kept, ending)) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                result => result?,
            }
        }
        if previous.is_some() && fs::hard_link(place, &kept).is_err() {
            // Not every file system has links.
            fs::rename(place, &kept)?;
        }
        fs::rename(&self.0, place)?;
        OpenFile::open(folder_of(place))?.sync_all()?;
        Ok(previous.map(|_| kept))
    }

    fn remove(&self) {
        for ending in ["", "-wal", "-shm", "-journal"] {
            let _ = fs::remove_file(beside(&self.0, ending));
        }
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        self.remove();
    }
}

/// Whether the copy of a backup is a database that this MARO can work with.
async fn check(copy: &Path, from: &Path) -> anyhow::Result<()> {
    let describe = |error: sqlx::Error| match primary_code(&error) {
        Some(11) => anyhow::Error::new(error).context(is_damaged(from)),
        _ => describe(error, from),
    };
    let mut connection = open(copy).await.map_err(describe)?;
    let integrity = "PRAGMA integrity_check(1)";
    let found: String = sqlx::query_scalar(integrity).fetch_one(&mut connection).await.map_err(describe)?;
    if found != "ok" {
        return Err(anyhow::anyhow!(found).context(is_damaged(from)));
    }
    let tables =
        "SELECT count(*) FROM sqlite_schema WHERE name IN ('_sqlx_migrations', 'channel_tracked_issues')";
    let count: i64 = sqlx::query_scalar(tables).fetch_one(&mut connection).await.map_err(describe)?;
    if count < 2 {
        anyhow::bail!("{} isn't a database of MARO's.", from.display());
    }
    count_missing(&mut connection, from).await?;
    close(connection).await.map_err(describe)
}

fn is_damaged(from: &Path) -> String {
    format!("{} is damaged: restore another backup.", from.display())
}

/// Empties the log of the previous database, so that its file alone is whole. One that is damaged is kept with
/// its log.
async fn write_back(place: &Path) {
    // A connection that can't be opened closes in the background, and may take the log with it.
    if is_sqlite(place)
        && let Ok(connection) = open(place).await
    {
        let _ = close(connection).await;
    }
}

fn is_sqlite(place: &Path) -> bool {
    let mut header = [0; 16];
    let read = OpenFile::open(place).and_then(|mut file| file.read_exact(&mut header));
    read.is_ok() && header == *b"SQLite format 3\0"
}

async fn open(path: &Path) -> Result<SqliteConnection, sqlx::Error> {
    File { path: path.to_owned(), busy_timeout: PATIENCE }.open_as_it_is().await
}

async fn close(mut connection: SqliteConnection) -> Result<(), sqlx::Error> {
    sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").execute(&mut connection).await?;
    connection.close().await
}
