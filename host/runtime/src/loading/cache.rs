//! Compiled plugins on disk, so that nothing is compiled again after a restart.
//!
//! Running an entry means trusting it as much as this program. So entries lie in a folder that only its owner can
//! enter, each signed with a key that lies beside it, or in one that an image brings and nobody here can write.
//! Anything doubtful counts as absent.

use std::{
    collections::{HashMap, HashSet},
    ffi::CString,
    io::{self, Read as _},
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::SystemTime,
};

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};

use crate::loading::cache_folder::CacheFolder;

/// What stands before the code: the signature, for where there is a key, and a digest, for where there is none.
/// The length of each, in bytes.
const DIGEST_LENGTH: usize = 32;

/// The largest entry, in bytes. A plugin in Python compiles to about 60 MiB.
pub(super) const MAX_ENTRY_BYTES: u64 = 256 * 1024 * 1024;

/// The size that the whole folder may always have, in bytes. If what is in use here takes more than half of it, it
/// may have twice that. Above it, the least recently used entries are removed, but none that are in use.
const FOLDER_BYTES: u64 = 1024 * 1024 * 1024;

/// The ending of an entry's name, and that of entries of this form: earlier ones weren't signed.
const EXTENSION: &str = ".cwasm";
const ENDING: &str = ".2.cwasm";

/// A folder of compiled plugins.
#[derive(Debug)]
pub(crate) struct CodeCache {
    folder: CacheFolder,
    /// By key: who uses an entry keeps its lease.
    leases: Mutex<HashMap<String, Weak<()>>>,
}

impl CodeCache {
    /// Opens the folder, or creates it.
    ///
    /// # Errors
    /// The folder can't be created, or it isn't safe to run what is in it.
    pub(crate) fn open(dir: &Path) -> io::Result<Self> {
        let folder = CacheFolder::open(dir)?;
        folder.sweep();
        let cache = Self { folder, leases: Mutex::default() };
        // Nobody looks through a cache of MARO's own at a start.
        if cache.is_given() && cache.has_entries() {
            tracing::info!(dir = %dir.display(), "using the image's code cache, which is read-only");
        } else if cache.is_given() {
            tracing::warn!(
                dir = %dir.display(),
                "the code cache is empty, and MARO may not write to it: plugins are compiled at each start; make the \
                 user that MARO runs as its owner"
            );
        }
        Ok(cache)
    }

    /// Whether anything compiled is in it.
    pub(crate) fn has_entries(&self) -> bool {
        self.folder.entries(EXTENSION).is_ok_and(|entries| !entries.is_empty())
    }

    /// Keeps the entry under `key` from being removed, be it there or not yet, as long as the lease is kept.
    pub(crate) fn lease(&self, key: &str) -> Arc<()> {
        let mut leases = self.leases();
        leases.retain(|_, lease| lease.strong_count() > 0);
        if let Some(lease) = leases.get(key).and_then(Weak::upgrade) {
            return lease;
        }
        let lease = Arc::default();
        leases.insert(key.to_owned(), Arc::downgrade(&lease));
        lease
    }

    fn leases(&self) -> MutexGuard<'_, HashMap<String, Weak<()>>> {
        self.leases.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether it came with the system, and has whatever its makers compiled.
    pub(crate) fn is_given(&self) -> bool {
        self.folder.key.is_none()
    }

    /// The compiled code stored under `key`, if it is there and whole.
    pub(crate) fn get(&self, key: &str) -> Option<Vec<u8>> {
        let mut file = self.folder.read(&name(key)?).ok()?;
        let length = file.metadata().ok()?.len();
        if length > MAX_ENTRY_BYTES {
            return None;
        }
        let mut entry = Vec::with_capacity(usize::try_from(length).ok()?);
        (&mut file).take(MAX_ENTRY_BYTES).read_to_end(&mut entry).ok()?;
        let (signature, rest) = entry.split_at_checked(DIGEST_LENGTH)?;
        let (digest, code) = rest.split_at_checked(DIGEST_LENGTH)?;
        let is_genuine = match &self.folder.key {
            Some(secret) => signed(secret, key, code).verify_slice(signature).is_ok(),
            None => digest_of(key, code) == *digest,
        };
        if !is_genuine {
            tracing::warn!(
                key,
                "recompiling a plugin because its entry in the code cache is damaged or not MARO's"
            );
            return None;
        }
        if self.folder.key.is_some() {
            // The time of last use decides what is removed when the folder is full. Failing to note it does no
            // harm.
            let _ = file.set_modified(now());
        }
        entry.drain(..2 * DIGEST_LENGTH);
        Some(entry)
    }

