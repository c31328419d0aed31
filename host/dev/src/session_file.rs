//! `.maro/dev.json`, the note that tells `maro say` where `maro dev` is running.
//!
//! It contains a token that lets its reader act in the simulation, so only its owner may read it.

use std::{
    fs::{self, File, TryLockError},
    io,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use url::Url;

use maro_process::secret::Secret;

/// The folder in the working folder where `maro dev` keeps everything.
pub const FOLDER: &str = ".maro";

const FILE: &str = "dev.json";

const LOCK: &str = "dev.lock";

/// The lock that only one `maro dev` per folder can hold. It is released when the process ends, even by a
/// crash.
#[derive(Debug)]
pub struct DevLock {
    _file: File,
}

impl DevLock {
    /// Creates `.maro/` in `folder` and takes the lock. Returns `None` if another `maro dev` holds it.
    ///
    /// # Errors
    /// If the folder or the file in it can't be written.
    pub fn take(folder: &Path) -> io::Result<Option<Self>> {
        let folder = folder.join(FOLDER);
        fs::create_dir_all(&folder)?;
        let file = File::create(folder.join(LOCK))?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Self { _file: file })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }
}

/// The addresses that a running `maro dev` listens on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DevSession {
    pub bot: Url,
    pub slack: Url,
    pub jira: Url,
    /// The token for the simulated Slack's operator routes.
    pub token: Secret,
    pub process_id: u32,
}

/// Why no session could be read.
#[derive(Debug, thiserror::Error)]
pub enum DevSessionError {
    #[error("no maro dev is running in this folder")]
    NotFound,
    #[error("{} can't be read", .path.display())]
    Unreadable { path: PathBuf, source: io::Error },
    #[error("{} wasn't written by maro dev", .path.display())]
    Malformed { path: PathBuf },
}

#[derive(Serialize, Deserialize)]
struct Note {
    bot: String,
    slack: String,
    jira: String,
    token: String,
    process_id: u32,
}

impl DevSession {
    /// Writes the note into `.maro/` in `folder`. Only its owner can read it. An older note is replaced in
    /// one step, so that a reader never sees half of one.
    ///
    /// # Errors
    /// If the folder or the file can't be written.
    pub fn write(&self, folder: &Path) -> io::Result<()> {
        let note = Note {
            bot: self.bot.to_string(),
            slack: self.slack.to_string(),
            jira: self.jira.to_string(),
            token: self.token.expose().to_owned(),
            process_id: self.process_id,
        };
        let folder = folder.join(FOLDER);
        fs::create_dir_all(&folder)?;
        let unfinished = folder.join(format!("{FILE}.{}", self.process_id));
        // A leftover file would keep its own permissions.
        remove_if_there(&unfinished)?;
        write_private(&unfinished, &serde_json::to_vec_pretty(&note)?)?;
        fs::rename(&unfinished, folder.join(FILE))
    }

    /// Reads the note in `folder` or in the nearest folder above it.
    ///
    /// # Errors
    /// [`DevSessionError`]: there is no note, or it can't be read.
    pub fn find(folder: &Path) -> Result<Self, DevSessionError> {
        for folder in folder.ancestors() {
            let path = folder.join(FOLDER).join(FILE);
            match fs::read(&path) {
                Ok(json) => return Self::parse(&json).ok_or(DevSessionError::Malformed { path }),
                Err(error) if is_absence(&error) => {}
                Err(source) => return Err(DevSessionError::Unreadable { path, source }),
            }
        }
        Err(DevSessionError::NotFound)
    }

    /// Removes the note when `maro dev` ends, unless another session has replaced it.
    ///
    /// # Errors
    /// If the note exists and can't be removed.
    pub fn remove(&self, folder: &Path) -> io::Result<()> {
        let path = folder.join(FOLDER).join(FILE);
        let is_ours = fs::read(&path).ok().and_then(|json| Self::parse(&json)).as_ref() == Some(self);
        if is_ours { remove_if_there(&path) } else { Ok(()) }
    }

    fn parse(json: &[u8]) -> Option<Self> {
        let note: Note = serde_json::from_slice(json).ok()?;
        Some(Self {
            bot: Url::parse(&note.bot).ok()?,
            slack: Url::parse(&note.slack).ok()?,
            jira: Url::parse(&note.jira).ok()?,
            token: Secret::new(note.token),
            process_id: note.process_id,
        })
    }
}

fn is_absence(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if !is_absence(&error) => Err(error),
        _ => Ok(()),
    }
}

fn write_private(path: &Path, content: &[u8]) -> io::Result<()> {
    use std::io::Write;

    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)?.write_all(content)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session() -> DevSession {
        DevSession {
            bot: Url::parse("http://127.0.0.1:3000/").unwrap(),
            slack: Url::parse("http://127.0.0.1:3001/").unwrap(),
            jira: Url::parse("http://127.0.0.1:3002/").unwrap(),
            token: Secret::new("abc"),
            process_id: 42,
        }
    }

    #[test]
    fn a_note_is_found_from_a_folder_below() {
        let folder = tempfile::tempdir().unwrap();
        let below = folder.path().join("plugins/track");
        fs::create_dir_all(&below).unwrap();
        assert!(matches!(DevSession::find(&below), Err(DevSessionError::NotFound)));
        session().write(folder.path()).unwrap();
        assert_eq!(DevSession::find(&below).unwrap(), session());
        session().remove(folder.path()).unwrap();
        assert!(matches!(DevSession::find(&below), Err(DevSessionError::NotFound)));
        session().remove(folder.path()).unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn only_the_owner_can_read_it_even_if_an_older_one_was_open_to_all() {
        use std::os::unix::fs::PermissionsExt;

        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(".maro/dev.json");
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, "{}").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).unwrap();
        session().write(folder.path()).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_later_sessions_note_is_not_removed() {
        let folder = tempfile::tempdir().unwrap();
        session().write(folder.path()).unwrap();
        DevSession { process_id: 43, ..session() }.remove(folder.path()).unwrap();
        assert_eq!(DevSession::find(folder.path()).unwrap(), session());
    }

    #[test]
    fn one_maro_dev_has_a_folder_until_it_ends() {
        let folder = tempfile::tempdir().unwrap();
        let first = DevLock::take(folder.path()).unwrap();
        assert!(first.is_some());
        assert!(DevLock::take(folder.path()).unwrap().is_none());
        drop(first);
        assert!(DevLock::take(folder.path()).unwrap().is_some());
    }

    #[test]
    fn a_note_that_is_none_is_named() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join(FOLDER)).unwrap();
        fs::write(folder.path().join(".maro/dev.json"), "{}").unwrap();
        assert!(matches!(DevSession::find(folder.path()), Err(DevSessionError::Malformed { .. })));
    }
}
