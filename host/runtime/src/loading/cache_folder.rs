//! The folder of compiled plugins: opened once, by descriptor, after a look at everything above it.
//!
//! Anyone who can put code there, or another folder in its place, runs it with this program's rights. So the folder is
//! this user's alone, or one that nobody but the system's administrator can write: then an image brought it. Where
//! others may enter the folder that was named, as on the volumes of Kubernetes, an own folder in it is used. Names are
//! resolved once; from then on the descriptor stands for the folder, whatever is moved.

use std::{
    ffi::{CStr, CString},
    fs::{self, DirBuilder, File, Metadata},
    io::{self, Read as _, Write as _},
    os::unix::fs::{DirBuilderExt as _, MetadataExt as _},
    path::{Component, Path},
};

use rustix::fs::{Access, AtFlags, CWD, Dir, Mode, OFlags};

/// The key's name, and its length in bytes.
const KEY: &CStr = c"key";
const KEY_LENGTH: usize = 32;

/// What an own folder in one of others is called, before its owner's number: pods may share a volume.
const OWN_FOLDER: &str = "maro-";

/// Longer than writing an entry takes.
const MAX_WRITING_SECONDS: i64 = 15 * 60;

/// Root, who may do anything anyway.
const ROOT: u32 = 0;

/// Bits of a mode: what others may do, who may write beside the owner, and that only owners remove entries.
const OTHERS: u32 = 0o077;
const WRITABLE: u32 = 0o022;
const WRITABLE_BY_ALL: u32 = 0o002;
const STICKY: u32 = 0o1000;

/// An open folder.
#[derive(Debug)]
pub(super) struct CacheFolder {
    folder: File,
    /// What its entries are signed with. `None` if an image brought them, and nobody here can write there.
    pub(super) key: Option<[u8; KEY_LENGTH]>,
}

/// A file in the folder.
pub(super) struct Entry {
    pub(super) name: CString,
    pub(super) bytes: u64,
    /// When it was last used, in seconds.
    pub(super) used: i64,
}

impl CacheFolder {
    /// Opens the folder, or creates it.
    ///
    /// # Errors
    /// It can't be created, or it, its key or a folder above it can be changed by others.
    pub(super) fn open(dir: &Path) -> io::Result<Self> {
        DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
        let folder = open_safely(&fs::canonicalize(dir)?)?;
        let user = rustix::process::geteuid().as_raw();
        let metadata = folder.metadata()?;
        let (owner, mode) = (metadata.uid(), metadata.mode());
        if rustix::fs::accessat(&folder, c".", Access::WRITE_OK, AtFlags::EACCESS).is_err() {
            return match ![ROOT, user].contains(&owner) || mode & WRITABLE != 0 {
                true => Err(io::Error::other("others can write to it, and MARO can't")),
                false => Ok(Self { folder, key: None }),
            };
        }
        if ![ROOT, user].contains(&owner) {
            return Err(io::Error::other("it belongs to another user"));
        }
        let folder = if mode & OTHERS != 0 || owner != user { own_folder(&folder, user)? } else { folder };
        let key = Some(key(&folder, user)?);
        Ok(Self { folder, key })
    }

    /// Opens a folder in this one, or creates it.
    ///
    /// # Errors
    /// This one can't be written, or something else has the name.
    pub(super) fn subfolder(&self, name: &str) -> io::Result<File> {
        subfolder(&self.folder, name, rustix::process::geteuid().as_raw())
    }

    /// Opens an entry that nobody else can write.
    pub(super) fn read(&self, name: &CStr) -> io::Result<File> {
        let file = open_file(&self.folder, name, OFlags::RDONLY)?;
        let metadata = file.metadata()?;
        let owners = [ROOT, rustix::process::geteuid().as_raw()];
        if !metadata.is_file() || metadata.mode() & WRITABLE != 0 || !owners.contains(&metadata.uid()) {
            return Err(io::Error::other("it isn't a file of MARO's own"));
        }
        Ok(file)
    }