    /// Stores compiled code under `key`, whole or not at all. Does nothing in a folder that an image brings.
    ///
    /// # Errors
    /// The file can't be written.
    pub(crate) fn put(&self, key: &str, code: &[u8]) -> io::Result<()> {
        let (Some(secret), Some(name)) = (&self.folder.key, name(key)) else { return Ok(()) };
        self.make_room(code.len() as u64)?;
        let signature = signed(secret, key, code).finalize().into_bytes();
        self.folder.write(&name, &[&signature, &digest_of(key, code), code])
    }

    /// Removes the least recently used entries that nobody uses until `needed` bytes fit.
    fn make_room(&self, needed: u64) -> io::Result<()> {
        let in_use: HashSet<CString> = {
            let leases = self.leases();
            let alive = leases.iter().filter(|(_, lease)| lease.strong_count() > 0);
            alive.filter_map(|(key, _)| name(key)).collect()
        };
        let entries = self.folder.entries(EXTENSION)?;
        let mut total = entries.iter().map(|entry| entry.bytes).sum::<u64>() + needed;
        let (used, mut unused): (Vec<_>, Vec<_>) =
            entries.into_iter().partition(|entry| in_use.contains(&entry.name));
        let used = used.iter().map(|entry| entry.bytes).sum::<u64>() + needed;
        let most = FOLDER_BYTES.max(2 * used);
        unused.sort_by_key(|entry| entry.used);
        for entry in unused {
            if total <= most {
                break;
            }
            self.folder.remove(&entry.name)?;
            total -= entry.bytes;
        }
        Ok(())
    }
}

/// The name of the file with an entry.
fn name(key: &str) -> Option<CString> {
    CString::new(format!("{key}{ENDING}")).ok()
}

/// Over the key and the code: one plugin's code must not run as another's.
fn signed(secret: &[u8], key: &str, code: &[u8]) -> Hmac<Sha256> {
    #[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
    let mac = Hmac::<Sha256>::new_from_slice(secret).expect("HMAC takes a key of any length");
    mac.chain_update(key).chain_update(code)
}

/// Over the same, to tell what is damaged.
fn digest_of(key: &str, code: &[u8]) -> [u8; DIGEST_LENGTH] {
    Sha256::new_with_prefix(key).chain_update(code).finalize().into()
}

#[expect(clippy::disallowed_methods, reason = "file times are the file system's business, not the clock's")]
fn now() -> SystemTime {
    SystemTime::now()
}

#[cfg(test)]
mod tests {
    use std::{
        fs::{self, File},
        os::unix::fs::PermissionsExt as _,
        path::PathBuf,
    };

    use super::*;

    /// A cache, and where its entries are.
    fn cache() -> (tempfile::TempDir, CodeCache) {
        let dir = tempfile::tempdir().unwrap();
        let cache = CodeCache::open(&dir.path().join("cache")).unwrap();
        (dir, cache)
    }

    fn path(dir: &tempfile::TempDir, key: &str) -> PathBuf {
        dir.path().join("cache").join(format!("{key}{ENDING}"))
    }

    #[test]
    fn what_was_put_comes_back_until_it_is_damaged() {
        let (dir, cache) = cache();
        assert_eq!(cache.get("a"), None);
        cache.put("a", b"machine code").unwrap();
        assert_eq!(cache.get("a").as_deref(), Some(&b"machine code"[..]));

        let path = path(&dir, "a");
        fs::copy(&path, self::path(&dir, "b")).unwrap();
        assert_eq!(cache.get("b"), None, "another's entry");
        let mut bytes = fs::read(&path).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        fs::write(&path, &bytes).unwrap();
        assert_eq!(cache.get("a"), None, "a flipped bit");
        for length in [10, 40, 64, 0] {
            fs::write(&path, &bytes[..length]).unwrap();
            assert_eq!(cache.get("a"), None, "a cut entry");
        }
    }

