//! What JavaScript and Python have in common: each project has its own world, tools are fetched once, and
//! builds are slow, so they are skipped when nothing has changed.

use std::{
    fs::{self, DirBuilder, File, TryLockError},
    io,
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
};

use sha2::{Digest as _, Sha256};

use crate::languages::{
    embedded::interface_version,
    project::Project,
    stage::{Sources, Stage},
    toolbox::{BuildError, ToolWork, Toolbox},
};
use maro_runtime::policy::grants::Grant;

/// The name of the world in a project's `wit/`: what the plugin provides, and the capabilities it may use.
pub(crate) const WORLD: &str = "subcommand";

/// The file in a tool's folder that marks the tool as complete. It contains the digest of the lock file.
const COMPLETE: &str = "complete";

/// What a tool is downloaded by.
pub(crate) struct Lock<'a> {
    /// The lock file. When it changes, the tool is downloaded again.
    pub(crate) text: &'a str,
    /// About how much it downloads, for people.
    pub(crate) size: &'static str,
}

/// What bundles the source in one language with its interpreter.
pub(crate) struct Bundler {
    /// Everything but the sources that a component depends on.
    pub(crate) recipe: fn() -> String,
    /// Bundles a project's sources into a component at a path. Returns what its author should know.
    pub(crate) bundle: for<'a> fn(&'a Project, &'a Stage, &'a Path, &'a Toolbox) -> ToolWork<'a, Vec<String>>,
}

/// Builds a project, unless its sources haven't changed since the last build. Returns the component's path.
///
/// # Errors
/// As the bundler.
pub(crate) async fn build(
    project: &Project,
    bundler: &'static Bundler,
    toolbox: &Toolbox,
) -> Result<PathBuf, BuildError> {
    let cannot_write = || BuildError::file(format!("can't write to {}", project.build_dir().display()));
    let component = project.build_dir().join(format!("{}.wasm", project.name));
    let stamp = project.build_dir().join("sources.sha256");
    let (folder, telling) = (project.build_dir(), toolbox.clone());
    let busy = format!("Another build of {} is under way. Waiting for it to end…", project.name);
    let reserved = blocking(move || {
        fs::create_dir_all(&folder)?;
        lock(&folder.join(".lock"), || telling.say(&busy))
    });
    let _reserved = reserved.await.map_err(cannot_write())?;
    let (sources, present) = look_through(project, (bundler.recipe)()).await?;
    let noted = project.build_dir().join("notes.txt");
    if component.is_file() && fs::read_to_string(&stamp).is_ok_and(|stamp| stamp == present) {
        fs::read_to_string(noted).unwrap_or_default().lines().for_each(|note| toolbox.say(note));
        return Ok(component);
    }
    for left_out in &sources.left_out {
        toolbox.say(&format!("Left out of the build: {left_out}."));
    }
    toolbox.say(&format!("Building {} with its interpreter…", project.name));
    let stage = project.build_dir().join("stage");
    let copying = blocking(move || sources.copy_to(&stage, &(bundler.recipe)()));
    let (stage, digest) = copying.await.map_err(cannot_write())?;
    if !stage.wit.join("world.wit").is_file() {
        let wit = project.folder.join("wit/world.wit");
        return Err(BuildError::Missing(format!(
            "{} is missing: it says what the plugin uses",
            wit.display()
        )));
    }
    let built = stage.root.join("component.wasm");
    let notes = (bundler.bundle)(project, &stage, &built, toolbox).await?;
    notes.iter().for_each(|note| toolbox.say(note));
    // A build that is interrupted in between is done again.
    let _ = fs::remove_file(&stamp);
    fs::write(noted, notes.join("\n"))
        .and_then(|()| fs::rename(built, &component))
        .and_then(|()| fs::write(stamp, digest))
        .map_err(cannot_write())?;
    Ok(component)
}

/// A project's sources, and their digest.
async fn look_through(project: &Project, recipe: String) -> Result<(Sources, String), BuildError> {
    let cannot_read = BuildError::file(format!("can't read {}", project.folder.display()));
    let project = project.clone();
    let looking = blocking(move || {
        let sources = Sources::find(&project)?;
        let digest = sources.digest(&recipe)?;
        Ok((sources, digest))
    });
    looking.await.map_err(cannot_read)
}

/// Files may be slow, and people who wait for them must be able to stop.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(io::Error::other).and_then(|done| done)
}

/// What to do if a plugin uses an interface that the project's world doesn't name.
pub(crate) fn not_in_the_world(interface: &str) -> String {
    let (version, interface) = (interface_version(), interface.split('@').next().unwrap_or(interface));
    let grant = match Grant::from_interface(interface) {
        Some(grant) => format!(" and \"{grant}\" to `grants` in plugin.toml"),
        None => String::new(),
    };
    format!("To use it, add `import maro:plugin/{interface}@{version};` to wit/world.wit{grant}.")
}

/// What to do if code imports from a folder of the project that no build looks into.
pub(crate) fn in_a_reserved_folder(folder: &str) -> String {
    format!("{folder}/ is MARO's own folder in a project, so a build leaves it out: rename it.")
}

/// What to do if a test calls the host: tests run without one.
pub(crate) fn only_on_a_host(called: &str, example: &str) -> String {
    format!(
        "Tests can't call {called} because they run without a host. Keep the code that builds the reply separate, \
         as {example} (plugins/README.md, Testing)."
    )
}

