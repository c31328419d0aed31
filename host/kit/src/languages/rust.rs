//! Builds plugins in Rust with cargo, for `wasm32-wasip2` and optimised for size.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use tokio::process::Command;

use crate::{
    languages::{
        project::Project,
        toolbox::{BuildError, Tested, Toolbox},
    },
    repository::{CARGO_ARGUMENTS, RUST_MISSING, add_target},
};

/// A message from cargo about something it built, with the fields that matter here.
#[derive(Deserialize)]
struct CargoMessage {
    reason: String,
    manifest_path: Option<PathBuf>,
    #[serde(default)]
    filenames: Vec<PathBuf>,
}

/// Builds a project. Returns the path of the component.
///
/// # Errors
/// Rust or its target is missing, or what the compiler said.
pub(super) async fn build(project: &Project, toolbox: &Toolbox) -> Result<PathBuf, BuildError> {
    let target = tokio::task::spawn_blocking(add_target);
    target
        .await
        .map_err(|error| BuildError::Missing(error.to_string()))?
        .map_err(|error| BuildError::Missing(error.to_string()))?;
    let mut cargo = Command::new("cargo");
    cargo.current_dir(&project.folder).arg("build").args(&*CARGO_ARGUMENTS);
    cargo.args(["--lib", "--message-format", "json-render-diagnostics"]);
    cargo.env("CARGO_TERM_COLOR", "never");
    // There is a message for each crate, and only those about components matter.
    let messages = toolbox.run_for(cargo, RUST_MISSING, |line| line.contains(".wasm\"")).await?;
    component(&messages, &project.folder).ok_or_else(|| {
        BuildError::Missing(
            "cargo didn't build a component: does Cargo.toml have `crate-type = [\"cdylib\"]` under [lib]?"
                .to_owned(),
        )
    })
}

/// Runs the project's own tests.
///
/// # Errors
/// What the tests said.
pub(super) async fn test(project: &Project, toolbox: &Toolbox) -> Result<Tested, BuildError> {
    toolbox.say(&format!("Building the tests of {} for this machine…", project.name));
    let mut cargo = Command::new("cargo");
    cargo.current_dir(&project.folder).args(["test", "--quiet"]).env("CARGO_TERM_COLOR", "never");
    let ran = tests_run(&toolbox.run_tests(cargo, RUST_MISSING).await?);
    Ok(Tested { ran, unfound: Vec::new() })
}

/// `test result: ok. 3 passed; 0 failed; …`, once for each test program.
fn tests_run(said: &str) -> usize {
    let results = said.lines().filter_map(|line| line.strip_prefix("test result: ok. "));
    results.filter_map(|result| result.split(" passed").next()?.parse::<usize>().ok()).sum()
}

fn component(messages: &str, folder: &Path) -> Option<PathBuf> {
    let messages = messages.lines().filter_map(|line| serde_json::from_str::<CargoMessage>(line).ok());
    messages
        .filter(|message| message.reason == "compiler-artifact")
        .filter(|message| message.manifest_path.as_ref().and_then(|path| path.parent()) == Some(folder))
        .flat_map(|message| message.filenames)
        .find(|file| file.extension().is_some_and(|extension| extension == "wasm"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tests_of_all_programs_are_counted() {
        let said = "running 2 tests\n..\ntest result: ok. 2 passed; 0 failed; 1 ignored\n\nrunning 0 tests\n\n\
                    test result: ok. 0 passed; 0 failed\ntest result: ok. 11 passed; 0 failed\n";
        assert_eq!(tests_run(said), 13);
        assert_eq!(tests_run("running 0 tests"), 0);
    }
}