    /// Writes an entry, whole or not at all.
    pub(super) fn write(&self, name: &CStr, parts: &[&[u8]]) -> io::Result<()> {
        let temporary = temporary();
        let written = private_file(&self.folder, &temporary).and_then(|mut file| {
            parts.iter().try_for_each(|part| file.write_all(part))?;
            Ok(rustix::fs::renameat(&self.folder, &*temporary, &self.folder, name)?)
        });
        if written.is_err() {
            let _ = self.remove(&temporary);
        }
        written
    }

    /// Removes what writes that were cut off have left. Those of the last minutes may go on in another process.
    pub(super) fn sweep(&self) {
        let leftovers = self.key.and_then(|_| self.entries("").ok()).unwrap_or_default();
        let before =
            rustix::time::clock_gettime(rustix::time::ClockId::Realtime).tv_sec - MAX_WRITING_SECONDS;
        for entry in leftovers.iter().filter(|entry| is_temporary(&entry.name) && entry.used < before) {
            if let Err(error) = self.remove(&entry.name) {
                tracing::debug!(%error, "can't remove what a write into the code cache has left");
            }
        }
    }

    pub(super) fn remove(&self, name: &CStr) -> io::Result<()> {
        Ok(rustix::fs::unlinkat(&self.folder, name, AtFlags::empty())?)
    }

    /// The files whose names end like this.
    pub(super) fn entries(&self, ending: &str) -> io::Result<Vec<Entry>> {
        let mut entries = Vec::new();
        for entry in Dir::read_from(&self.folder)? {
            let name = entry?.file_name().to_owned();
            if !name.to_bytes().ends_with(ending.as_bytes()) {
                continue;
            }
            // It may have been removed by another process.
            let Ok(stat) = rustix::fs::statat(&self.folder, &*name, AtFlags::SYMLINK_NOFOLLOW) else {
                continue;
            };
            entries.push(Entry { name, bytes: stat.st_size.unsigned_abs(), used: stat.st_mtime });
        }
        Ok(entries)
    }
}

/// This user's own folder in one where others may write. They may move it away, but nothing that they put into its
/// place is this user's, and nobody else can have written what is in it.
fn own_folder(folder: &File, user: u32) -> io::Result<File> {
    subfolder(folder, &format!("{OWN_FOLDER}{user}"), user)
}

/// A folder of this user's alone in another, which is made if there is none.
fn subfolder(folder: &File, name: &str, user: u32) -> io::Result<File> {
    let made = match rustix::fs::mkdirat(folder, name, Mode::RWXU) {
        Ok(()) => true,
        Err(rustix::io::Errno::EXIST) => false,
        Err(error) => return Err(error.into()),
    };
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let own = File::from(rustix::fs::openat(folder, name, flags, Mode::empty())?);
    let (owner, mode) = own.metadata().map(|metadata| (metadata.uid(), metadata.mode()))?;
    if owner != user || mode & OTHERS != 0 {
        let problem = format!("{name} in it isn't a folder that only MARO can enter: remove it");
        return Err(io::Error::other(problem));
    }
    if made {
        // The group of a volume is handed down with a bit that nothing here needs.
        rustix::fs::fchmod(&own, Mode::RWXU)?;
    }
    Ok(own)
}

/// Opens a folder from the root on, without links: they have been resolved.
fn open_safely(path: &Path) -> io::Result<File> {
    #[cfg(target_os = "linux")]
    const ANCESTOR: OFlags = OFlags::PATH;
    #[cfg(not(target_os = "linux"))]
    const ANCESTOR: OFlags = OFlags::RDONLY;
    let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let mut folder = File::from(rustix::fs::openat(CWD, c"/", ANCESTOR | flags, Mode::empty())?);
    let user = rustix::process::geteuid().as_raw();
    let names: Vec<_> = path.components().filter(|part| matches!(part, Component::Normal(_))).collect();
    for (depth, name) in names.iter().enumerate() {
        check_ancestor(&folder.metadata()?, user).map_err(|problem| {
            let ancestor: std::path::PathBuf = names[..depth].iter().collect();
            io::Error::other(format!("/{}, which it is in, {problem}", ancestor.display()))
        })?;
        let kind = if depth + 1 == names.len() { OFlags::RDONLY } else { ANCESTOR };
        folder = rustix::fs::openat(&folder, name.as_os_str(), kind | flags, Mode::empty())?.into();
    }
    Ok(folder)
}