/// For `map_err` on what is written into the `folder` of a tool.
pub(crate) fn cannot_write(folder: &Path) -> impl FnOnce(io::Error) -> BuildError + use<> {
    BuildError::file(format!(
        "can't write to {}, the folder for tools (MARO_CACHE_DIR chooses another)",
        folder.display()
    ))
}

/// Runs `fetching` unless `folder` already contains the whole tool of this lock file. Only one process fetches
/// at a time: two would overwrite each other's files. A tool is whole once `answering` has heard from it.
///
/// # Errors
/// The folder can't be written to, or an error of `fetching` or `answering`.
pub(crate) async fn fetch_once(
    toolbox: &Toolbox,
    folder: &Path,
    lock: &Lock<'_>,
    fetching: impl Future<Output = Result<(), BuildError>>,
    answering: impl Future<Output = Result<(), BuildError>>,
) -> Result<(), BuildError> {
    let tool = folder.file_name().unwrap_or_default().display();
    let (reserving, telling) = (folder.to_owned(), toolbox.clone());
    let busy = format!("Another build is downloading {tool}. Waiting for it to end…");
    let reserved = blocking(move || reserve(&reserving, || telling.say(&busy)));
    let _reserved = reserved.await.map_err(cannot_write(folder))?;
    let complete = folder.join(COMPLETE);
    let digest = completeness(folder, lock);
    if fs::read_to_string(&complete).is_ok_and(|fetched| fetched == digest) {
        return Ok(());
    }
    toolbox.say(&format!("Downloading {tool} (about {}, once)…", lock.size));
    let failure = |_: &str| {
        Some(format!(
            "Couldn't download {tool}. Check this machine's connection to the registry, and its free disk space."
        ))
    };
    // Half a new tool must not pass for the old one.
    let _ = fs::remove_file(&complete);
    fetching.await.map_err(|error| error.explained(failure, toolbox))?;
    let silent = |_: &str| {
        Some(format!("{tool} was downloaded to {}, but doesn't run on this machine.", folder.display()))
    };
    answering.await.map_err(|error| error.explained(silent, toolbox))?;
    fs::write(complete, digest).map_err(cannot_write(folder))
}

/// Has a tool that fails to start fetched again by the next build.
pub(crate) fn forget(folder: &Path) {
    let _ = fs::remove_file(folder.join(COMPLETE));
}

/// What a whole tool's mark says. Tools remember where they were put, so one that was moved isn't whole.
fn completeness(folder: &Path, lock: &Lock<'_>) -> String {
    let place = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    hex::encode(Sha256::digest(format!("{}\n{}", place.display(), lock.text)))
}

/// Creates a tool's folder, and waits until no other process is fetching the tool.
fn reserve(folder: &Path, if_busy: impl FnOnce()) -> io::Result<File> {
    // Only its owner may use it, as with the cache of compiled plugins around it.
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    lock(&PathBuf::from(format!("{}.lock", folder.display())), if_busy)
}

/// Waits until this process alone has the file.
fn lock(path: &Path, if_busy: impl FnOnce()) -> io::Result<File> {
    let file = File::create(path)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            if_busy();
            file.lock()?;
        }
        Err(TryLockError::Error(error)) => return Err(error),
    }
    Ok(file)
}

#[cfg(test)]
mod tests {
    use tokio_util::sync::CancellationToken;

    use super::*;

    #[tokio::test]
    async fn a_tool_is_fetched_until_it_is_whole_and_then_no_more() {
        let folder = tempfile::tempdir().unwrap();
        let toolbox =
            Toolbox { cache: folder.path().to_owned(), echo: false, stop: CancellationToken::new() };
        let tool = folder.path().join("tool-1");
        let (lock, newer) = (Lock { text: "1", size: "1 MB" }, Lock { text: "2", size: "1 MB" });
        let answers = async || Ok(());
        let fetch = |outcome| fetch_once(&toolbox, &tool, &lock, async move { outcome }, answers());
        assert!(matches!(fetch(Err(BuildError::Stopped)).await, Err(BuildError::Stopped)));
        let failure = BuildError::Failed { output: "no route".to_owned(), is_shown: false };
        assert_eq!(
            fetch(Err(failure)).await.unwrap_err().to_string(),
            "no route\nCouldn't download tool-1. Check this machine's connection to the registry, and its free disk space."
        );
        let dumb = || async { Err(BuildError::Failed { output: "no".to_owned(), is_shown: false }) };
        let error = fetch_once(&toolbox, &tool, &lock, answers(), dumb()).await.unwrap_err().to_string();
        assert!(error.starts_with("no\ntool-1 was downloaded to "), "{error}");
        assert!(fetch(Ok(())).await.is_ok());
        assert!(fetch(Err(BuildError::Stopped)).await.is_ok(), "it is complete");
        let stopped = || async { Err(BuildError::Stopped) };
        let again = fetch_once(&toolbox, &tool, &newer, stopped(), answers());
        assert!(again.await.is_err(), "another lock file fetches it again");
        assert!(fetch(Ok(())).await.is_ok());
        let moved = folder.path().join("elsewhere");
        fs::rename(&tool, &moved).unwrap();
        let again = fetch_once(&toolbox, &moved, &lock, stopped(), answers());
        assert!(again.await.is_err(), "a tool that was moved is fetched again");
    }
}
