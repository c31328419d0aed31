//! Earlier versions of each file, kept beside the cache with their manifests, so that they can run again.
//!
//! The folder is checked as the cache's is. What lies in it passes everything that a file of the plugins folder does.

use std::{
    fs::{self, DirBuilder, File},
    io, iter,
    os::{
        fd::AsRawFd as _,
        unix::fs::{DirBuilderExt as _, MetadataExt as _},
    },
    path::{self, Path, PathBuf},
    time::{Duration, SystemTime},
};

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use crate::{
    loading::{
        cache_folder::CacheFolder,
        folder::{self, ContentDigest, PluginFile},
    },
    policy::manifest::Manifest,
};

/// How many versions of a file are kept.
const KEPT: usize = 5;

/// What the folder is called within that of the cache.
const FOLDER: &str = "versions";

/// How the name of a file begins that says in whose plugins folder a version ran, and by its time when it last began
/// to.
const MARK: &str = "ran-";

/// Longer than writing a version takes.
const MAX_WRITING: Duration = Duration::from_secs(15 * 60);

/// Bits of a mode: what others may do.
const OTHERS: u32 = 0o077;

#[derive(Debug)]
pub(crate) struct KeptVersions {
    dir: PathBuf,
    /// What `dir` stands for, if that is a descriptor.
    _open: Option<File>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptVersion {
    /// SHA-256 over the component with its manifest and its recorded cases, in hexadecimal.
    pub content: String,
    /// SHA-256 of the component, in hexadecimal.
    pub digest: String,
    /// The text of its manifest, if it had one.
    pub manifest: Option<String>,
    /// What it called its version.
    pub version: String,
    /// When it last began to run.
    pub since: Timestamp,
}

impl KeptVersion {
    /// Whether it is the component with this digest, under a manifest that says the same. Recorded cases aren't kept.
    pub(crate) fn is_same_build(&self, digest: &str, manifest: &Manifest) -> bool {
        let own = Manifest::parse(self.manifest.as_deref().unwrap_or(""));
        self.digest == digest && own.is_ok_and(|own| own == *manifest)
    }
}

impl KeptVersions {
    /// Opens the folder beside that of the cache, or inside of it where only that can be written, or inside of MARO's
    /// own folder in it where others may enter that.
    ///
    /// # Errors
    /// Each of them can't be written, or isn't MARO's alone.
    pub(super) fn open(cache_dir: &Path) -> io::Result<Self> {
        let name = cache_dir.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let beside = cache_dir.with_file_name(format!("{name}-versions"));
        let dirs = [beside, cache_dir.join(FOLDER)];
        // Each is opened only if those before it can't be, as opening creates it.
        let private = dirs.into_iter().map(|dir| match open_private(&dir) {
            Ok(()) => Ok(Self { dir, _open: None }),
            Err(error) => Err(format!("{}: {error}", dir.display())),
        });
        let own = iter::once_with(|| {
            Self::in_own_folder(cache_dir)
                .map_err(|error| format!("in MARO's own folder in {}: {error}", cache_dir.display()))
        });
        let mut problems = Vec::new();
        for opened in private.chain(own) {
            match opened {
                Ok(kept) => {
                    kept.sweep();
                    return Ok(kept);
                }
                Err(problem) => problems.push(problem),
            }
        }
        Err(io::Error::other(problems.join("; ")))
    }

    /// Others may put another folder in the place of MARO's own, so it stays open and is named by its descriptor.
    fn in_own_folder(cache_dir: &Path) -> io::Result<Self> {
        let open = CacheFolder::open(cache_dir)?.subfolder(FOLDER)?;
        let dir = PathBuf::from(format!("/proc/self/fd/{}", open.as_raw_fd()));
        fs::read_dir(&dir)?;
        Ok(Self { dir, _open: Some(open) })
    }

    /// Removes what writes that were cut off have left. Those of the last minutes may go on in another process.
    fn sweep(&self) {
        let plugins = fs::read_dir(&self.dir).into_iter().flatten().flatten();
        let entries = plugins.filter_map(|plugin| fs::read_dir(plugin.path()).ok()).flatten().flatten();
        for entry in entries.filter(is_temporary) {
            let age =
                entry.metadata().and_then(|metadata| metadata.modified()).map(|at| now().duration_since(at));
            if age.is_ok_and(|age| age.is_ok_and(|age| age > MAX_WRITING))
                && let Err(error) = fs::remove_dir_all(entry.path())
            {
                tracing::debug!(%error, "can't remove what keeping a version has left");
            }
        }
    }

