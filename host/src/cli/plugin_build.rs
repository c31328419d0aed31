//! `maro plugin build`: this repository's plugins from source, each with the grants that it is shipped with.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, ExitCode, Stdio},
};

use anyhow::{Context as _, bail, ensure};
use serde::Deserialize;

/// What plugins are compiled for.
const TARGET: &str = "wasm32-wasip2";

/// The profile in the workspace's `Cargo.toml` that keeps guests small.
const PROFILE: &str = "plugin";

/// A guest's stack, in bytes, as an argument of the linker. The default of 1 MiB would only be memory to
/// map and wipe at each invocation.
const RUSTFLAGS: &str = r#"target.wasm32-wasip2.rustflags=["-Clink-arg=-zstack-size=65536"]"#;

/// The folders of plugins that are shipped, below the repository's root.
const PLUGINS: &str = "plugins";

/// The file in a plugin's folder that is shipped beside its component as `NAME.toml`.
const MANIFEST: &str = "plugin.toml";

pub(super) fn run() -> anyhow::Result<ExitCode> {
    let output = build()?;
    report(&output);
    Ok(ExitCode::SUCCESS)
}

#[expect(clippy::print_stdout, reason = "this is the command line's own output")]
fn report(output: &Path) {
    println!("The plugins are in {}.", output.display());
}

/// A plugin of this repository.
struct Source {
    /// The name of its folder, which is also that of its subcommand.
    name: String,
    package: String,
    manifest: PathBuf,
}

/// Builds the plugins of the repository around the working folder, in release form.
///
/// # Errors
/// A sentence that says what is missing: the repository, a tool, or what the compiler said.
pub fn build() -> anyhow::Result<PathBuf> {
    let workspace = Workspace::find(Path::new("."))?;
    add_target()?;
    let sources = workspace.plugins()?;
    let mut cargo = Command::new("cargo");
    cargo.current_dir(&workspace.root).args([
        "build",
        "--profile",
        PROFILE,
        "--target",
        TARGET,
        "--config",
        RUSTFLAGS,
    ]);
    for source in &sources {
        cargo.args(["--package", &source.package]);
    }
    let status = cargo.stdin(Stdio::null()).status().context("cargo does not start")?;
    ensure!(status.success(), "the plugins do not build; the compiler's messages are above");

    let output = workspace.target.join("plugins");
    fs::create_dir_all(&output).with_context(|| format!("cannot make the folder {}", output.display()))?;
    for source in &sources {
        let file = format!("{}.wasm", source.package.replace('-', "_"));
        let built = workspace.target.join(TARGET).join(PROFILE).join(file);
        install(&built, &output.join(format!("{}.wasm", source.name)))?;
        install(&source.manifest, &output.join(format!("{}.toml", source.name)))?;
    }
    Ok(output)
}

/// Copies a file so that whoever reads the target sees all of it or what was there before. A file that
/// would not change is left alone, so that nothing is reloaded for it.
fn install(from: &Path, to: &Path) -> anyhow::Result<()> {
    let copy = || {
        let content = fs::read(from)?;
        if fs::read(to).is_ok_and(|present| present == content) {
            return Ok(());
        }
        let temporary = to.with_extension("part");
        fs::write(&temporary, content)?;
        fs::rename(&temporary, to)
    };
    copy().with_context(|| format!("cannot copy {} to {}", from.display(), to.display()))
}

/// The Cargo workspace of this repository.
struct Workspace {
    root: PathBuf,
    target: PathBuf,
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    workspace_root: PathBuf,
    target_directory: PathBuf,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    manifest_path: PathBuf,
}

impl Workspace {
    /// The workspace around `folder`.
    fn find(folder: &Path) -> anyhow::Result<Self> {
        let output = Command::new("cargo")
            .current_dir(folder)
            .args(["metadata", "--no-deps", "--format-version", "1"])
            .stdin(Stdio::null())
            .output()
            .context("cargo does not start: plugins in Rust need Rust, which https://rustup.rs installs")?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            ensure!(
                !said.contains("could not find `Cargo.toml`"),
                "there is no Cargo workspace here: run this in MARO's repository"
            );
            bail!("cargo cannot read the workspace. It says:\n{}", said.trim_end());
        }
        let metadata: Metadata = serde_json::from_slice(&output.stdout)
            .context("cargo described the workspace in an unknown form")?;
        Ok(Self {
            root: metadata.workspace_root,
            target: metadata.target_directory,
            packages: metadata.packages,
        })
    }

    /// The packages that stand directly in `plugins/` and have a `plugin.toml`.
    fn plugins(&self) -> anyhow::Result<Vec<Source>> {
        let dir = self.root.join(PLUGINS);
        let mut sources: Vec<_> = self.packages.iter().filter_map(|package| source(&dir, package)).collect();
        if sources.is_empty() {
            bail!("there are no plugins in {}: run this in MARO's repository", dir.display());
        }
        sources.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(sources)
    }
}

fn source(dir: &Path, package: &Package) -> Option<Source> {
    let folder = package.manifest_path.parent()?;
    let manifest = folder.join(MANIFEST);
    if folder.parent()? != dir || !manifest.is_file() {
        return None;
    }
    let name = folder.file_name()?.to_str()?.to_owned();
    Some(Source { name, package: package.name.clone(), manifest })
}

/// Adds the compiler's target if it is absent, and says so.
#[expect(clippy::print_stderr, reason = "this is the command line's own output")]
fn add_target() -> anyhow::Result<()> {
    let libraries = Command::new("rustc")
        .args(["--print", "target-libdir", "--target", TARGET])
        .output()
        .context("rustc does not start: plugins in Rust need Rust, which https://rustup.rs installs")?;
    let present = Path::new(String::from_utf8_lossy(&libraries.stdout).trim()).is_dir();
    if libraries.status.success() && present {
        return Ok(());
    }
    eprintln!("Adding the target {TARGET} to Rust, which plugins are compiled for.");
    let status = Command::new("rustup").args(["target", "add", TARGET]).stdin(Stdio::null()).status();
    match status {
        Ok(status) if status.success() => Ok(()),
        _ => bail!("Rust lacks the target {TARGET}: run `rustup target add {TARGET}`"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(folder: &Path) -> String {
        match Workspace::find(folder) {
            Ok(_) => panic!("there is a workspace"),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn a_folder_without_a_workspace_is_told_from_a_workspace_that_cannot_be_read() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(problem(folder.path()), "there is no Cargo workspace here: run this in MARO's repository");
        fs::write(folder.path().join("Cargo.toml"), "[workspace]\nmembers = [\"plugins/nowhere\"]\n")
            .unwrap();
        let said = problem(folder.path());
        assert!(said.starts_with("cargo cannot read the workspace. It says:\n"), "{said}");
        assert!(said.contains("plugins/nowhere"), "{said}");
    }
}
