//! Runs cargo for plugins: for which target, with which profile, and once more where it has overlooked a change.

use std::{
    path::{Path, PathBuf},
    sync::LazyLock,
    time::SystemTime,
};

use tokio::process::Command;

use crate::languages::{
    compiled::{Compiled, Digests},
    toolbox::{BuildError, Toolbox},
};

/// The target that plugins are compiled for.
pub(crate) const TARGET: &str = "wasm32-wasip2";

/// The profile in the workspace's `Cargo.toml` that keeps guests fast and small.
pub(crate) const PROFILE: &str = "plugin";

/// The file that defines that profile. Projects outside the repository are built with it too.
const WORKSPACE: &str = include_str!("../../../../Cargo.toml");

/// The linker argument for a guest's stack size, in bytes: JSON or TOML nested as deeply as their parsers allow takes some
/// 100 KiB, and what isn't used of it costs an invocation nothing. With flags of its own, the target ignores those under
/// `[build]` in an author's configuration of cargo, which are meant for programs of this machine.
const RUSTFLAGS: &str = r#"target.wasm32-wasip2.rustflags=["-Clink-arg=-zstack-size=1048576"]"#;

/// What to install if cargo or rustc can't be started.
pub(crate) const RUST_MISSING: &str =
    "can't run cargo or rustc. Plugins in Rust need Rust: install it from https://rustup.rs";

/// The arguments that make cargo build plugins.
static FOR_PLUGINS: LazyLock<Vec<String>> = LazyLock::new(|| {
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

/// Cargo in a folder.
pub(crate) struct Cargo<'a> {
    folder: &'a Path,
    /// For what it compiles, and with which profile.
    how: Vec<String>,
    makes_plugins: bool,
}

impl<'a> Cargo<'a> {
    pub(crate) fn for_plugins(folder: &'a Path) -> Self {
        Self { folder, how: FOR_PLUGINS.clone(), makes_plugins: true }
    }

    /// For this machine, whatever the settings around the folder say.
    pub(crate) fn for_tests(folder: &'a Path, is_target_set: bool) -> Self {
        let how: &[&str] = if is_target_set { &["--target", "host-tuple"] } else { &[] };
        Self { folder, how: how.iter().map(|&argument| argument.to_owned()).collect(), makes_plugins: false }
    }

    pub(crate) fn command(&self, subcommand: &str) -> Command {
        let mut cargo = Command::new("cargo");
        cargo.current_dir(self.folder).arg(subcommand).args(&self.how).env("CARGO_TERM_COLOR", "never");
        if self.makes_plugins {
            // Stronger than settings of cargo. It makes other code.
            cargo.env("CARGO_INCREMENTAL", "0");
        }
        cargo
    }

    /// Compiles what `subcommand` and `more` say. Cargo goes by the times of files alone. A file that came back with an
    /// earlier time (`mv`, `cp -p`, `rsync -t`, `tar`) is compiled again all the same.
    ///
    /// # Errors
    /// Rust is missing, or what the compiler said.
    pub(crate) async fn compile(
        &self,
        subcommand: &str,
        more: &[&str],
        toolbox: &Toolbox,
    ) -> Result<Compiled, BuildError> {
        let (compiled, begun) = self.compile_once(subcommand, more, toolbox).await?;
        let (compiled, overlooked) = blocking(move || {
            let overlooked = compiled.is_overlooked();
            let before = overlooked.then(|| compiled.digests());
            if !overlooked {
                compiled.note(begun, &Digests::new());
            }
            (compiled, before)
        })
        .await?;
        let Some(before) = overlooked else { return Ok(compiled) };
        let mut clean = self.command("clean");
        clean.arg("--quiet");
        for package in compiled.packages() {
            clean.args(["--package", package]);
        }
        toolbox.silent().run(clean, RUST_MISSING).await?;
        let (compiled, begun) = self.compile_once(subcommand, more, toolbox).await?;
        blocking(move || {
            compiled.note(begun, &before);
            compiled
        })
        .await
    }

    async fn compile_once(
        &self,
        subcommand: &str,
        more: &[&str],
        toolbox: &Toolbox,
    ) -> Result<(Compiled, SystemTime), BuildError> {
        let mut cargo = self.command(subcommand);
        cargo.args(more).args(["--message-format", "json-render-diagnostics"]);
        #[expect(clippy::disallowed_methods, reason = "files' times are those of the system")]
        let begun = SystemTime::now();
        let messages = toolbox.run_for(cargo, RUST_MISSING, Compiled::is_told_in).await?;
        Ok((Compiled::read(&messages), begun))
    }
}

/// Files may be slow, and whoever waits for them must be able to stop.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, BuildError> {
    tokio::task::spawn_blocking(work).await.map_err(|error| BuildError::Missing(error.to_string()))
}

/// Adds the compile target to the Rust of a folder, which may have a toolchain of its own, if it is missing, and says so.
///
/// # Errors
/// Rust or the target is missing.
pub(crate) async fn add_target(folder: &Path, toolbox: &Toolbox) -> Result<(), BuildError> {
    let silent = toolbox.silent();
    let mut rustc = Command::new("rustc");
    rustc.current_dir(folder).args(["--print", "target-libdir", "--target", TARGET]);
    match silent.run(rustc, RUST_MISSING).await {
        Ok(libraries) if Path::new(libraries.trim()).is_dir() => return Ok(()),
        Ok(_) | Err(BuildError::Failed { .. }) => {}
        Err(error) => return Err(error),
    }
    let absence = format!("Rust is missing the target {TARGET}: run `rustup target add {TARGET}`");
    toolbox.say(&format!("Adding the target {TARGET} to Rust; plugins are compiled for it."));
    let mut rustup = Command::new("rustup");
    rustup.current_dir(folder).args(["target", "add", TARGET]);
    match toolbox.run(rustup, &absence).await {
        Err(BuildError::Failed { .. }) => Err(BuildError::Missing(absence)),
        added => added.map(drop),
    }
}

/// Where cargo leaves the component of a package, below a target folder.
pub(crate) fn component_of(target: &Path, package: &str) -> PathBuf {
    target.join(TARGET).join(PROFILE).join(format!("{}.wasm", package.replace('-', "_")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plugins_anywhere_are_built_with_the_workspaces_profile() {
        let arguments = FOR_PLUGINS.join(" ");
        for setting in ["inherits=\"release\"", "lto=true", "overflow-checks=false", "incremental=false"] {
            assert!(arguments.contains(&format!("profile.plugin.{setting}")), "{arguments}");
        }
    }
}
