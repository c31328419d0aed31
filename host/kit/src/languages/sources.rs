//! The source files that a build depends on.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use sha2::{Digest as _, Sha256};

/// Folders that don't go into the component: those written by builds and tools, and recorded cases.
const SKIPPED: [&str; 5] = ["build", "target", "node_modules", "__pycache__", "cases"];

/// How many files of one project are looked at.
const MAX_FILES: usize = 5_000;

/// Every source file below a folder, sorted. Hidden files and build output are left out.
pub(crate) fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    collect(folder, &mut found);
    found.sort();
    found
}

fn collect(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        // Editors keep their own files next to the one being edited.
        if name.starts_with('.') || name.ends_with('~') || SKIPPED.contains(&&*name) {
            continue;
        }
        // Links to folders aren't followed: they may form a loop.
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => collect(&entry.path(), found),
            Ok(_) if found.len() < MAX_FILES => found.push(entry.path()),
            _ => {}
        }
    }
}

/// Whether a JavaScript or Python file contains tests, which don't go into the component.
fn is_test(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.ends_with(".test.js") || name.ends_with(".py") && name.starts_with("test_")
}

/// A digest of the names and contents of all source files below some folders, except tests.
///
/// # Errors
/// A file can't be read.
pub(crate) fn digest(folders: &[impl AsRef<Path>], tool: &str) -> io::Result<String> {
    let mut hash = Sha256::new();
    hash.update(tool);
    let files = folders.iter().flat_map(|folder| files(folder.as_ref()));
    for path in files.filter(|path| !is_test(path)) {
        let content = fs::read(&path)?;
        hash.update(path.to_string_lossy().as_bytes());
        hash.update(content.len().to_le_bytes());
        hash.update(content);
    }
    Ok(hex::encode(hash.finalize()))
}

/// Names, sizes and times: they change when a file below one of the folders is written, created or removed.
pub fn fingerprint(folders: &[PathBuf]) -> Vec<(PathBuf, u64, Option<std::time::SystemTime>)> {
    let files = folders.iter().flat_map(|folder| files(folder));
    files
        .filter_map(|path| {
            let metadata = fs::metadata(&path).ok()?;
            Some((path, metadata.len(), metadata.modified().ok()))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_of_tests_needs_no_build() {
        let folder = tempfile::tempdir().unwrap();
        let write = |file: &str, content: &str| fs::write(folder.path().join(file), content).unwrap();
        write("plugin.js", "1");
        let first = digest(&[folder.path()], "tool").unwrap();
        write("plugin.test.js", "1");
        write("test_plugin.py", "1");
        assert_eq!(digest(&[folder.path()], "tool").unwrap(), first);
        write("plugin.js", "2");
        assert_ne!(digest(&[folder.path()], "tool").unwrap(), first);
    }

    #[test]
    fn what_a_build_writes_is_no_source() {
        let folder = tempfile::tempdir().unwrap();
        for file in ["a.js", "src/b.rs", "build/a.wasm", "target/x", ".a.js.swp", "a.js~", "cases/1.json"] {
            let path = folder.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, file).unwrap();
        }
        let names: Vec<_> = files(folder.path())
            .iter()
            .map(|path| path.strip_prefix(folder.path()).unwrap().display().to_string())
            .collect();
        assert_eq!(names, ["a.js", "src/b.rs"]);
        let before = digest(&[folder.path()], "1").unwrap();
        fs::write(folder.path().join("build/a.wasm"), "other").unwrap();
        assert_eq!(digest(&[folder.path()], "1").unwrap(), before);
        assert_ne!(digest(&[folder.path()], "2").unwrap(), before);
        fs::write(folder.path().join("a.js"), "other").unwrap();
        assert_ne!(digest(&[folder.path()], "1").unwrap(), before);
    }
}
