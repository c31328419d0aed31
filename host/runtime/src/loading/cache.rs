//! Compiled plugins on disk, so that nothing is compiled again after a restart.
//!
//! Running an entry means trusting it as much as this program, so entries live in a folder that only its
//! owner can enter, and each carries a digest, which tells damaged and renamed entries. Anything doubtful
//! counts as absent.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Read as _, Write as _},
    os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
    time::SystemTime,
};

use sha2::{Digest as _, Sha256};

/// The length of the digest in front of each entry, in bytes.
const DIGEST_LENGTH: usize = 32;

/// The largest entry, in bytes. A plugin in Python compiles to about 60 MiB.
pub(super) const MAX_ENTRY_BYTES: u64 = 256 * 1024 * 1024;

/// The largest size of the whole folder, in bytes. Above it, the least recently used entries are removed.
const MAX_FOLDER_BYTES: u64 = 1024 * 1024 * 1024;

/// The ending of an entry's name.
const EXTENSION: &str = "cwasm";

/// A folder of compiled plugins.
#[derive(Debug)]
pub(crate) struct CodeCache {
    dir: PathBuf,
}

impl CodeCache {
    /// Opens the folder, or creates it.
    ///
    /// # Errors
    /// The folder can't be created, belongs to somebody else, or is open to others.
    pub(crate) fn open(dir: &Path) -> io::Result<Self> {
        DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
        let metadata = fs::metadata(dir)?;
        if metadata.permissions().mode() & 0o077 != 0 {
            return Err(io::Error::other("other users can access it: set its mode to 700"));
        }
        // The owner of a new file is this user, without asking the C library.
        let probe = dir.join(format!(".probe-{:016x}", rand::random::<u64>()));
        let owner = private_file(&probe)?.metadata()?.uid();
        fs::remove_file(&probe)?;
        if owner != metadata.uid() {
            return Err(io::Error::other("it belongs to another user"));
        }
        Ok(Self { dir: dir.to_owned() })
    }

    /// The compiled code stored under `key`, if it is there and whole.
    pub(crate) fn get(&self, key: &str) -> Option<Vec<u8>> {
        let mut file = File::open(self.path(key)).ok()?;
        let length = file.metadata().ok()?.len();
        if length > MAX_ENTRY_BYTES {
            return None;
        }
        let mut entry = Vec::with_capacity(usize::try_from(length).ok()?);
        (&mut file).take(MAX_ENTRY_BYTES).read_to_end(&mut entry).ok()?;
        let (digest, code) = entry.split_at_checked(DIGEST_LENGTH)?;
        if digest_of(key, code) != *digest {
            tracing::warn!(key, "recompiling a plugin because its entry in the code cache is damaged");
            return None;
        }
        // The time of last use decides what is removed when the folder is full. Failing to note it does no
        // harm.
        let _ = file.set_modified(now());
        entry.drain(..DIGEST_LENGTH);
        Some(entry)
    }

    /// Stores compiled code under `key`, whole or not at all.
    ///
    /// # Errors
    /// The file can't be written.
    pub(crate) fn put(&self, key: &str, code: &[u8]) -> io::Result<()> {
        self.make_room(code.len() as u64)?;
        let temporary = self.dir.join(format!(".{:016x}", rand::random::<u64>()));
        let written = private_file(&temporary).and_then(|mut file| {
            file.write_all(&digest_of(key, code))?;
            file.write_all(code)?;
            fs::rename(&temporary, self.path(key))
        });
        if written.is_err() {
            let _ = fs::remove_file(&temporary);
        }
        written
    }

    fn path(&self, key: &str) -> PathBuf {
        self.dir.join(key).with_extension(EXTENSION)
    }