/// Checks that nobody can put something else in the place of what is in this folder. Its group may, since the
/// volumes of Kubernetes are their group's.
fn check_ancestor(folder: &Metadata, user: u32) -> Result<(), &'static str> {
    if ![ROOT, user].contains(&folder.uid()) {
        return Err("belongs to another user");
    }
    let mode = folder.mode();
    if mode & WRITABLE_BY_ALL != 0 && mode & STICKY == 0 { Err("can be changed by anybody") } else { Ok(()) }
}

/// The key beside the entries, which is made if there is none.
fn key(folder: &File, user: u32) -> io::Result<[u8; KEY_LENGTH]> {
    match open_file(folder, KEY, OFlags::RDONLY) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            make_key(folder)?;
            read_key(open_file(folder, KEY, OFlags::RDONLY)?, user)
        }
        file => read_key(file?, user),
    }
}

fn read_key(mut file: File, user: u32) -> io::Result<[u8; KEY_LENGTH]> {
    let metadata = file.metadata()?;
    if metadata.uid() != user || metadata.mode() & OTHERS != 0 || !metadata.is_file() {
        return Err(io::Error::other("others can read its file `key`: remove it"));
    }
    let mut key = [0; KEY_LENGTH];
    file.read_exact(&mut key).map_err(|_| io::Error::other("its file `key` was cut short: remove it"))?;
    Ok(key)
}

/// Makes a key, unless another process has made one.
fn make_key(folder: &File) -> io::Result<()> {
    let temporary = temporary();
    let mut file = private_file(folder, &temporary)?;
    let made = file.write_all(&rand::random::<[u8; KEY_LENGTH]>()).and_then(|()| {
        match rustix::fs::linkat(folder, &*temporary, folder, KEY, AtFlags::empty()) {
            Err(rustix::io::Errno::EXIST) => Ok(()),
            made => Ok(made?),
        }
    });
    rustix::fs::unlinkat(folder, &*temporary, AtFlags::empty())?;
    made
}

fn temporary() -> CString {
    let name = format!(".{:016x}", rand::random::<u64>());
    // Digits and letters have no zero byte.
    CString::new(name).unwrap_or_default()
}

/// Whether [`temporary`] makes such names.
fn is_temporary(name: &CStr) -> bool {
    let digits = name.to_bytes().strip_prefix(b".").unwrap_or_default();
    digits.len() == 16 && digits.iter().all(u8::is_ascii_hexdigit)
}

fn private_file(folder: &File, name: &CStr) -> io::Result<File> {
    open_file(folder, name, OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL)
}

