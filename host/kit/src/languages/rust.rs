//! Builds plugins in Rust with cargo, for `wasm32-wasip2` and optimised for size.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use crate::languages::{
    cargo::{self, Cargo, RUST_MISSING},
    cargo_settings,
    project::Project,
    sources,
    toolbox::{BuildError, Tested, Toolbox},
};

/// Builds a project. Returns the path of the component.
///
/// # Errors
/// Rust or its target is missing, or what the compiler said.
pub(super) async fn build(project: &Project, toolbox: &Toolbox) -> Result<PathBuf, BuildError> {
    cargo::add_target(&project.folder, toolbox).await?;
    for settings in cargo_settings::around(&project.folder) {
        settings.warning().iter().for_each(|warning| toolbox.say(warning));
    }
    let compiled = Cargo::for_plugins(&project.folder).compile("build", &["--lib"], toolbox).await?;
    compiled.component(&project.folder).ok_or_else(|| {
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
    let is_target_set = cargo_settings::have_target(&cargo_settings::around(&project.folder));
    let cargo = Cargo::for_tests(&project.folder, is_target_set);
    let silent = toolbox.silent();
    let compiled = cargo.compile("test", &["--quiet", "--no-run"], &silent).await?;
    let mut tests = cargo.command("test");
    tests.arg("--quiet");
    let ran = tests_run(&toolbox.run_tests(tests, RUST_MISSING).await?);
    Ok(Tested { ran, unfound: unfound(project, compiled.tested_files()) })
}

/// `test result: ok. 3 passed; 0 failed; …`, once for each test program.
fn tests_run(said: &str) -> usize {
    let results = said.lines().filter_map(|line| line.strip_prefix("test result: ok. "));
    results.filter_map(|result| result.split(" passed").next()?.parse::<usize>().ok()).sum()
}

/// Files with tests that aren't among those that tests were compiled from.
fn unfound(project: &Project, compiled: Vec<PathBuf>) -> Vec<String> {
    let compiled: BTreeSet<_> = compiled.into_iter().filter_map(|file| file.canonicalize().ok()).collect();
    let found = sources::find(&project.folder, project.language, false).unwrap_or_default();
    let is_code = |name: &Path| name.extension().is_some_and(|extension| extension == "rs");
    let lost = found.files.into_iter().filter(|file| is_code(&file.name) && !compiled.contains(&file.path));
    // What the kit brought along has tests of its own.
    let own = lost.filter(|file| !is_in_another_package(&project.folder, &file.name));
    let with_tests = own.filter(|file| fs::read_to_string(&file.path).is_ok_and(|text| has_tests(&text)));
    let told = with_tests.map(|file| {
        format!(
            "No test in {} ran: no `mod` leads to it, or one that is left out of tests",
            file.name.display()
        )
    });
    told.collect()
}

fn is_in_another_package(project: &Path, name: &Path) -> bool {
    let folders = name.ancestors().skip(1).filter(|folder| !folder.as_os_str().is_empty());
    folders.into_iter().any(|folder| project.join(folder).join("Cargo.toml").is_file())
}

/// `#[test]`, `#[tokio::test]`, `#[tokio::test(…)]`.
fn has_tests(text: &str) -> bool {
    let attributes = text.lines().filter_map(|line| line.trim_start().strip_prefix("#["));
    attributes
        .filter_map(|line| line.split([']', '(']).next())
        .any(|name| name.rsplit("::").next() == Some("test"))
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

    #[test]
    fn what_looks_like_a_test_is_one_by_its_attribute() {
        for text in ["    #[test]\n", "#[tokio::test(flavor = \"x\")]", "#[tokio::test]"] {
            assert!(has_tests(text), "{text}");
        }
        for text in ["// #[test]", "#[cfg(test)]\nmod tests;", "#[derive(Debug)]"] {
            assert!(!has_tests(text), "{text}");
        }
    }
}
