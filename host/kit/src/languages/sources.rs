//! The files that can get into a component: regular ones, wherever links to them lead.
//!
//! What is digested is what a build gets to see (`stage.rs`), so nothing else can get in.

use std::{
    ffi::OsStr,
    fmt,
    fs::{self, Metadata},
    io,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use crate::languages::project::{Language, MANIFEST};

/// Folders at a project's root that builds write, or that cases are recorded into.
const WRITTEN: [&str; 2] = ["build", "cases"];

/// Folders of tools that no code is imported from, wherever they are.
const TOOLS: [&str; 7] = [".git", ".hg", ".svn", ".idea", ".vscode", ".maro", "__pycache__"];

/// Files that mark a folder as a tool's own: a virtual environment, and what cargo and others write again.
const MARKS: [&str; 2] = ["pyvenv.cfg", "CACHEDIR.TAG"];

/// The folder of npm's packages.
pub(crate) const PACKAGES: &str = "node_modules";

/// The folder of a project, by its name, if builds leave it out although there's code in it.
pub(crate) fn reserved(project: &Path, name: &str) -> Option<&'static str> {
    let reserved = WRITTEN.into_iter().find(|written| *written == name)?;
    let files = fs::read_dir(project.join(name)).ok()?.flatten().map(|entry| entry.path());
    files.into_iter().any(|file| is_code(&file)).then_some(reserved)
}

/// More files than this are no plugin, but a link to somewhere else. An error, never a silent limit.
const MAX_FILES: usize = 100_000;

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Source {
    /// The path within the folder that was looked through.
    pub(crate) name: PathBuf,
    /// Where the file is, behind all links to it.
    pub(crate) path: PathBuf,
}

/// Something that no build looks at, and why.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct LeftOut {
    name: PathBuf,
    reason: &'static str,
}

impl fmt::Display for LeftOut {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.name.display(), self.reason)
    }
}

/// What is below a folder.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// Sorted.
    pub(crate) files: Vec<Source>,
    pub(crate) left_out: Vec<LeftOut>,
}

/// Everything below a project's folder that isn't written by a build or a tool.
///
/// # Errors
/// The folder can't be read, or there are more than 100,000 files in it.
pub(crate) fn find(folder: &Path, language: Language, with_packages: bool) -> io::Result<Found> {
    let root = folder.canonicalize()?;
    let mut search = Search { with_packages, language, open: Vec::new(), found: Found::default() };
    search.folder(&root, Path::new(""))?;
    let Found { mut files, mut left_out } = search.found;
    files.sort();
    left_out.sort();
    Ok(Found { files, left_out })
}

struct Search {
    with_packages: bool,
    language: Language,
    /// The folders around the one that is being read.
    open: Vec<PathBuf>,
    found: Found,
}

impl Search {
    /// `folder` is behind all links.
    fn folder(&mut self, folder: &Path, name: &Path) -> io::Result<()> {
        let entries = match fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(error) if self.open.is_empty() => return Err(error),
            Err(_) => return self.leave_out(name, "can't be read"),
        };
        self.open.push(folder.to_owned());
        for entry in entries.flatten() {
            self.entry(&entry, &name.join(entry.file_name()))?;
        }
        self.open.pop();
        Ok(())
    }

    fn entry(&mut self, entry: &fs::DirEntry, name: &Path) -> io::Result<()> {
        if self.is_ignored(&entry.file_name(), name) {
            return Ok(());
        }
        let Ok(kind) = entry.file_type() else { return self.leave_out(name, "can't be read") };
        // What a link leads to counts, not the link.
        let path = if kind.is_symlink() {
            match entry.path().canonicalize() {
                Ok(path) => path,
                Err(_) => return self.leave_out(name, "leads nowhere"),
            }
        } else {
            entry.path()
        };
        match fs::metadata(&path) {
            Ok(metadata) if metadata.is_file() => self.add(name, path),
            Ok(metadata) if !metadata.is_dir() => self.leave_out(name, "is neither a file nor a folder"),
            Ok(_) if MARKS.iter().any(|mark| path.join(mark).is_file()) => Ok(()),
            Ok(_) if self.open.iter().any(|open| open.starts_with(&path)) => {
                self.leave_out(name, "leads back to a folder around it")
            }
            Ok(_) => self.folder(&path, name),
            Err(_) => self.leave_out(name, "can't be read"),
        }
    }

    /// Whether an entry is a build's or a tool's own.
    fn is_ignored(&self, file: &OsStr, name: &Path) -> bool {
        let is_at_root = name == Path::new(file);
        let file = file.to_string_lossy();
        let is_editors = file.ends_with('~') || file.starts_with(".#") || is_swap_file(&file);
        is_editors
            || TOOLS.contains(&&*file)
            || is_at_root && WRITTEN.contains(&&*file)
            || is_at_root && file == "target" && self.language == Language::Rust
            || file == PACKAGES && !self.with_packages
    }

    fn add(&mut self, name: &Path, path: PathBuf) -> io::Result<()> {
        if self.found.files.len() == MAX_FILES {
            let folder = name.components().next().map(|first| first.as_os_str().to_owned());
            return Err(io::Error::other(format!(
                "it has more than {MAX_FILES} files, the last of them in {}: move what isn't the plugin's elsewhere",
                folder.unwrap_or_default().display()
            )));
        }
        self.found.files.push(Source { name: name.to_owned(), path });
        Ok(())
    }

    /// The search goes on.
    fn leave_out(&mut self, name: &Path, reason: &'static str) -> io::Result<()> {
        self.found.left_out.push(LeftOut { name: name.to_owned(), reason });
        Ok(())
    }
}

