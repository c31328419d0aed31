//! The plugins folder: which files there are, how a change shows without reading them, and reading one whole.

use std::{
    collections::BTreeMap,
    fs::{self, DirEntry, Metadata},
    io,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    time::Duration,
};

use sha2::{Digest as _, Sha256};
use tokio::sync::OwnedSemaphorePermit;

use crate::{
    loading::name_fault::{NameFault, component_meant},
    recording::cases::{Case, MAX_CASE_BYTES},
};
use maro_process::bounded_file::read_bounded;
use maro_texts::plugins::refused_files;

/// The ending of a component's file name.
const EXTENSION: &str = "wasm";

/// The largest component that is read, in bytes. A plugin in Python has about 18 MiB.
const MAX_COMPONENT_BYTES: u64 = 64 * 1024 * 1024;

/// The largest `NAME.toml` that is read, in bytes.
const MAX_MANIFEST_BYTES: u64 = 64 * 1024;

/// How many subfolders, and how many files of each, are looked through for components in a wrong place.
const MAX_SUBFOLDERS: usize = 16;
const MAX_IN_SUBFOLDER: usize = 64;

/// How long a file may lie under a temporary name before somebody hears of it.
const UNFINISHED_TIME: Duration = Duration::from_secs(60);

/// One `NAME.wasm` with its `NAME.toml`.
#[derive(Debug)]
pub struct PluginFile {
    /// `NAME`.
    pub stem: String,
    pub wasm: Vec<u8>,
    pub manifest: Option<String>,
    /// SHA-256 of the component.
    pub digest: [u8; 32],
    /// The folder that it was read from.
    pub(crate) dir: PathBuf,
    /// The content of the plugins folder that it runs instead of.
    pub(crate) instead_of: Option<ContentDigest>,
    /// SHA-256 of its recorded cases.
    pub(crate) cases: [u8; 32],
    /// The permit to keep `wasm` in memory.
    pub(crate) room: Option<OwnedSemaphorePermit>,
}

impl PluginFile {
    pub fn new(stem: String, wasm: Vec<u8>, manifest: Option<String>) -> Self {
        let digest = Sha256::digest(&wasm).into();
        Self {
            stem,
            wasm,
            manifest,
            digest,
            dir: PathBuf::new(),
            instead_of: None,
            cases: [0; 32],
            room: None,
        }
    }

    /// Identifies this component with all that decides whether it may run: its manifest and its recorded cases.
    pub(crate) fn content(&self) -> ContentDigest {
        let mut hasher = Sha256::new_with_prefix(self.digest);
        if let Some(manifest) = &self.manifest {
            // An empty manifest grants no more than a missing one, but people see a difference.
            hasher.update([1]);
            hasher.update(manifest);
        }
        hasher.update(self.cases);
        if let Some(ContentDigest(content)) = &self.instead_of {
            hasher.update(content);
        }
        ContentDigest(hasher.finalize().into())
    }
}

/// SHA-256 over a component, its manifest and its recorded cases.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ContentDigest(pub(crate) [u8; 32]);

/// What a look at `NAME.wasm`, its `NAME.toml` and its `NAME.cases` shows without reading them. If two looks find the same,
/// nobody wrote to them in between. Links are followed, so a new target is a new identity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Identity {
    component: Result<FileState, io::ErrorKind>,
    manifest: Result<FileState, io::ErrorKind>,
    /// By name.
    cases: Vec<(PathBuf, Option<FileState>)>,
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
        let pair = [&self.component, &self.manifest].into_iter().flatten();
        pair.chain(self.cases.iter().filter_map(|(_, state)| state.as_ref())).any(FileState::is_coarse)
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

/// The components of a folder by file name.
#[derive(Debug, Default)]
pub(crate) struct Listing {
    pub(crate) device: u64,
    pub(crate) components: BTreeMap<String, Identity>,
    pub(crate) misnamed: BTreeMap<String, NameFault>,
}

/// `NAME` of `NAME.wasm`.
pub fn stem(name: &str) -> &str {
    name.strip_suffix(".wasm").unwrap_or(name)
}

