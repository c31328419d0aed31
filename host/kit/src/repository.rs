//! Builds this repository's plugins from source, each with the grants that it is shipped with.

use std::{
    collections::BTreeSet,
    fs::{self, Permissions},
    io::{self, Write as _},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context as _, bail, ensure};
use serde::Deserialize;

use crate::languages::{
    cargo::{self, Cargo, RUST_MISSING},
    project::MANIFEST,
    toolbox::{BuildError, Toolbox},
};

/// The folder of shipped plugins, below the repository's root, and that of those which operators may add.
const PLUGINS: &str = "plugins";
const OPTIONAL: &str = "plugins/optional";

/// The folders that they are built into, below the target folder.
const BUILT: &str = "plugins";
const BUILT_OPTIONAL: &str = "optional-plugins";

/// The file that lists the plugins from the last build in the output folder, one per line. This program must
/// not remove anything else there.
const INSTALLED: &str = ".installed";

/// A plugin of this repository.
struct ShippedPlugin {
    /// The name of its folder, which is also the name of its subcommand.
    name: String,
    package: String,
    manifest: PathBuf,
}

/// The result of building this repository's plugins.
pub struct Built {
    /// The folder that contains the projects.
    pub sources: PathBuf,
    /// The folder that contains their components.
    pub output: PathBuf,
    /// The names of the folders in `sources` that are packages of the workspace.
    pub names: Vec<String>,
}

/// Builds the plugins of the workspace around the working folder, in release form. Earlier builds of plugins outside the
/// workspace stay, unless their sources are gone.
///
/// # Errors
/// A sentence that says what is missing (the repository or a tool), or what the compiler said.
pub async fn build(toolbox: &Toolbox) -> anyhow::Result<Built> {
    let workspace = CargoWorkspace::here().await?;
    build_folder(workspace, PLUGINS, BUILT, toolbox).await
}

/// Builds the plugins that operators may add, into a folder of their own: what is in a bot's folder runs. Returns that
/// folder, or `None` if the repository has no such plugins. Their manifests grant nothing, so each is off until its
/// operator grants what it needs.
///
/// # Errors
/// As [`build`].
pub async fn build_optional(toolbox: &Toolbox) -> anyhow::Result<Option<PathBuf>> {
    let workspace = CargoWorkspace::here().await?;
    if !workspace.root.join(OPTIONAL).is_dir() {
        return Ok(None);
    }
    build_folder(workspace, OPTIONAL, BUILT_OPTIONAL, toolbox).await.map(|built| Some(built.output))
}

/// Builds the packages in a folder of the repository into a folder below the target folder.
async fn build_folder(
    workspace: CargoWorkspace,
    folder: &str,
    output: &str,
    toolbox: &Toolbox,
) -> anyhow::Result<Built> {
    let sources = workspace.plugins(folder)?;
    let failed = |error: BuildError| error.told("the plugins failed to build".to_owned());
    cargo::add_target(&workspace.root, toolbox).await.map_err(failed)?;
    let packages: Vec<_> = sources.iter().flat_map(|source| ["--package", &source.package]).collect();
    Cargo::for_plugins(&workspace.root).compile("build", &packages, toolbox).await.map_err(failed)?;
    let (output, folder) = (workspace.target.join(output), workspace.root.join(folder));
    tokio::task::spawn_blocking(move || install_all(&workspace, &sources, output, folder)).await?
}

fn install_all(
    workspace: &CargoWorkspace,
    sources: &[ShippedPlugin],
    output: PathBuf,
    folder: PathBuf,
) -> anyhow::Result<Built> {
    fs::create_dir_all(&output).with_context(|| format!("can't create the folder {}", output.display()))?;
    let names: Vec<_> = sources.iter().map(|source| source.name.clone()).collect();
    forget_others(&output, &folder, &names)
        .with_context(|| format!("can't write to {}", output.display()))?;
    for source in sources {
        let built = cargo::component_of(&workspace.target, &source.package);
        install(&built, &source.manifest, &output, &source.name)?;
    }
    Ok(Built { sources: folder, output, names })
}