/// Vim's own files, such as `.plugin.py.swp`.
fn is_swap_file(name: &str) -> bool {
    let ending = name.rsplit('.').next().unwrap_or_default();
    name.starts_with('.') && ending.len() == 3 && ending.starts_with("sw")
}

/// Whether a JavaScript or Python file contains tests.
fn is_test(name: &Path) -> bool {
    let file = name.file_name().unwrap_or_default().to_string_lossy();
    file.ends_with(".test.js") || file.ends_with(".py") && file.starts_with("test_")
}

/// What code must mention to get a file that isn't part of a component by itself: tests, npm's packages, and
/// what at the project's root is for people and tools. `None` for all other files.
fn mention(name: &Path) -> Option<String> {
    if is_test(name) {
        return Some(name.file_stem()?.to_string_lossy().into_owned());
    }
    let first = name.components().next()?.as_os_str().to_string_lossy();
    if name.components().any(|part| part.as_os_str() == PACKAGES) {
        // Packages are imported by their names.
        let mut parts = name.components().skip_while(|part| part.as_os_str() != PACKAGES).skip(1);
        let package = parts.next()?.as_os_str().to_string_lossy().into_owned();
        return match package.starts_with('@') {
            true => Some(format!("{package}/{}", parts.next()?.as_os_str().to_string_lossy())),
            false => Some(package),
        };
    }
    let is_for_people = ["README", "LICENSE", "CHANGELOG"].iter().any(|start| first.starts_with(start));
    let is_for_tools = [MANIFEST, "package.json", "package-lock.json", ".gitignore"].contains(&&*first);
    (is_for_people || is_for_tools).then(|| first.into_owned())
}

/// Leaves only the files that a component can be made of. A file that isn't code of the plugin by itself
/// stays if code that stays mentions it.
pub(crate) fn retain_mentioned(files: &mut Vec<Source>) {
    let (mut kept, mut waiting): (Vec<Source>, Vec<Source>) =
        files.drain(..).partition(|file| mention(&file.name).is_none());
    let mut unread = 0;
    // Code that is mentioned may mention more.
    while unread < kept.len() && !waiting.is_empty() {
        let text = fs::read(&kept[unread].path).ok().filter(|_| is_code(&kept[unread].name));
        unread += 1;
        let Some(text) = text else { continue };
        let text = String::from_utf8_lossy(&text).into_owned();
        kept.extend(
            waiting
                .extract_if(.., |file| mention(&file.name).is_none_or(|mentioned| text.contains(&mentioned))),
        );
    }
    kept.sort();
    *files = kept;
}

fn is_code(name: &Path) -> bool {
    let ending = name.extension().unwrap_or_default().to_string_lossy();
    ["js", "mjs", "cjs", "json", "py"].contains(&&*ending)
}

/// When a file was changed last, whatever it says itself.
pub(crate) fn changed_at(file: &Path) -> Option<SystemTime> {
    changed(&fs::metadata(file).ok()?)
}

fn changed(metadata: &Metadata) -> Option<SystemTime> {
    let seconds = Duration::from_secs(u64::try_from(metadata.ctime()).ok()?);
    UNIX_EPOCH.checked_add(seconds + Duration::from_nanos(u64::try_from(metadata.ctime_nsec()).ok()?))
}

/// Each file's name, size and times.
pub type Fingerprint = Vec<(PathBuf, u64, [Option<SystemTime>; 2])>;