    /// Removes the least recently used entries until `needed` bytes fit.
    fn make_room(&self, needed: u64) -> io::Result<()> {
        let mut entries = Vec::new();
        for entry in fs::read_dir(&self.dir)?.flatten() {
            if let Ok(metadata) = entry.metadata()
                && metadata.is_file()
                && entry.path().extension().is_some_and(|extension| extension == EXTENSION)
            {
                entries.push((
                    metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH),
                    metadata.len(),
                    entry.path(),
                ));
            }
        }
        entries.sort();
        let mut total = entries.iter().map(|(_, length, _)| length).sum::<u64>() + needed;
        for (_, length, path) in entries {
            if total <= MAX_FOLDER_BYTES {
                break;
            }
            fs::remove_file(path)?;
            total -= length;
        }
        Ok(())
    }
}

/// Over the key and the code: one plugin's code must not run as another's.
fn digest_of(key: &str, code: &[u8]) -> [u8; DIGEST_LENGTH] {
    Sha256::new_with_prefix(key).chain_update(code).finalize().into()
}

fn private_file(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

#[expect(clippy::disallowed_methods, reason = "file times are the file system's business, not the clock's")]
fn now() -> SystemTime {
    SystemTime::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_put_comes_back_until_it_is_damaged() {
        let dir = tempfile::tempdir().unwrap();
        let cache = CodeCache::open(&dir.path().join("cache")).unwrap();
        assert_eq!(cache.get("a"), None);
        cache.put("a", b"machine code").unwrap();
        assert_eq!(cache.get("a").as_deref(), Some(&b"machine code"[..]));

        let path = cache.path("a");
        fs::copy(&path, cache.path("b")).unwrap();
        assert_eq!(cache.get("b"), None, "another's entry");
        let mut bytes = fs::read(&path).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        fs::write(&path, &bytes).unwrap();
        assert_eq!(cache.get("a"), None, "a flipped bit");
        fs::write(&path, &bytes[..10]).unwrap();
        assert_eq!(cache.get("a"), None, "a cut entry");
        fs::write(&path, b"").unwrap();
        assert_eq!(cache.get("a"), None, "an empty entry");
    }

    #[test]
    fn a_folder_that_others_may_enter_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let modes = (0..6).map(|bit| 0o700 | 1 << bit).chain([0o770, 0o750, 0o755, 0o777]);
        for mode in modes {
            fs::set_permissions(dir.path(), fs::Permissions::from_mode(mode)).unwrap();
            let error = CodeCache::open(dir.path()).unwrap_err();
            assert!(error.to_string().contains("set its mode to 700"), "{mode:o}: {error}");
        }
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o700)).unwrap();
        CodeCache::open(dir.path()).unwrap();
    }

    #[test]
    fn a_folder_of_somebody_else_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o700)).unwrap();
        if std::os::unix::fs::chown(dir.path(), Some(12_345), None).is_err() {
            // Only root can give a folder away.
            return;
        }
        let error = CodeCache::open(dir.path()).unwrap_err();
        assert!(error.to_string().contains("it belongs to another user"), "{error}");
    }

    #[test]
    fn nobody_else_can_enter_or_read_what_is_kept() {
        let dir = tempfile::tempdir().unwrap();
        let cache = CodeCache::open(&dir.path().join("a/cache")).unwrap();
        cache.put("a", b"machine code").unwrap();
        for (path, mode) in [(&cache.dir, 0o700), (&cache.path("a"), 0o600)] {
            assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, mode, "{path:?}");
        }
    }

    #[test]
    fn a_full_folder_loses_what_was_unused_for_longest() {
        let dir = tempfile::tempdir().unwrap();
        let cache = CodeCache::open(&dir.path().join("cache")).unwrap();
        // Sparse files: they are large, but take no space.
        for (key, age) in [("oldest", 300), ("older", 200), ("newer", 100)] {
            let file = private_file(&cache.path(key)).unwrap();
            file.set_len(MAX_FOLDER_BYTES / 4).unwrap();
            file.set_modified(now() - std::time::Duration::from_secs(age)).unwrap();
        }
        let has = |key: &str| cache.path(key).exists();
        cache.put("small", b"code").unwrap();
        assert!(has("oldest") && has("older") && has("newer"), "there was room");
        cache.make_room(MAX_FOLDER_BYTES / 2).unwrap();
        assert!(!has("oldest") && !has("older") && has("newer") && has("small"));
    }
}