    /// The folder with a version of a plugin, named as in the plugins folder, if it is kept.
    pub(crate) fn folder(&self, plugin: &str, content: &str) -> Option<PathBuf> {
        let folder = self.dir.join(plugin).join(content);
        let is_name = content.bytes().all(|byte| byte.is_ascii_hexdigit());
        (is_name && folder.join(format!("{plugin}.wasm")).is_file()).then_some(folder)
    }

    /// Keeps a version that runs from now on, as it lies in the plugins folder `dir`, and drops those that ran least
    /// lately there.
    ///
    /// # Errors
    /// It can't be read or written.
    pub(crate) fn keep(
        &self,
        dir: &Path,
        plugin: &str,
        content: ContentDigest,
        version: &str,
    ) -> io::Result<()> {
        let name = hex::encode(content.0);
        let of_plugin = self.dir.join(plugin);
        let kept = of_plugin.join(&name);
        if self.folder(plugin, &name).is_none() {
            let file = folder::read(dir, &format!("{plugin}.wasm"))?;
            if file.content() != content {
                // It has changed since.
                return Ok(());
            }
            let temporary = of_plugin.join(format!(".{:016x}", rand::random::<u64>()));
            private_folder(&temporary)?;
            let written = write(&temporary, &file, version).and_then(|()| fs::rename(&temporary, &kept));
            if written.is_err() {
                let _ = fs::remove_dir_all(&temporary);
            }
            written?;
        }
        let mark = mark(dir)?;
        File::create(kept.join(&mark))?.set_modified(now())?;
        for (_, old) in self.by_age(dir, plugin).into_iter().skip(KEPT) {
            // Others may have it from this cache, too.
            let _ = fs::remove_file(old.join(&mark));
            if !is_marked(&old) {
                fs::remove_dir_all(old)?;
            }
        }
        Ok(())
    }

    /// The versions of a plugin that ran in the plugins folder `dir`, the latest first.
    pub(crate) fn list(&self, dir: &Path, plugin: &str) -> Vec<KeptVersion> {
        let read = |(since, folder): (SystemTime, PathBuf)| {
            let content = folder.file_name()?.to_str()?.to_owned();
            let file = folder::read(&folder, &format!("{plugin}.wasm")).ok()?;
            let version = fs::read_to_string(folder.join("version")).unwrap_or_default();
            let since = Timestamp::try_from(since).ok()?;
            Some(KeptVersion {
                content,
                digest: hex::encode(file.digest),
                manifest: file.manifest,
                version,
                since,
            })
        };
        self.by_age(dir, plugin).into_iter().filter_map(read).collect()
    }

