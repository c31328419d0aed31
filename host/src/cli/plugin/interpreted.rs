//! What JavaScript and Python have in common: a world of the project's own, tools that are fetched once, and
//! a build that takes long enough to be spared.

use std::{
    fs::{self, DirBuilder, File},
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
};

use crate::cli::plugin::{
    embedded, javascript,
    project::{Language, Project},
    python, sources,
    toolbox::{BuildError, Toolbox},
};

/// The world in a project's `wit/`: what it provides, and the capabilities that it may use.
pub(super) const WORLD: &str = "subcommand";

/// Where in a project's `wit/` the package `maro:plugin` stands.
pub(super) const DEPENDENCY: &str = "deps/maro-plugin";

/// The file in a tool's folder that says that it is whole.
const COMPLETE: &str = "complete";

/// Builds a project, unless what was built last was built from the same sources; where its component is.
///
/// # Errors
/// As the language's own `build`.
pub(super) async fn build(project: &Project, toolbox: &Toolbox) -> Result<PathBuf, BuildError> {
    let cannot_write = || BuildError::file(format!("{} cannot be written", project.build_dir().display()));
    let component = project.build_dir().join(format!("{}.wasm", project.name));
    let stamp = project.build_dir().join("sources.sha256");
    fs::create_dir_all(project.build_dir()).map_err(cannot_write())?;
    let tool = if project.language == Language::Python { python::version() } else { javascript::version() };
    let digest = sources::digest(&project.folder, &tool)
        .map_err(BuildError::file(format!("{} cannot be read", project.folder.display())))?;
    if component.is_file() && fs::read_to_string(&stamp).is_ok_and(|stamp| stamp == digest) {
        return Ok(component);
    }
    toolbox.say(&format!("Building {}: an interpreter goes into it, which takes 5 to 20 s …", project.name));
    let wit = interface(project)?;
    if project.language == Language::Python {
        python::build(project, &wit, &component, toolbox).await?;
    } else {
        javascript::build(project, &wit, &component, toolbox).await?;
    }
    fs::write(stamp, digest).map_err(cannot_write())?;
    Ok(component)
}

/// The project's `wit/`, with this program's copy of `maro:plugin` if the project brings none.
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
    assemble().map_err(BuildError::file(format!("{}/world.wit cannot be read", own.display())))?;
    Ok(whole)
}

/// The right to fetch one tool, so that two builds at once do not spoil each other's.
pub(super) struct Installing {
    folder: PathBuf,
    _lock: File,
}

impl Installing {
    /// Waits until nobody else fetches the tool of `folder`.
    ///
    /// # Errors
    /// The folder cannot be made.
    pub(super) async fn begin(folder: &Path) -> Result<Self, BuildError> {
        let folder = folder.to_owned();
        let lock = PathBuf::from(format!("{}.lock", folder.display()));
        let locking = tokio::task::spawn_blocking(move || {
            // As the cache of compiled plugins around it, which must be its owner's alone.
            DirBuilder::new().recursive(true).mode(0o700).create(&folder)?;
            let file = File::create(lock)?;
            file.lock()?;
            Ok(Self { folder, _lock: file })
        });
        let locked = locking.await.map_err(std::io::Error::other).and_then(|locked| locked);
        locked.map_err(BuildError::file("the folder for tools cannot be written"))
    }

    pub(super) fn is_needed(&self) -> bool {
        !self.folder.join(COMPLETE).is_file()
    }

    /// Notes that the tool is whole.
    pub(super) fn done(self) -> Result<(), BuildError> {
        fs::write(self.folder.join(COMPLETE), "")
            .map_err(BuildError::file("the folder for tools cannot be written"))
    }
}