/// Removes plugins of an earlier build whose source is no longer in `folder`, and notes the `names` of this
/// build next to those that stay.
fn forget_others(output: &Path, folder: &Path, names: &[String]) -> io::Result<()> {
    let note = output.join(INSTALLED);
    let earlier = fs::read_to_string(&note).unwrap_or_default();
    let (kept, gone): (Vec<&str>, Vec<&str>) =
        earlier.lines().partition(|name| folder.join(name).join(MANIFEST).is_file());
    for name in gone {
        remove(output, name)?;
    }
    let noted: BTreeSet<&str> = names.iter().map(String::as_str).chain(kept).collect();
    fs::write(note, noted.into_iter().collect::<Vec<_>>().join("\n") + "\n")
}

/// Removes a plugin from the folder of built plugins.
pub fn remove(output: &Path, name: &str) -> io::Result<()> {
    // The component goes first: without its grants, it would be refused for a moment.
    for ending in ["wasm", "toml"] {
        match fs::remove_file(output.join(format!("{name}.{ending}"))) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

/// Notes that this program may remove `name` from `output`.
pub fn note_installed(output: &Path, name: &str) -> io::Result<()> {
    let note = output.join(INSTALLED);
    let earlier = fs::read_to_string(&note).unwrap_or_default();
    if earlier.lines().any(|noted| noted == name) {
        Ok(())
    } else {
        fs::write(note, format!("{earlier}{name}\n"))
    }
}

/// Puts a component and its manifest into the folder `output`, as `NAME.wasm` and `NAME.toml`.
///
/// # Errors
/// A file can't be read or written.
pub(super) fn install(component: &Path, manifest: &Path, output: &Path, name: &str) -> anyhow::Result<()> {
    let granted = output.join(format!("{name}.toml"));
    // The grants go first. Otherwise a component that needs a new one would be refused for a moment.
    let is_granted = match fs::symlink_metadata(manifest) {
        Ok(_) if !manifest.is_file() => bail!("{} is no file", manifest.display()),
        Ok(_) => {
            replace(manifest, &granted)?;
            true
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => false,
        Err(error) => return Err(error).with_context(|| format!("{} can't be read", manifest.display())),
    };
    replace(component, &output.join(format!("{name}.wasm")))?;
    if !is_granted && let Err(error) = fs::remove_file(&granted) {
        let is_absent = error.kind() == io::ErrorKind::NotFound;
        ensure!(is_absent, "{} can't be removed: {error}", granted.display());
    }
    Ok(())
}

/// Copies a file so that readers of the target see either all of it or what was there before. If the content
/// is the same, the target isn't touched, so that nothing is reloaded.
fn replace(from: &Path, to: &Path) -> anyhow::Result<()> {
    let copy = || -> io::Result<()> {
        let content = fs::read(from)?;
        if fs::read(to).is_ok_and(|present| present == content) {
            return Ok(());
        }
        // Two builds at once must not write into one file. The bot takes no file with a dot at its start for a plugin.
        let folder = to.parent().unwrap_or(Path::new("."));
        let mut temporary = tempfile::Builder::new()
            .prefix(".part-")
            .permissions(Permissions::from_mode(0o666))
            .tempfile_in(folder)?;
        temporary.write_all(&content)?;
        temporary.persist(to)?;
        Ok(())
    };
    copy().with_context(|| format!("can't copy {} to {}", from.display(), to.display()))
}

/// The Cargo workspace of this repository.
struct CargoWorkspace {
    root: PathBuf,
    target: PathBuf,
    packages: Vec<CargoPackage>,
}

#[derive(Deserialize)]
struct CargoMetadata {
    packages: Vec<CargoPackage>,
    workspace_root: PathBuf,
    target_directory: PathBuf,
}

#[derive(Deserialize)]
struct CargoPackage {
    name: String,
    manifest_path: PathBuf,
}

impl CargoWorkspace {
    /// The workspace around the working folder.
    async fn here() -> anyhow::Result<Self> {
        tokio::task::spawn_blocking(|| Self::find(Path::new("."))).await?
    }

    /// The workspace around `folder`.
    fn find(folder: &Path) -> anyhow::Result<Self> {
        let output = Command::new("cargo")
            .current_dir(folder)
            .args(["metadata", "--no-deps", "--format-version", "1"])
            .stdin(Stdio::null())
            .output()
            .context(RUST_MISSING)?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            ensure!(
                !said.contains("could not find `Cargo.toml`"),
                "No Cargo workspace found. Run this in a MARO checkout."
            );
            bail!("cargo can't read the workspace. It says:\n{}", said.trim_end());
        }
        let metadata: CargoMetadata = serde_json::from_slice(&output.stdout)
            .context("can't read cargo's description of the workspace")?;
        Ok(Self {
            root: metadata.workspace_root,
            target: metadata.target_directory,
            packages: metadata.packages,
        })
    }

    /// The packages directly in `folder` that have a `plugin.toml`.
    fn plugins(&self, folder: &str) -> anyhow::Result<Vec<ShippedPlugin>> {
        let dir = self.root.join(folder);
        let mut sources: Vec<_> = self.packages.iter().filter_map(|package| source(&dir, package)).collect();
        if sources.is_empty() {
            bail!("There are no plugins in {}. Run this in a MARO checkout.", dir.display());
        }
        sources.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(sources)
    }
}

fn source(dir: &Path, package: &CargoPackage) -> Option<ShippedPlugin> {
    let folder = package.manifest_path.parent()?;
    let manifest = folder.join(MANIFEST);
    if folder.parent()? != dir || !manifest.is_file() {
        return None;
    }
    let name = folder.file_name()?.to_str()?.to_owned();
    Some(ShippedPlugin { name, package: package.name.clone(), manifest })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(folder: &Path) -> String {
        match CargoWorkspace::find(folder) {
            Ok(_) => panic!("there is a workspace"),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn only_what_a_build_has_left_of_sources_that_are_gone_is_removed() {
        let (folder, sources) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        for file in ["gone.wasm", "gone.toml", "track.wasm", "script.wasm", "foreign.wasm"] {
            fs::write(folder.path().join(file), "").unwrap();
        }
        fs::create_dir(sources.path().join("script")).unwrap();
        fs::write(sources.path().join("script").join(MANIFEST), "").unwrap();
        fs::write(folder.path().join(INSTALLED), "gone\nscript\nnever-written\n").unwrap();
        forget_others(folder.path(), sources.path(), &["track".to_owned()]).unwrap();
        let mut left: Vec<_> = fs::read_dir(folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        left.sort();
        assert_eq!(left, [INSTALLED, "foreign.wasm", "script.wasm", "track.wasm"]);
        assert_eq!(fs::read_to_string(folder.path().join(INSTALLED)).unwrap(), "script\ntrack\n");
    }

    #[test]
    fn a_manifest_that_is_gone_grants_nothing_any_more() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::write(path("component"), "wasm").unwrap();
        fs::write(path(MANIFEST), "grants = []").unwrap();
        let install = || install(&path("component"), &path(MANIFEST), folder.path(), "surf");
        install().unwrap();
        assert_eq!(fs::read_to_string(path("surf.toml")).unwrap(), "grants = []");
        fs::remove_file(path(MANIFEST)).unwrap();
        install().unwrap();
        assert!(!path("surf.toml").exists() && path("surf.wasm").exists());
        install().unwrap();
        fs::create_dir(path(MANIFEST)).unwrap();
        let error = install().unwrap_err().to_string();
        assert!(error.ends_with("plugin.toml is no file"), "{error}");
    }

    #[test]
    fn a_folder_without_a_workspace_is_told_from_a_workspace_that_cannot_be_read() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(problem(folder.path()), "No Cargo workspace found. Run this in a MARO checkout.");
        fs::write(folder.path().join("Cargo.toml"), "[workspace]\nmembers = [\"plugins/nowhere\"]\n")
            .unwrap();
        let said = problem(folder.path());
        assert!(said.starts_with("cargo can't read the workspace. It says:\n"), "{said}");
        assert!(said.contains("plugins/nowhere"), "{said}");
    }
}
