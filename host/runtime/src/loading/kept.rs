//! Earlier versions of each file, kept beside the cache with their manifests, so that they can run again.
//!
//! The folder is checked as the cache's is. What lies in it passes everything that a file of the plugins folder does.

use std::{
    fs::{self, DirBuilder, File},
    io,
    os::unix::fs::{DirBuilderExt as _, MetadataExt as _},
    path::{Path, PathBuf},
    time::SystemTime,
};

use jiff::Timestamp;

use crate::loading::{
    cache_folder::CacheFolder,
    folder::{self, ContentDigest, PluginFile},
};

/// How many versions of a file are kept.
const KEPT: usize = 5;

/// Bits of a mode: what others may do.
const OTHERS: u32 = 0o077;

/// The versions of all files.
#[derive(Debug)]
pub(crate) struct KeptVersions {
    dir: PathBuf,
}

/// A version that is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptVersion {
    /// SHA-256 over the component with its manifest and its recorded cases, in hexadecimal.
    pub content: String,
    /// SHA-256 of the component, in hexadecimal.
    pub digest: String,
    /// What it called its version.
    pub version: String,
    /// When it last began to run.
    pub since: Timestamp,
}

impl KeptVersions {
    /// Opens the folder beside that of the cache, or inside of it where only that can be written. `None` if neither
    /// can, or it isn't MARO's alone.
    pub(super) fn open(cache_dir: &Path) -> Option<Self> {
        let name = cache_dir.file_name()?.to_string_lossy().into_owned();
        let beside = cache_dir.with_file_name(format!("{name}-versions"));
        let dirs = [beside, cache_dir.join("versions")];
        let dir = dirs.into_iter().find(|dir| {
            // Its key shows that it can be written. A folder that others may enter has one of MARO's own within.
            let is_usable = CacheFolder::open(dir).is_ok_and(|folder| folder.key.is_some());
            is_usable && fs::metadata(dir).is_ok_and(|metadata| metadata.mode() & OTHERS == 0)
        })?;
        Some(Self { dir })
    }

    /// The folder with a version of a plugin, named as in the plugins folder, if it is kept.
    pub(crate) fn folder(&self, plugin: &str, content: &str) -> Option<PathBuf> {
        let folder = self.dir.join(plugin).join(content);
        let is_name = content.bytes().all(|byte| byte.is_ascii_hexdigit());
        (is_name && folder.join(format!("{plugin}.wasm")).is_file()).then_some(folder)
    }

    /// Keeps a version that runs from now on, as it lies in `dir`, and drops those that ran least lately.
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
        File::open(&kept)?.set_modified(now())?;
        for (_, old) in self.by_age(plugin).into_iter().skip(KEPT) {
            fs::remove_dir_all(old)?;
        }
        Ok(())
    }

    /// The versions of a plugin, the latest first.
    pub(crate) fn list(&self, plugin: &str) -> Vec<KeptVersion> {
        let read = |(since, folder): (SystemTime, PathBuf)| {
            let content = folder.file_name()?.to_str()?.to_owned();
            let file = folder::read(&folder, &format!("{plugin}.wasm")).ok()?;
            let version = fs::read_to_string(folder.join("version")).unwrap_or_default();
            let since = Timestamp::try_from(since).ok()?;
            Some(KeptVersion { content, digest: hex::encode(file.digest), version, since })
        };
        self.by_age(plugin).into_iter().filter_map(read).collect()
    }

    /// The folders of a plugin's versions, the one that began to run last first.
    fn by_age(&self, plugin: &str) -> Vec<(SystemTime, PathBuf)> {
        let entries = fs::read_dir(self.dir.join(plugin)).into_iter().flatten().flatten();
        let is_version = |entry: &fs::DirEntry| !entry.file_name().as_encoded_bytes().starts_with(b".");
        let dated = entries
            .filter(is_version)
            .filter_map(|entry| Some((entry.metadata().ok()?.modified().ok()?, entry.path())));
        let mut folders: Vec<_> = dated.collect();
        folders.sort_by(|one, other| other.cmp(one));
        folders
    }
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
        let listed: Vec<_> =
            kept.list("a").into_iter().map(|version| (version.content, version.version)).collect();
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
        assert_eq!(kept.list("a")[0].content, contents[4]);
        assert_eq!(kept.list("a").len(), 5);
        assert_eq!(kept.list("b"), []);
    }
}
