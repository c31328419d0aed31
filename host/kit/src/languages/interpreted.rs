//! What JavaScript and Python have in common: each project has its own world, tools are fetched once, and
//! builds are slow, so they are skipped when nothing has changed.

use std::{
    fs::{self, DirBuilder, File},
    io,
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
};

use sha2::{Digest as _, Sha256};

use crate::languages::{
    embedded::{self, interface_version},
    project::Project,
    sources,
    toolbox::{BuildError, ToolWork, Toolbox},
};
use maro_runtime::policy::grants::Grant;

/// The name of the world in a project's `wit/`: what the plugin provides, and the capabilities it may use.
pub(crate) const WORLD: &str = "subcommand";

/// The folder of the package `maro:plugin` in a project's `wit/`.
pub(crate) const DEPENDENCY: &str = "deps/maro-plugin";

/// The file in a tool's folder that marks the tool as complete. It contains the digest of the lock file.
const COMPLETE: &str = "complete";

/// What a tool is downloaded by.
pub(crate) struct Lock {
    /// The lock file. When it changes, the tool is downloaded again.
    pub(crate) text: &'static str,
    /// About how much it downloads, for people.
    pub(crate) size: &'static str,
}

/// What bundles the source in one language with its interpreter.
pub(crate) struct Bundler {
    /// Everything but the sources that a component depends on.
    pub(crate) recipe: fn() -> String,
    /// Bundles a project with the interface in a folder into a component.
    pub(crate) bundle: for<'a> fn(&'a Project, &'a Path, &'a Path, &'a Toolbox) -> ToolWork<'a, ()>,
}

/// Builds a project, unless its sources haven't changed since the last build. Returns the component's path.
///
/// # Errors
/// As the bundler.
pub(crate) async fn build(
    project: &Project,
    bundler: &Bundler,
    toolbox: &Toolbox,
) -> Result<PathBuf, BuildError> {
    let cannot_write = || BuildError::file(format!("can't write to {}", project.build_dir().display()));
    let component = project.build_dir().join(format!("{}.wasm", project.name));
    let stamp = project.build_dir().join("sources.sha256");
    fs::create_dir_all(project.build_dir()).map_err(cannot_write())?;
    let recipe = (bundler.recipe)();
    let shared = project.shared();
    let folders: Vec<_> = [Some(&project.folder), shared.as_ref()].into_iter().flatten().collect();
    let digest = sources::digest(&folders, &recipe)
        .map_err(BuildError::file(format!("can't read {}", project.folder.display())))?;
    if component.is_file() && fs::read_to_string(&stamp).is_ok_and(|stamp| stamp == digest) {
        return Ok(component);
    }
    toolbox.say(&format!("Building {} with its interpreter. This takes 5 to 20 s…", project.name));
    let wit = interface(project)?;
    (bundler.bundle)(project, &wit, &component, toolbox).await?;
    fs::write(stamp, digest).map_err(cannot_write())?;
    Ok(component)
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

/// What to do if a test calls the host: tests run without one.
pub(crate) fn only_on_a_host(called: &str, example: &str) -> String {
    format!(
        "Tests can't call {called} because they run without a host. Keep the code that builds the reply separate, \
         as {example} (plugins/README.md, Testing)."
    )
}

/// The project's `wit/`, with this program's copy of `maro:plugin` if the project has none of its own.
fn interface(project: &Project) -> Result<PathBuf, BuildError> {
    let own = project.folder.join("wit");
    if own.join(DEPENDENCY).is_dir() {
        return Ok(own);
    }
    let whole = project.build_dir().join("wit");
    let assemble = || {
        fs::create_dir_all(whole.join(DEPENDENCY))?;
        for (path, text) in embedded::wit() {
            fs::write(whole.join(DEPENDENCY).join(path), text)?;
        }
        fs::copy(own.join("world.wit"), whole.join("world.wit"))
    };
    assemble().map_err(BuildError::file(format!("can't read {}/world.wit", own.display())))?;
    Ok(whole)
}

/// Runs `fetching` unless `folder` already contains the whole tool of this lock file. Only one process fetches
/// at a time: two would overwrite each other's files.
///
/// # Errors
/// The folder can't be written to, or an error of `fetching`.
pub(crate) async fn fetch_once(
    toolbox: &Toolbox,
    folder: &Path,
    lock: &Lock,
    fetching: impl Future<Output = Result<(), BuildError>>,
) -> Result<(), BuildError> {
    let cannot_write = || BuildError::file("can't write to the folder for tools");
    let locked = tokio::task::spawn_blocking({
        let folder = folder.to_owned();
        move || reserve(&folder)
    });
    let _reserved = locked.await.map_err(io::Error::other).and_then(|file| file).map_err(cannot_write())?;
    let complete = folder.join(COMPLETE);
    let digest = hex::encode(Sha256::digest(lock.text));
    if fs::read_to_string(&complete).is_ok_and(|fetched| fetched == digest) {
        return Ok(());
    }
    let tool = folder.file_name().unwrap_or_default().display();
    toolbox.say(&format!("Downloading {tool} (about {}, once)…", lock.size));
    let failure = |_: &str| {
        Some(format!(
            "Couldn't download {tool}. Check this machine's connection to the registry, and its free disk space."
        ))
    };
    // Half a new tool must not pass for the old one.
    let _ = fs::remove_file(&complete);
    fetching.await.map_err(|error| error.explained(failure, toolbox))?;
    fs::write(complete, digest).map_err(cannot_write())
}

/// Creates a tool's folder, and waits until no other process is fetching the tool.
fn reserve(folder: &Path) -> io::Result<File> {
    // Only its owner may use it, as with the cache of compiled plugins around it.
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let file = File::create(format!("{}.lock", folder.display()))?;
    file.lock()?;
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
        let fetch = |outcome| fetch_once(&toolbox, &tool, &lock, async move { outcome });
        assert!(matches!(fetch(Err(BuildError::Stopped)).await, Err(BuildError::Stopped)));
        let failure = BuildError::Failed { output: "no route".to_owned(), is_shown: false };
        assert_eq!(
            fetch(Err(failure)).await.unwrap_err().to_string(),
            "no route\nCouldn't download tool-1. Check this machine's connection to the registry, and its free disk space."
        );
        assert!(fetch(Ok(())).await.is_ok());
        assert!(fetch(Err(BuildError::Stopped)).await.is_ok());
        let again = fetch_once(&toolbox, &tool, &newer, async { Err(BuildError::Stopped) });
        assert!(again.await.is_err(), "another lock file fetches it again");
    }
}