/// Changes when a file below one of the folders is written, created or removed, or another takes its place, whatever its
/// time is.
pub fn fingerprint(folders: &[PathBuf], language: Language) -> Fingerprint {
    let found = folders.iter().filter_map(|folder| Some((folder, find(folder, language, false).ok()?)));
    let files = found
        .flat_map(|(folder, found)| found.files.into_iter().map(|file| (folder.join(file.name), file.path)));
    files
        .filter_map(|(name, path)| {
            let metadata = fs::metadata(path).ok()?;
            Some((name, metadata.len(), [metadata.modified().ok(), changed(&metadata)]))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::os::unix::{fs::symlink, net::UnixListener};

    use rustix::fs::{CWD, FileType, Mode, mknodat};

    use super::*;

    fn write(folder: &Path, file: &str, content: &str) {
        let path = folder.join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    fn names(files: &[Source]) -> Vec<String> {
        files.iter().map(|file| file.name.display().to_string()).collect()
    }

    #[test]
    fn what_a_build_writes_is_no_source_and_a_folder_of_that_name_elsewhere_is() {
        let folder = tempfile::tempdir().unwrap();
        for file in [
            "a.js",
            "src/build/b.rs",
            "src/target/c.rs",
            "build/a.wasm",
            "target/x",
            ".a.js.swp",
            "a.js~",
            "cases/1.json",
            ".git/HEAD",
            "lib/__pycache__/a.pyc",
            "out/CACHEDIR.TAG",
            "out/b.js",
            ".levels.json",
        ] {
            write(folder.path(), file, file);
        }
        let rust = find(folder.path(), Language::Rust, true).unwrap();
        assert_eq!(names(&rust.files), [".levels.json", "a.js", "src/build/b.rs", "src/target/c.rs"]);
        let python = find(folder.path(), Language::Python, true).unwrap();
        assert!(names(&python.files).contains(&"target/x".to_owned()), "only cargo writes it");
    }

    #[test]
    fn only_regular_files_are_sources_and_the_rest_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        write(folder.path(), "plugin.py", "");
        write(folder.path(), "venv/pyvenv.cfg", "");
        write(folder.path(), "venv/lib/site.py", "");
        symlink("lib", at("venv/lib64")).unwrap();
        symlink("/nowhere/at/all", at("notes.txt")).unwrap();
        write(folder.path(), "docs/guide.md", "");
        symlink("../docs", at("docs/up")).unwrap();
        symlink("..", at("docs/out")).unwrap();
        symlink("docs", at("manual")).unwrap();
        symlink("plugin.py", at("other.py")).unwrap();
        mknodat(CWD, at("pipe"), FileType::Fifo, Mode::RUSR, 0).unwrap();
        let _socket = UnixListener::bind(at("socket")).unwrap();
        let found = find(folder.path(), Language::Python, true).unwrap();
        assert_eq!(names(&found.files), ["docs/guide.md", "manual/guide.md", "other.py", "plugin.py"]);
        let left_out: Vec<_> = found.left_out.iter().map(LeftOut::to_string).collect();
        assert_eq!(
            left_out,
            [
                "docs/out leads back to a folder around it",
                "docs/up leads back to a folder around it",
                "manual/out leads back to a folder around it",
                "manual/up leads back to a folder around it",
                "notes.txt leads nowhere",
                "pipe is neither a file nor a folder",
                "socket is neither a file nor a folder",
            ]
        );
    }

    #[test]
    fn tests_documents_and_packages_are_sources_only_if_code_mentions_them() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), "plugin.py", "import test_levels");
        write(folder.path(), "test_levels.py", "import test_more");
        write(folder.path(), "test_more.py", "");
        write(folder.path(), "test_plugin.py", "");
        write(folder.path(), "README.md", "test_plugin");
        write(folder.path(), MANIFEST, "");
        write(folder.path(), "plugin.js", "import x from './node_modules/ms/index.js'");
        write(folder.path(), "node_modules/ms/index.js", "");
        write(folder.path(), "node_modules/@eslint/js/index.js", "");
        let mut files = find(folder.path(), Language::Python, true).unwrap().files;
        retain_mentioned(&mut files);
        assert_eq!(
            names(&files),
            ["node_modules/ms/index.js", "plugin.js", "plugin.py", "test_levels.py", "test_more.py"]
        );
    }

    #[test]
    fn a_file_that_looks_the_same_and_is_another_is_a_change() {
        let folder = tempfile::tempdir().unwrap();
        let (here, other) = (folder.path().join("plugin.py"), folder.path().join("plugin.py~"));
        let time = UNIX_EPOCH + Duration::from_secs(1_000_000_000);
        for (path, text) in [(&here, "1"), (&other, "2")] {
            fs::write(path, text).unwrap();
            fs::File::open(path).unwrap().set_modified(time).unwrap();
        }
        let look = || fingerprint(&[folder.path().to_owned()], Language::Python);
        let before = look();
        assert_eq!(look(), before);
        // Times are told apart by a few milliseconds.
        std::thread::sleep(Duration::from_millis(20));
        fs::rename(other, here).unwrap();
        assert_ne!(look(), before);
    }

    #[test]
    fn no_number_of_files_hides_one() {
        let folder = tempfile::tempdir().unwrap();
        for number in 0..5_300 {
            fs::write(folder.path().join(format!("{number}.py")), "").unwrap();
        }
        assert_eq!(find(folder.path(), Language::Python, true).unwrap().files.len(), 5_300);
        assert_eq!(fingerprint(&[folder.path().to_owned()], Language::Python).len(), 5_300);
    }
}
