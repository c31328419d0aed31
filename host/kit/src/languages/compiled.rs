//! What cargo has compiled of the packages in folders of this machine, and what of it is no longer what their files say.

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    time::SystemTime,
};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::languages::{project::Language, sources};

/// How the ids of packages begin that aren't from a registry.
const IN_A_FOLDER: &str = "path+";

/// What cargo leaves in each target folder.
const TARGET_MARK: &str = "CACHEDIR.TAG";

/// What files contained. Empty where that isn't known.
pub(crate) type Digests = BTreeMap<PathBuf, String>;

/// The packages that cargo has compiled, or found compiled.
pub(crate) struct Compiled(Vec<Artifact>);

/// A message from cargo about something it built, with the fields that matter here.
#[derive(Deserialize)]
struct Artifact {
    package_id: String,
    manifest_path: PathBuf,
    profile: Profile,
    #[serde(default)]
    filenames: Vec<PathBuf>,
    /// Whether it had been compiled before.
    fresh: bool,
}

#[derive(Deserialize)]
struct Profile {
    test: bool,
}

/// What is noted beside an artifact when it is compiled.
#[derive(Serialize, Deserialize)]
struct Note {
    artifact: String,
    files: Digests,
}

impl Compiled {
    /// Whether a line of cargo's output matters. There is one for each crate.
    pub(crate) fn is_told_in(line: &str) -> bool {
        line.contains("\"compiler-artifact\"") && line.contains(IN_A_FOLDER)
    }

    pub(crate) fn read(messages: &str) -> Self {
        let artifacts = messages.lines().filter_map(|line| serde_json::from_str::<Artifact>(line).ok());
        Self(artifacts.filter(|artifact| artifact.package_id.starts_with(IN_A_FOLDER)).collect())
    }

    /// The component of the package in a folder.
    pub(crate) fn component(&self, folder: &Path) -> Option<PathBuf> {
        let of_folder = self.0.iter().filter(|artifact| artifact.manifest_path.parent() == Some(folder));
        let mut files = of_folder.flat_map(|artifact| &artifact.filenames);
        files.find(|file| file.extension().is_some_and(|extension| extension == "wasm")).cloned()
    }

    pub(crate) fn packages(&self) -> Vec<&str> {
        let mut packages: Vec<_> = self.0.iter().map(|artifact| &*artifact.package_id).collect();
        packages.sort_unstable();
        packages.dedup();
        packages
    }

    /// The files that tests are compiled from, with absolute paths.
    pub(crate) fn tested_files(&self) -> Vec<PathBuf> {
        self.0.iter().filter(|artifact| artifact.profile.test).flat_map(Artifact::files).collect()
    }

    /// Whether anything that cargo found compiled isn't what the files say now.
    pub(crate) fn is_overlooked(&self) -> bool {
        self.0.iter().any(|artifact| artifact.fresh && artifact.is_outdated())
    }

    pub(crate) fn digests(&self) -> Digests {
        digests(self.0.iter().flat_map(Artifact::files))
    }

    /// Notes what everything was compiled from by a run of cargo that began at some moment. A file that has been changed
    /// since, in whatever way, may have been read before or after, unless it was the same `before`.
    pub(crate) fn note(&self, begun: SystemTime, before: &Digests) {
        for artifact in &self.0 {
            let Some(path) = artifact.note_path().filter(|_| !artifact.fresh || artifact.noted().is_none())
            else {
                continue;
            };
            let mut files = digests(artifact.files());
            for (file, digest) in &mut files {
                if sources::changed_at(file).is_none_or(|changed| changed >= begun)
                    && !artifact.fresh
                    && before.get(file) != Some(digest)
                {
                    digest.clear();
                }
            }
            let Some(artifact) = artifact.identity() else { continue };
            // Without it, the times alone tell.
            let _ = serde_json::to_vec(&Note { artifact, files }).map(|note| fs::write(path, note));
        }
    }
}

impl Artifact {
    fn is_outdated(&self) -> bool {
        match self.noted() {
            Some(note) => digests(self.files()) != note.files,
            // Somebody else has compiled it.
            None => {
                let made = self.filenames.first().and_then(|file| fs::metadata(file).ok()?.modified().ok());
                self.files().iter().any(|file| sources::changed_at(file) > made)
            }
        }
    }

    fn noted(&self) -> Option<Note> {
        let note: Note = serde_json::from_slice(&fs::read(self.note_path()?).ok()?).ok()?;
        (Some(&note.artifact) == self.identity().as_ref()).then_some(note)
    }

    /// Another name for each package: several may share a target folder.
    fn note_path(&self) -> Option<PathBuf> {
        let artifact = self.filenames.first()?;
        let (stem, package) = (artifact.file_stem()?.to_string_lossy(), Sha256::digest(&self.package_id));
        Some(artifact.with_file_name(format!("{stem}-{}.sources", &hex::encode(package)[..16])))
    }

    fn identity(&self) -> Option<String> {
        let metadata = fs::metadata(self.filenames.first()?).ok()?;
        Some(format!("{} {}.{}", metadata.len(), metadata.mtime(), metadata.mtime_nsec()))
    }

