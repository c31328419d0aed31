//! The plugins folder: which files there are, how a change shows without reading them, and reading one whole.

use std::{
    collections::BTreeMap,
    fs::{self, Metadata},
    io,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use sha2::{Digest as _, Sha256};
use tokio::sync::OwnedSemaphorePermit;

use crate::bounded_file::read_bounded;
use maro_tickets::texts::plugin_files;

/// The ending of a component's file name.
const EXTENSION: &str = "wasm";

/// The largest component that is read, in bytes. A plugin in Python has about 18 MiB.
const MAX_COMPONENT_BYTES: u64 = 64 * 1024 * 1024;

/// The largest `NAME.toml` that is read, in bytes.
const MAX_MANIFEST_BYTES: u64 = 64 * 1024;

/// One `NAME.wasm` with its `NAME.toml`.
#[derive(Debug)]
pub struct PluginFile {
    /// `NAME`.
    pub stem: String,
    pub wasm: Vec<u8>,
    pub manifest: Option<String>,
    /// SHA-256 of the component.
    pub digest: [u8; 32],
    /// The permit to keep `wasm` in memory.
    pub(crate) room: Option<OwnedSemaphorePermit>,
}

impl PluginFile {
    pub fn new(stem: String, wasm: Vec<u8>, manifest: Option<String>) -> Self {
        let digest = Sha256::digest(&wasm).into();
        Self { stem, wasm, manifest, digest, room: None }
    }

    /// Identifies this component with this manifest.
    pub(crate) fn content(&self) -> ContentDigest {
        let mut hasher = Sha256::new_with_prefix(self.digest);
        if let Some(manifest) = &self.manifest {
            // An empty manifest grants no more than a missing one, but people see a difference.
            hasher.update([1]);
            hasher.update(manifest);
        }
        ContentDigest(hasher.finalize().into())
    }
}

/// SHA-256 over a component and its manifest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ContentDigest(pub(crate) [u8; 32]);

/// What a look at `NAME.wasm` and its `NAME.toml` shows without reading them. If two looks find the same,
/// nobody wrote to them in between. Links are followed, so a new target is a new identity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Identity {
    component: Result<FileState, io::ErrorKind>,
    manifest: Result<FileState, io::ErrorKind>,
}

impl Identity {
    /// Whether there is no component.
    pub(crate) fn is_absent(&self) -> bool {
        self.component == Err(io::ErrorKind::NotFound)
    }

    /// Whether the component is still the same, whatever happened to the manifest.
    pub(super) fn has_component_of(&self, other: &Self) -> bool {
        self.component == other.component
    }

    /// Whether its times may be whole seconds, as some file systems keep them: a second write of the same
    /// length within that second doesn't show.
    pub(crate) fn is_coarse(&self) -> bool {
        [&self.component, &self.manifest].into_iter().flatten().any(FileState::is_coarse)
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct FileState {
    device: u64,
    inode: u64,
    length: u64,
    /// When the content and the entry were last changed, in seconds and nanoseconds.
    modified: (i64, i64),
    changed: (i64, i64),
}

impl FileState {
    fn is_coarse(&self) -> bool {
        self.modified.1 == 0 || self.changed.1 == 0
    }
}

impl From<Metadata> for FileState {
    fn from(metadata: Metadata) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            length: metadata.len(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }
}

/// Why the name of a file that ends in `wasm` rules it out as a plugin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NameFault {
    #[error("{}", plugin_files::NAME_NOT_UTF8)]
    NotUtf8,
    #[error("{}", plugin_files::NAME_IN_CAPITALS)]
    UpperCase,
}

/// The components of a folder by file name.
#[derive(Debug, Default)]
pub(crate) struct Listing {
    pub(crate) components: BTreeMap<String, Identity>,
    pub(crate) misnamed: BTreeMap<String, NameFault>,
}

/// `NAME` of `NAME.wasm`.
pub fn stem(name: &str) -> &str {
    name.strip_suffix(".wasm").unwrap_or(name)
}

/// Lists a folder without reading its files.
///
/// Ignores hidden files and files with any other ending, such as those that editors leave behind.
///
/// # Errors
/// The folder itself can't be read.
pub(crate) fn look(dir: &Path) -> io::Result<Listing> {
    let mut listing = Listing::default();
    for entry in fs::read_dir(dir)? {
        let file_name = entry?.file_name();
        let Some(ending) = Path::new(&file_name).extension() else { continue };
        if !ending.eq_ignore_ascii_case(EXTENSION) || file_name.as_encoded_bytes().starts_with(b".") {
            continue;
        }
        match file_name.to_str() {
            None => drop(listing.misnamed.insert(file_name.display().to_string(), NameFault::NotUtf8)),
            Some(name) if ending != EXTENSION => {
                listing.misnamed.insert(name.to_owned(), NameFault::UpperCase);
            }
            Some(name) => drop(listing.components.insert(name.to_owned(), identity(dir, name))),
        }
    }
    Ok(listing)
}

/// What `NAME.wasm` and `NAME.toml` are now.
pub(crate) fn identity(dir: &Path, name: &str) -> Identity {
    // A broken link counts as the file itself.
    let metadata =
        |path: &Path| fs::metadata(path).or_else(|error| fs::symlink_metadata(path).map_err(|_| error));
    let state = |path: PathBuf| metadata(&path).map(FileState::from).map_err(|error| error.kind());
    Identity { component: state(dir.join(name)), manifest: state(dir.join(format!("{}.toml", stem(name)))) }
}

/// Reads `NAME.wasm` and `NAME.toml`; an error of the kind `NotFound` means that there is no `NAME.wasm`.
pub(crate) fn read(dir: &Path, name: &str) -> io::Result<PluginFile> {
    let stem = stem(name);
    let wasm = read_bounded(&dir.join(name), MAX_COMPONENT_BYTES)?;
    let manifest = read_manifest(dir, name)?;
    Ok(PluginFile::new(stem.to_owned(), wasm, manifest))
}

/// Reads the `NAME.toml` of `NAME.wasm`, if there is one.
pub(crate) fn read_manifest(dir: &Path, name: &str) -> io::Result<Option<String>> {
    let stem = stem(name);
    match read_bounded(&dir.join(format!("{stem}.toml")), MAX_MANIFEST_BYTES) {
        Ok(bytes) => String::from_utf8(bytes)
            .map(Some)
            .map_err(|_| io::Error::other(plugin_files::manifest_not_utf8(&format!("{stem}.toml")))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(io::Error::other(plugin_files::in_manifest(&format!("{stem}.toml"), error))),
    }
}

#[cfg(test)]
mod tests {
    use std::{
        fs::File,
        time::{Duration, SystemTime},
    };

    use super::*;

    #[test]
    fn times_in_whole_seconds_are_told_from_finer_ones() {
        let folder = tempfile::tempdir().unwrap();
        let identity = || identity(folder.path(), "a.wasm");
        assert!(!identity().is_coarse());
        let file = File::create(folder.path().join("a.wasm")).unwrap();
        let second = SystemTime::UNIX_EPOCH + Duration::from_secs(1_767_225_600);
        file.set_modified(second + Duration::from_nanos(1)).unwrap();
        assert_eq!(identity().is_coarse(), identity().component.unwrap().changed.1 == 0);
        file.set_modified(second).unwrap();
        assert!(identity().is_coarse());
    }
}