fn open_file(folder: &File, name: &CStr, flags: OFlags) -> io::Result<File> {
    // Nothing else than a file is waited for.
    let flags = flags | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
    Ok(rustix::fs::openat(folder, name, flags, Mode::RUSR | Mode::WUSR)?.into())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt as _, chown, symlink};

    use super::*;

    fn set_mode(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    fn problem(dir: &Path) -> String {
        CacheFolder::open(dir).unwrap_err().to_string()
    }

    /// Only root can give a file away.
    fn is_given_away(path: &Path) -> bool {
        chown(path, Some(12_345), None).is_ok()
    }

    #[test]
    fn in_a_folder_that_others_may_enter_an_own_one_is_used() {
        let dir = tempfile::tempdir().unwrap();
        let own = dir.path().join(format!("maro-{}", rustix::process::geteuid().as_raw()));
        // An emptyDir with `fsGroup` has 2777, and a persistent volume 2770 or 2775.
        for mode in [0o2777, 0o2770, 0o2775, 0o777, 0o1777, 0o750, 0o701] {
            set_mode(dir.path(), mode);
            let folder = CacheFolder::open(dir.path()).unwrap();
            folder.write(c"a.cwasm", &[b"code"]).unwrap();
            assert_eq!(fs::metadata(&own).unwrap().mode() & 0o7777, 0o700, "{mode:o}");
            let kept = CacheFolder::open(dir.path()).unwrap();
            assert!(kept.read(c"a.cwasm").is_ok() && kept.key == folder.key);
            assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "something lies beside it");
            fs::remove_dir_all(&own).unwrap();
        }
        set_mode(dir.path(), 0o700);
        CacheFolder::open(dir.path()).unwrap();
        assert!(!own.exists(), "nobody else may enter this one");
    }

    #[test]
    fn what_others_put_into_the_place_of_the_own_folder_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        set_mode(dir.path(), 0o777);
        let own = dir.path().join(format!("maro-{}", rustix::process::geteuid().as_raw()));
        let elsewhere = tempfile::tempdir().unwrap();
        symlink(elsewhere.path(), &own).unwrap();
        CacheFolder::open(dir.path()).unwrap_err();
        fs::remove_file(&own).unwrap();
        fs::create_dir(&own).unwrap();
        set_mode(&own, 0o770);
        assert!(problem(dir.path()).ends_with("isn't a folder that only MARO can enter: remove it"));
        set_mode(&own, 0o700);
        if is_given_away(&own) {
            assert!(problem(dir.path()).ends_with("isn't a folder that only MARO can enter: remove it"));
        }
    }

    #[test]
    fn a_folder_of_somebody_else_is_refused_and_one_in_theirs() {
        let dir = tempfile::tempdir().unwrap();
        let inner = dir.path().join("inner");
        CacheFolder::open(&inner).unwrap();
        if is_given_away(dir.path()) {
            set_mode(dir.path(), 0o700);
            assert_eq!(problem(dir.path()), "it belongs to another user");
            assert!(problem(&inner).ends_with(", which it is in, belongs to another user"));
        }
    }

    #[test]
    fn a_folder_in_one_that_anybody_can_change_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let inner = dir.path().join("a/b/cache");
        CacheFolder::open(&inner).unwrap();
        // Its group may, as on a volume of Kubernetes, and anybody may add what others can't remove.
        for (mode, is_safe) in [(0o777, false), (0o702, false), (0o2770, true), (0o1777, true)] {
            set_mode(&dir.path().join("a"), mode);
            match CacheFolder::open(&inner) {
                Ok(_) => assert!(is_safe, "{mode:o}"),
                Err(error) => {
                    let problem = error.to_string();
                    assert!(
                        !is_safe && problem.ends_with("/a, which it is in, can be changed by anybody"),
                        "{problem}"
                    );
                }
            }
        }
    }

    #[test]
    fn the_folder_stays_the_one_that_was_opened() {
        let dir = tempfile::tempdir().unwrap();
        let (real, link) = (dir.path().join("real"), dir.path().join("link"));
        fs::create_dir(&real).unwrap();
        set_mode(&real, 0o700);
        symlink(&real, &link).unwrap();
        let folder = CacheFolder::open(&link).unwrap();
        fs::remove_file(&link).unwrap();
        fs::rename(&real, dir.path().join("moved")).unwrap();
        fs::create_dir(&real).unwrap();
        folder.write(c"a.cwasm", &[b"code"]).unwrap();
        assert_eq!(fs::read(dir.path().join("moved/a.cwasm")).unwrap(), b"code");
        // A link in an entry's place is followed by nobody.
        symlink("/etc/hostname", dir.path().join("moved/b.cwasm")).unwrap();
        assert!(folder.read(c"b.cwasm").is_err());
    }

    #[test]
    fn the_key_is_made_once_and_is_its_owners_alone() {
        let dir = tempfile::tempdir().unwrap();
        set_mode(dir.path(), 0o700);
        let keys: Vec<_> = (0..2).map(|_| CacheFolder::open(dir.path()).unwrap().key.unwrap()).collect();
        assert_eq!(keys[0], keys[1]);
        assert_ne!(keys[0], [0; KEY_LENGTH]);
        let path = dir.path().join("key");
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "something is left behind");
        set_mode(&path, 0o640);
        assert!(problem(dir.path()).contains("others can read its file `key`"));
        fs::remove_file(&path).unwrap();
        fs::write(&path, "short").unwrap();
        set_mode(&path, 0o600);
        assert!(problem(dir.path()).contains("cut short"));
    }
}