    #[test]
    fn what_is_signed_with_another_key_is_not_run() {
        let ((dir, cache), (other_dir, other)) = (cache(), cache());
        other.put("a", b"somebody's machine code").unwrap();
        fs::copy(path(&other_dir, "a"), path(&dir, "a")).unwrap();
        assert_eq!(cache.get("a"), None);
        assert!(other.get("a").is_some());
        fs::remove_file(dir.path().join("cache/key")).unwrap();
        fs::copy(other_dir.path().join("cache/key"), dir.path().join("cache/key")).unwrap();
        assert!(CodeCache::open(&dir.path().join("cache")).unwrap().get("a").is_some());
    }

    #[test]
    fn what_an_image_brings_needs_no_key_and_is_not_added_to() {
        let (dir, mut given) = cache();
        given.put("a", b"machine code").unwrap();
        // As it is where nobody here can write: root can, everywhere but on a file system that is read-only.
        given.folder.key = None;
        assert_eq!(given.get("a").as_deref(), Some(&b"machine code"[..]));
        given.put("b", b"more").unwrap();
        assert!(!path(&dir, "b").exists());
        let mut bytes = fs::read(path(&dir, "a")).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        fs::write(path(&dir, "a"), &bytes).unwrap();
        assert_eq!(given.get("a"), None, "it is damaged");
    }

    #[test]
    fn nobody_else_can_enter_or_read_what_is_kept() {
        let (dir, cache) = cache();
        cache.put("a", b"machine code").unwrap();
        for (path, mode) in [(dir.path().join("cache"), 0o700), (path(&dir, "a"), 0o600)] {
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, mode, "{path:?}");
        }
        fs::set_permissions(path(&dir, "a"), fs::Permissions::from_mode(0o666)).unwrap();
        assert_eq!(cache.get("a"), None, "others could write to it");
    }

    #[test]
    fn a_full_folder_loses_what_was_unused_for_longest() {
        let (dir, cache) = cache();
        // Sparse files: they are large, but take no space.
        for (key, age) in [("oldest", 300), ("older", 200), ("newer", 100)] {
            let file = File::create(path(&dir, key)).unwrap();
            file.set_len(FOLDER_BYTES / 4).unwrap();
            file.set_modified(now() - std::time::Duration::from_secs(age)).unwrap();
        }
        let has = |key: &str| path(&dir, key).exists();
        cache.put("small", b"code").unwrap();
        assert!(has("oldest") && has("older") && has("newer"), "there was room");
        cache.make_room(FOLDER_BYTES / 2).unwrap();
        assert!(!has("oldest") && !has("older") && has("newer") && has("small"));
        assert_eq!(fs::read_dir(dir.path().join("cache")).unwrap().count(), 3, "the key is gone");
    }

    #[test]
    fn what_is_in_use_stays_however_much_it_is() {
        let (dir, cache) = cache();
        let keys: Vec<_> = (0..8).map(|number| number.to_string()).collect();
        let mut leases = Vec::new();
        for key in &keys {
            leases.push(cache.lease(key));
            // A sparse file.
            File::create(path(&dir, key)).unwrap().set_len(FOLDER_BYTES / 4).unwrap();
        }
        File::create(path(&dir, "other")).unwrap().set_len(FOLDER_BYTES / 4).unwrap();
        let left = || keys.iter().filter(|key| path(&dir, key).exists()).count();
        cache.make_room(FOLDER_BYTES / 4).unwrap();
        assert_eq!(left(), 8);
        assert!(path(&dir, "other").exists(), "there is room for as much again");
        leases.clear();
        cache.make_room(FOLDER_BYTES / 4).unwrap();
        assert!(left() <= 3, "{} that nobody uses are kept", left());
    }

    #[test]
    fn what_a_killed_write_left_is_removed_at_the_next_start() {
        let (dir, cache) = cache();
        cache.put("a", b"machine code").unwrap();
        let folder = dir.path().join("cache");
        let [old, new, other] =
            [".0123456789abcdef", ".fedcba9876543210", ".keep"].map(|name| folder.join(name));
        for file in [&old, &new, &other] {
            fs::write(file, "half").unwrap();
        }
        for file in [&old, &other] {
            let file = File::options().append(true).open(file).unwrap();
            file.set_modified(now() - std::time::Duration::from_secs(3_600)).unwrap();
        }
        let again = CodeCache::open(&folder).unwrap();
        assert!(!old.exists(), "it is kept for good");
        assert!(new.exists(), "somebody may be writing it");
        assert!(other.exists(), "it isn't MARO's");
        assert_eq!(again.get("a").as_deref(), Some(&b"machine code"[..]));
    }
}