    /// The files that it is compiled from, without those that its build made itself.
    fn files(&self) -> Vec<PathBuf> {
        let Some(rules) = self.filenames.first().and_then(|artifact| dependencies_of(artifact)) else {
            return Vec::new();
        };
        let target = self.filenames[0].ancestors().find(|folder| folder.join(TARGET_MARK).is_file());
        let absolute = |file: PathBuf| {
            if file.is_absolute() {
                return file;
            }
            // Cargo compiles members of a workspace from its root.
            let mut folders = self.manifest_path.ancestors().skip(1).map(|folder| folder.join(&file));
            folders.find(|file| file.exists()).unwrap_or(file)
        };
        let files = prerequisites(&rules).into_iter().map(absolute);
        files.filter(|file| target.is_none_or(|target| !file.starts_with(target))).collect()
    }
}

/// The rules that the compiler or cargo wrote about an artifact.
fn dependencies_of(artifact: &Path) -> Option<String> {
    let name = artifact.file_stem()?.to_string_lossy();
    let beside = |name: &str| fs::read_to_string(artifact.with_file_name(format!("{name}.d"))).ok();
    beside(&name).or_else(|| beside(name.strip_prefix("lib")?)).or_else(|| {
        // A build script has a folder of its own.
        let entries = fs::read_dir(artifact.parent()?).ok()?.flatten().map(|entry| entry.path());
        let mut rules = entries.filter(|path| path.extension().is_some_and(|extension| extension == "d"));
        name.starts_with("build-script").then(|| fs::read_to_string(rules.next()?).ok()).flatten()
    })
}

/// What stands behind the colons of a Makefile's rules, without repetitions.
fn prerequisites(rules: &str) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for line in rules.lines().filter(|line| !line.starts_with('#')) {
        let Some((_, after)) = line.split_once(": ") else { continue };
        let mut name = String::new();
        let mut letters = after.chars();
        while let Some(letter) = letters.next() {
            match letter {
                '\\' => name.extend(letters.next()),
                ' ' => files.push(PathBuf::from(std::mem::take(&mut name))),
                letter => name.push(letter),
            }
        }
        files.push(PathBuf::from(name));
    }
    files.retain(|file| !file.as_os_str().is_empty());
    files.sort();
    files.dedup();
    files
}

fn digests(files: impl IntoIterator<Item = PathBuf>) -> Digests {
    files.into_iter().map(|file| (file.clone(), digest(&file))).collect()
}

/// The digest of what a file contains, or all files of a folder.
fn digest(path: &Path) -> String {
    let mut hash = Sha256::new();
    if path.is_dir() {
        for file in sources::find(path, Language::Rust, false).unwrap_or_default().files {
            hash.update(file.name.as_os_str().as_encoded_bytes());
            hash.update(Sha256::digest(fs::read(file.path).unwrap_or_default()));
        }
    } else if let Ok(content) = fs::read(path) {
        hash.update(content);
    } else {
        return "absent".to_owned();
    }
    hex::encode(hash.finalize())
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;

    #[test]
    fn what_a_component_is_compiled_from_stands_in_rules() {
        let rules =
            "/t/a.wasm: /p/src/lib.rs /p/my\\ word\n\n/p/src/lib.rs:\n# env-dep:A\n/t/a.d: /p/src/lib.rs\n";
        assert_eq!(prerequisites(rules), [Path::new("/p/my word"), Path::new("/p/src/lib.rs")]);
    }

    #[test]
    fn a_file_that_may_have_been_read_before_it_changed_is_not_vouched_for() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::write(path("lib.rs"), "1").unwrap();
        fs::write(path("a.wasm"), "1").unwrap();
        fs::write(path("a.d"), format!("a.wasm: {}\n", path("lib.rs").display())).unwrap();
        let compiled = |fresh: bool| {
            Compiled(vec![Artifact {
                package_id: "path+file:///p#a@0.1.0".to_owned(),
                manifest_path: path("Cargo.toml"),
                profile: Profile { test: false },
                filenames: vec![path("a.wasm")],
                fresh,
            }])
        };
        let (earlier, later) = (UNIX_EPOCH, UNIX_EPOCH + Duration::from_secs(10_000_000_000));
        compiled(false).note(later, &Digests::new());
        assert!(!compiled(true).is_overlooked(), "it is as it was compiled");
        fs::write(path("lib.rs"), "2").unwrap();
        assert!(compiled(true).is_overlooked() && !compiled(false).is_overlooked());
        compiled(false).note(earlier, &Digests::new());
        assert!(compiled(true).is_overlooked(), "it was written while it was compiled");
        let before = compiled(true).digests();
        compiled(false).note(earlier, &before);
        assert!(!compiled(true).is_overlooked(), "it was the same before");
        // Of what somebody else has compiled, the times tell.
        fs::write(path("a.wasm"), "22").unwrap();
        assert!(!compiled(true).is_overlooked());
        std::thread::sleep(Duration::from_millis(20));
        fs::write(path("lib.rs"), "3").unwrap();
        assert!(compiled(true).is_overlooked());
    }
}