    /// The folders of the versions that ran in `dir`, the one that began to run last first.
    fn by_age(&self, dir: &Path, plugin: &str) -> Vec<(SystemTime, PathBuf)> {
        let Ok(mark) = mark(dir) else { return Vec::new() };
        let entries = fs::read_dir(self.dir.join(plugin)).into_iter().flatten().flatten();
        let dated = entries.filter(|entry| !is_temporary(entry)).filter_map(|entry| {
            let folder = entry.path();
            let since = match fs::metadata(folder.join(&mark)) {
                Ok(metadata) => metadata.modified(),
                Err(_) if is_marked(&folder) => return None,
                // From before there were marks.
                Err(_) => entry.metadata().and_then(|metadata| metadata.modified()),
            };
            Some((since.ok()?, folder))
        });
        let mut folders: Vec<_> = dated.collect();
        folders.sort_by(|one, other| other.cmp(one));
        folders
    }
}

/// Opens a folder that is MARO's alone, or creates it.
fn open_private(dir: &Path) -> io::Result<()> {
    // Its key shows that it can be written. A folder that others may enter has one of MARO's own within.
    let is_writable = CacheFolder::open(dir)?.key.is_some();
    match fs::metadata(dir)?.mode() & OTHERS {
        _ if !is_writable => Err(io::Error::other("MARO can't write to it")),
        0 => Ok(()),
        _ => Err(io::Error::other("others may enter it")),
    }
}

/// What a version that ran in the plugins folder `dir` is marked with. Several bots may have one cache.
fn mark(dir: &Path) -> io::Result<String> {
    let path = path::absolute(dir)?;
    let digest = hex::encode(Sha256::digest(path.as_os_str().as_encoded_bytes()));
    Ok(format!("{MARK}{}", &digest[..16]))
}

/// Whether it is known in whose plugins folder a version ran.
fn is_marked(version: &Path) -> bool {
    let mut entries = fs::read_dir(version).into_iter().flatten().flatten();
    entries.any(|entry| entry.file_name().as_encoded_bytes().starts_with(MARK.as_bytes()))
}

/// Whether it is what a write that was cut off has left, or one that goes on.
fn is_temporary(entry: &fs::DirEntry) -> bool {
    entry.file_name().as_encoded_bytes().starts_with(b".")
}

fn private_folder(folder: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

fn write(folder: &Path, file: &PluginFile, version: &str) -> io::Result<()> {
    fs::write(folder.join(format!("{}.wasm", file.stem)), &file.wasm)?;
    if let Some(manifest) = &file.manifest {
        fs::write(folder.join(format!("{}.toml", file.stem)), manifest)?;
    }
    fs::write(folder.join("version"), version)
}

#[expect(clippy::disallowed_methods, reason = "file times are the file system's business, not the clock's")]
fn now() -> SystemTime {
    SystemTime::now()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn the_last_five_versions_are_kept_with_their_manifests() {
        let (home, plugins) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let kept = KeptVersions::open(&home.path().join("cache")).unwrap();
        let put = |number: u8| {
            fs::write(plugins.path().join("a.wasm"), [number]).unwrap();
            fs::write(plugins.path().join("a.toml"), format!("# {number}")).unwrap();
            let content = folder::read(plugins.path(), "a.wasm").unwrap().content();
            kept.keep(plugins.path(), "a", content, &number.to_string()).unwrap();
            hex::encode(content.0)
        };
        let contents: Vec<_> = (0..7).map(put).collect();
        let listed: Vec<_> = kept
            .list(plugins.path(), "a")
            .into_iter()
            .map(|version| (version.content, version.version))
            .collect();
        let expected: Vec<_> =
            (2..7).rev().map(|number: usize| (contents[number].clone(), number.to_string())).collect();
        assert_eq!(listed, expected);
        let folder = kept.folder("a", &contents[3]).unwrap();
        assert_eq!(fs::read(folder.join("a.wasm")).unwrap(), [3]);
        assert_eq!(fs::read_to_string(folder.join("a.toml")).unwrap(), "# 3");
        assert_eq!(kept.folder("a", &contents[0]), None);
        assert_eq!(kept.folder("a", "../../elsewhere"), None);
        // The one that runs again is the latest.
        assert_eq!(put(4), contents[4]);
        assert_eq!(kept.list(plugins.path(), "a")[0].content, contents[4]);
        assert_eq!(kept.list(plugins.path(), "a").len(), 5);
        assert_eq!(kept.list(plugins.path(), "b"), []);
    }

    #[test]
    fn another_bots_versions_in_the_same_cache_are_not_shown() {
        let [home, one, other] = [(); 3].map(|()| tempfile::tempdir().unwrap());
        let kept = KeptVersions::open(&home.path().join("cache")).unwrap();
        let put = |dir: &Path, number: u8| {
            fs::write(dir.join("a.wasm"), [number]).unwrap();
            let content = folder::read(dir, "a.wasm").unwrap().content();
            kept.keep(dir, "a", content, &number.to_string()).unwrap();
            hex::encode(content.0)
        };
        let versions = |dir: &Path| -> Vec<_> {
            kept.list(dir, "a").into_iter().map(|version| version.version).collect()
        };
        (1..4).for_each(|number| drop(put(one.path(), number)));
        (3..9).for_each(|number| drop(put(other.path(), number)));
        assert_eq!(versions(one.path()), ["3", "2", "1"]);
        assert_eq!(versions(other.path()), ["8", "7", "6", "5", "4"]);
        // What one of them has no more is kept for the other.
        let third = put(one.path(), 3);
        assert!(kept.folder("a", &third).is_some());
        (9..14).for_each(|number| drop(put(one.path(), number)));
        assert_eq!(kept.folder("a", &third), None);
        // From before it was known whose it is.
        let kept_since = kept.folder("a", &put(one.path(), 13)).unwrap();
        fs::remove_file(kept_since.join(mark(one.path()).unwrap())).unwrap();
        assert!(versions(one.path()).contains(&"13".to_owned()));
        assert!(versions(other.path()).contains(&"13".to_owned()));
    }

    #[test]
    fn versions_are_kept_where_only_the_own_folder_in_the_cache_is_private() {
        // As a volume of Kubernetes is, in a folder where MARO can make nothing.
        let (home, plugins) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let cache = home.path().join("cache");
        fs::create_dir(&cache).unwrap();
        fs::write(home.path().join("cache-versions"), "in the way").unwrap();
        fs::set_permissions(&cache, fs::Permissions::from_mode(0o2777)).unwrap();
        let kept = KeptVersions::open(&cache).unwrap();
        fs::write(plugins.path().join("a.wasm"), "1").unwrap();
        let content = folder::read(plugins.path(), "a.wasm").unwrap().content();
        kept.keep(plugins.path(), "a", content, "1").unwrap();
        let own = cache.join(format!("maro-{}", rustix::process::geteuid().as_raw()));
        assert!(own.join("versions/a").join(hex::encode(content.0)).join("a.wasm").is_file());
        // What somebody else puts in its place isn't read.
        fs::rename(&own, cache.join("moved")).unwrap();
        fs::create_dir_all(own.join("versions/b")).unwrap();
        assert_eq!((kept.list(plugins.path(), "a").len(), kept.list(plugins.path(), "b").len()), (1, 0));
        assert!(kept.folder("a", &hex::encode(content.0)).unwrap().join("a.wasm").is_file());
        drop(kept);
        fs::remove_dir_all(&own).unwrap();
        fs::rename(cache.join("moved"), &own).unwrap();
        assert_eq!(KeptVersions::open(&cache).unwrap().list(plugins.path(), "a").len(), 1);
        // Nowhere: the reason names each place.
        fs::remove_dir_all(&own).unwrap();
        fs::write(&own, "in the way").unwrap();
        let problem = KeptVersions::open(&cache).unwrap_err().to_string();
        assert!(problem.contains("cache-versions: ") && problem.contains("cache/versions: "), "{problem}");
        assert!(problem.contains("; in MARO's own folder in "), "{problem}");
    }

    #[test]
    fn what_a_write_that_was_cut_off_has_left_is_removed() {
        let home = tempfile::tempdir().unwrap();
        let cache = home.path().join("cache");
        KeptVersions::open(&cache).unwrap();
        let of_plugin = home.path().join("cache-versions/a");
        for (name, minutes) in [(".old", 16), (".recent", 14), ("0aversion", 60)] {
            fs::create_dir_all(of_plugin.join(name)).unwrap();
            fs::write(of_plugin.join(name).join("a.wasm"), "half").unwrap();
            let at = now() - Duration::from_secs(minutes * 60);
            File::open(of_plugin.join(name)).unwrap().set_modified(at).unwrap();
        }
        KeptVersions::open(&cache).unwrap();
        let left = fs::read_dir(&of_plugin).unwrap().map(|entry| entry.unwrap().file_name());
        let mut left: Vec<_> = left.map(|name| name.into_string().unwrap()).collect();
        left.sort();
        assert_eq!(left, [".recent", "0aversion"]);
    }

    #[test]
    fn a_version_is_told_from_the_same_build() {
        let version = |manifest: Option<&str>| KeptVersion {
            content: String::new(),
            digest: "a".to_owned(),
            manifest: manifest.map(str::to_owned),
            version: String::new(),
            since: Timestamp::UNIX_EPOCH,
        };
        let none = Manifest::parse("").unwrap();
        assert!(version(None).is_same_build("a", &none));
        assert!(version(Some("# no rules")).is_same_build("a", &none));
        assert!(!version(None).is_same_build("b", &none));
        assert!(!version(Some("[limits]\ncpu-ms = 300")).is_same_build("a", &none));
    }
}
