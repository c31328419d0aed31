//! Builds this repository's plugins from source, each with the grants that it is shipped with.

use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::LazyLock,
};

use anyhow::{Context as _, bail, ensure};
use serde::Deserialize;

use crate::languages::{project::MANIFEST, tool_environment};

/// The target that plugins are compiled for.
const TARGET: &str = "wasm32-wasip2";

/// The profile in the workspace's `Cargo.toml` that keeps guests fast and small.
const PROFILE: &str = "plugin";

/// The file that defines that profile. Projects outside the repository are built with it too.
const WORKSPACE: &str = include_str!("../../../Cargo.toml");

/// The linker argument for a guest's stack size, in bytes: JSON or TOML nested as deeply as their parsers allow takes some
/// 100 KiB, and what isn't used of it costs an invocation nothing. With flags of its own, the target ignores those under
/// `[build]` in an author's configuration of cargo, which are meant for programs of this machine.
const RUSTFLAGS: &str = r#"target.wasm32-wasip2.rustflags=["-Clink-arg=-zstack-size=1048576"]"#;

/// The folder of shipped plugins, below the repository's root, and that of those which operators may add.
const PLUGINS: &str = "plugins";
const OPTIONAL: &str = "plugins/optional";

/// The folders that they are built into, below the target folder.
const BUILT: &str = "plugins";
const BUILT_OPTIONAL: &str = "optional-plugins";

/// The file that lists the plugins from the last build in the output folder, one per line. This program must
/// not remove anything else there.
const INSTALLED: &str = ".installed";

/// What to install if cargo or rustc can't be started.
pub(super) const RUST_MISSING: &str =
    "can't run cargo or rustc. Plugins in Rust need Rust: install it from https://rustup.rs";

/// The arguments that make `cargo build` build a plugin.
pub(super) static CARGO_ARGUMENTS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let mut arguments: Vec<_> =
        ["--profile", PROFILE, "--target", TARGET, "--config", RUSTFLAGS].map(str::to_owned).into();
    let workspace: toml::Table = WORKSPACE.parse().unwrap_or_default();
    let profile = workspace.get("profile").and_then(|profiles| profiles.get(PROFILE));
    for (key, value) in profile.and_then(toml::Value::as_table).into_iter().flatten() {
        let value = match value {
            toml::Value::String(text) => format!("\"{text}\""),
            toml::Value::Integer(number) => number.to_string(),
            toml::Value::Boolean(answer) => answer.to_string(),
            _ => continue,
        };
        arguments.extend(["--config".to_owned(), format!("profile.{PROFILE}.{key}={value}")]);
    }
    arguments
});

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

/// Builds the plugins of the workspace around the working folder, in release form. Returns the folder that
/// they are in afterwards.
///
/// # Errors
/// A sentence that says what is missing (the repository or a tool), or what the compiler said.
pub fn build() -> anyhow::Result<PathBuf> {
    build_workspace().map(|built| built.output)
}

/// As [`build`]. Earlier builds of plugins outside the workspace stay, unless their sources are gone.
pub fn build_workspace() -> anyhow::Result<Built> {
    build_folder(PLUGINS, BUILT)
}

/// Builds the plugins that operators may add, into a folder of their own: what is in a bot's folder runs. Returns that
/// folder, or `None` if the repository has no such plugins. Their manifests grant nothing, so each is off until its
/// operator grants what it needs.
///
/// # Errors
/// As [`build`].
pub fn build_optional() -> anyhow::Result<Option<PathBuf>> {
    if !CargoWorkspace::find(Path::new("."))?.root.join(OPTIONAL).is_dir() {
        return Ok(None);
    }
    build_folder(OPTIONAL, BUILT_OPTIONAL).map(|built| Some(built.output))
}

/// Builds the packages in a folder of the repository into a folder below the target folder.
fn build_folder(folder: &str, output: &str) -> anyhow::Result<Built> {
    let workspace = CargoWorkspace::find(Path::new("."))?;
    add_target()?;
    let sources = workspace.plugins(folder)?;
    let mut cargo = Command::new("cargo");
    for name in tool_environment::withheld() {
        cargo.env_remove(name);
    }
    cargo.current_dir(&workspace.root).arg("build").args(&*CARGO_ARGUMENTS);
    for source in &sources {
        cargo.args(["--package", &source.package]);
    }
    let status = cargo.stdin(Stdio::null()).status().context("can't run cargo")?;
    ensure!(status.success(), "the plugins failed to build; see the compiler's messages above");

    let output = workspace.target.join(output);
    fs::create_dir_all(&output).with_context(|| format!("can't create the folder {}", output.display()))?;
    let folder = workspace.root.join(folder);
    let names: Vec<_> = sources.iter().map(|source| source.name.clone()).collect();
    forget_others(&output, &folder, &names)
        .with_context(|| format!("can't write to {}", output.display()))?;
    for source in &sources {
        let file = format!("{}.wasm", source.package.replace('-', "_"));
        let built = workspace.target.join(TARGET).join(PROFILE).join(file);
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
    let copy = || {
        let content = fs::read(from)?;
        if fs::read(to).is_ok_and(|present| present == content) {
            return Ok(());
        }
        let temporary = to.with_extension("part");
        fs::write(&temporary, content)?;
        fs::rename(&temporary, to)
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

/// Adds the compile target to Rust if it is missing, and says so.
#[expect(clippy::print_stderr, reason = "this is the command line's own output")]
pub(super) fn add_target() -> anyhow::Result<()> {
    let libraries = Command::new("rustc")
        .args(["--print", "target-libdir", "--target", TARGET])
        .output()
        .context(RUST_MISSING)?;
    let present = Path::new(String::from_utf8_lossy(&libraries.stdout).trim()).is_dir();
    if libraries.status.success() && present {
        return Ok(());
    }
    eprintln!("Adding the target {TARGET} to Rust; plugins are compiled for it.");
    let status = Command::new("rustup").args(["target", "add", TARGET]).stdin(Stdio::null()).status();
    match status {
        Ok(status) if status.success() => Ok(()),
        _ => bail!("Rust is missing the target {TARGET}: run `rustup target add {TARGET}`"),
    }
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
    fn plugins_anywhere_are_built_with_the_workspaces_profile() {
        let arguments = CARGO_ARGUMENTS.join(" ");
        assert!(arguments.contains("profile.plugin.inherits=\"release\""), "{arguments}");
        assert!(arguments.contains("profile.plugin.lto=true"), "{arguments}");
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