/// Lists a folder without reading its files.
///
/// Ignores hidden files and files with any other ending, such as those that editors leave behind, unless their names say that
/// they would be components: see [`NameFault::of_name`].
///
/// # Errors
/// The folder itself can't be read.
pub(crate) fn look(dir: &Path) -> io::Result<Listing> {
    let mut listing = Listing { device: fs::metadata(dir)?.dev(), ..Listing::default() };
    let (mut manifests, mut subfolders, mut others) = (Vec::new(), Vec::new(), Vec::new());
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let file_name = entry.file_name();
        if file_name.as_encoded_bytes().starts_with(b".") {
            others.extend(fault_of_name(&entry));
            continue;
        }
        let ending = Path::new(&file_name).extension().unwrap_or_default().to_owned();
        match file_name.to_str() {
            Some(name) if ending.eq_ignore_ascii_case("toml") => manifests.push(name.to_owned()),
            // The rest may be a folder of any name.
            Some(name) if !ending.eq_ignore_ascii_case(EXTENSION) => {
                let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
                subfolders.extend((is_folder && ending != "cases").then(|| name.to_owned()));
                others.extend(fault_of_name(&entry));
            }
            Some(name) if ending != EXTENSION => {
                listing.misnamed.insert(name.to_owned(), NameFault::UpperCase);
            }
            Some(name) => drop(listing.components.insert(name.to_owned(), identity(dir, name))),
            None if ending.eq_ignore_ascii_case(EXTENSION) => {
                listing.misnamed.insert(file_name.display().to_string(), NameFault::NotUtf8);
            }
            None => {}
        }
    }
    listing.misnamed.extend(manifests.into_iter().filter_map(|manifest| {
        let fault = manifest_fault(&manifest, &listing.components)?;
        Some((manifest, fault))
    }));
    // Beside the component itself, it's a copy, or what the component was made from.
    others.retain(|(name, _)| !listing.components.contains_key(&component_meant(name)));
    listing.misnamed.extend(others);
    for subfolder in subfolders.into_iter().take(MAX_SUBFOLDERS) {
        let components = components_in(dir, &subfolder).into_iter();
        listing.misnamed.extend(components.map(|file| (file, NameFault::InSubfolder)));
    }
    Ok(listing)
}

/// What is wrong with the name of a file that has another ending, if it would be a component.
fn fault_of_name(entry: &DirEntry) -> Option<(String, NameFault)> {
    let name = entry.file_name().into_string().ok()?;
    let fault = NameFault::of_name(&name)?;
    let metadata = entry.metadata().ok().filter(Metadata::is_file)?;
    // A file of the future is as new as any.
    let lain = || metadata.modified().ok()?.elapsed().ok();
    let is_told = fault != NameFault::Unfinished || lain().is_some_and(|time| time >= UNFINISHED_TIME);
    is_told.then_some((name, fault))
}

/// What is wrong with the name of a manifest beside these components, if anything.
fn manifest_fault(manifest: &str, components: &BTreeMap<String, Identity>) -> Option<NameFault> {
    let stem = Path::new(manifest).file_stem().and_then(|stem| stem.to_str()).unwrap_or(manifest);
    let is_lowercase = manifest.ends_with(".toml");
    if is_lowercase && components.contains_key(&format!("{stem}.{EXTENSION}")) {
        return None;
    }
    let is_of = |component: &String| self::stem(component).eq_ignore_ascii_case(stem);
    let is_near = components.keys().any(is_of);
    Some(if is_near { NameFault::ManifestInCapitals } else { NameFault::ManifestAlone })
}

/// The components among the first files of a subfolder.
fn components_in(dir: &Path, subfolder: &str) -> Vec<String> {
    // It may belong to somebody else, or be gone.
    let Ok(entries) = fs::read_dir(dir.join(subfolder)) else { return Vec::new() };
    let names = entries.take(MAX_IN_SUBFOLDER).flatten().map(|entry| entry.file_name());
    let components = names.filter(|name| {
        !name.as_encoded_bytes().starts_with(b".")
            && Path::new(name).extension().is_some_and(|ending| ending == EXTENSION)
    });
    components.map(|name| format!("{subfolder}/{}", name.display())).collect()
}

/// What `NAME.wasm`, `NAME.toml` and `NAME.cases` are now.
pub(crate) fn identity(dir: &Path, name: &str) -> Identity {
    // A broken link counts as the file itself.
    let metadata =
        |path: &Path| fs::metadata(path).or_else(|error| fs::symlink_metadata(path).map_err(|_| error));
    let state = |path: &Path| metadata(path).map(FileState::from).map_err(|error| error.kind());
    // What can't be listed can't be read, either, which is told then.
    let cases = Case::files(&cases_folder(dir, stem(name))).unwrap_or_default();
    Identity {
        component: state(&dir.join(name)),
        manifest: state(&dir.join(format!("{}.toml", stem(name)))),
        cases: cases.into_iter().map(|path| (path.clone(), state(&path).ok())).collect(),
    }
}

/// The folder with the recorded cases of a plugin.
pub(crate) fn cases_folder(dir: &Path, plugin: &str) -> PathBuf {
    dir.join(format!("{plugin}.cases"))
}

/// Reads `NAME.wasm` and what belongs to it; an error of the kind `NotFound` means that there is no `NAME.wasm`.
pub(crate) fn read(dir: &Path, name: &str) -> io::Result<PluginFile> {
    let stem = stem(name);
    let wasm = read_component(dir, name)?;
    let manifest = read_manifest(dir, name)?;
    let cases = digest_of_cases(&cases_folder(dir, stem));
    Ok(PluginFile { dir: dir.to_owned(), cases, ..PluginFile::new(stem.to_owned(), wasm, manifest) })
}

/// Reads `NAME.wasm` alone.
pub(crate) fn read_component(dir: &Path, name: &str) -> io::Result<Vec<u8>> {
    read_bounded(&dir.join(name), MAX_COMPONENT_BYTES)
}

/// SHA-256 over the recorded cases in a folder. What can't be read counts as what is wrong with it.
fn digest_of_cases(folder: &Path) -> [u8; 32] {
    let mut hasher = Sha256::new();
    let mut add = |part: &[u8]| {
        hasher.update((part.len() as u64).to_le_bytes());
        hasher.update(part);
    };
    match Case::files(folder) {
        // One by one: there may be many, and they may be large.
        Ok(files) => files.iter().for_each(|file| {
            // Not the whole path: replicas have other folders.
            add(file.file_name().unwrap_or_default().as_encoded_bytes());
            add(&read_bounded(file, MAX_CASE_BYTES).unwrap_or_else(|error| error.to_string().into_bytes()));
        }),
        Err(error) => add(error.to_string().as_bytes()),
    }
    hasher.finalize().into()
}

/// Reads the `NAME.toml` of `NAME.wasm`, if there is one.
///
/// # Errors
/// It can't be read, is too large, or isn't text.
pub fn read_manifest(dir: &Path, name: &str) -> io::Result<Option<String>> {
    let file = format!("{}.toml", stem(name));
    read_manifest_as(&dir.join(&file), &file)
}

/// As [`read_manifest`], of any file, which problems are told of as `file`.
///
/// # Errors
/// As [`read_manifest`].
pub fn read_manifest_as(path: &Path, file: &str) -> io::Result<Option<String>> {
    match read_bounded(path, MAX_MANIFEST_BYTES) {
        Ok(bytes) => String::from_utf8(bytes)
            .map(Some)
            .map_err(|_| io::Error::other(refused_files::manifest_not_utf8(file))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(io::Error::other(refused_files::in_manifest(file, error))),
    }
}

#[cfg(test)]
mod tests {
    use std::{fs::File, time::SystemTime};

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

    #[test]
    fn what_would_be_a_component_under_another_name_is_listed_unless_that_is_there() {
        let folder = tempfile::tempdir().unwrap();
        let aged = |name: &str, seconds: u64| {
            let file = File::create(folder.path().join(name)).unwrap();
            file.set_modified(file.metadata().unwrap().modified().unwrap() - Duration::from_secs(seconds))
                .unwrap();
        };
        for name in
            ["a.wasm.gz", "b.wat", "c.wasm.part", ".d.wasm.Ab3dEf", "there.wasm", "there.wasm.gz", "there.py"]
        {
            aged(name, 0);
        }
        aged("e.wasm.tmp", 61);
        aged(".f.wasm.Ab3dEf", 61);
        fs::create_dir(folder.path().join("g.wasm.gz")).unwrap();
        let found = look(folder.path()).unwrap().misnamed;
        let names: Vec<_> = found.keys().map(String::as_str).collect();
        assert_eq!(names, [".f.wasm.Ab3dEf", "a.wasm.gz", "b.wat", "e.wasm.tmp"]);
    }
}
