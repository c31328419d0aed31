//! Runs the tests of plugins in Python, and finds those that unittest doesn't.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use serde::Deserialize;
use tokio::process::Command;

use crate::languages::{
    interpreted,
    project::{BUILD, Project, repository},
    python::{BINDINGS, PYTHON_MISSING},
    sources,
    toolbox::{BuildError, Tested, Toolbox},
};

/// What unittest says if there are no tests.
const NO_TESTS: &str = "Ran 0 tests";

/// Lists the tests in files.
const LISTING: &str = include_str!("bundling/tests.py");

/// What looks like a test in some files.
#[derive(Default, Deserialize)]
struct Listed {
    tests: Vec<Test>,
    classes: Vec<Class>,
}

#[derive(Deserialize)]
struct Test {
    file: PathBuf,
    line: usize,
    /// Empty for a function of the file itself.
    class: String,
    name: String,
}

#[derive(Deserialize)]
struct Class {
    name: String,
    bases: Vec<String>,
}

/// Runs the project's own tests. They import the interface's types from the build folder.
///
/// # Errors
/// What the tests said.
pub(super) async fn test(project: &Project, toolbox: &Toolbox) -> Result<Tested, BuildError> {
    let mut python = Command::new("python3");
    python.current_dir(&project.folder).args(["-m", "unittest", "-v"]);
    let paths = [Some(Path::new(BUILD).join(BINDINGS)), shared_from(project)];
    let paths = std::env::join_paths(paths.into_iter().flatten()).unwrap_or_default();
    python.env("PYTHONPATH", paths).env("PYTHONDONTWRITEBYTECODE", "1");
    let said = match toolbox.run_tests(python, PYTHON_MISSING).await {
        Ok(said) => said,
        // Newer versions treat that as a failure.
        Err(BuildError::Failed { output, .. }) if output.contains(NO_TESTS) => output,
        Err(error) => return Err(error.explained(explanation, toolbox)),
    };
    let unawaited = unawaited(&said);
    let ran = tests_run(&said).saturating_sub(unawaited.len());
    let ran_tests = ran_tests(&said).filter(|test| !unawaited.contains(test)).collect();
    let unfound = unfound(&listed(project, toolbox).await, &ran_tests, &unawaited, &said);
    Ok(Tested { ran, unfound })
}

/// Where the repository's kit is, as seen from a project in it: a colon in the path to both would end the path there.
fn shared_from(project: &Project) -> Option<PathBuf> {
    let (shared, root) = (project.shared()?, repository(&project.folder)?);
    let up = project.folder.strip_prefix(&root).ok()?.components().map(|_| "..").collect::<PathBuf>();
    Some(up.join(shared.strip_prefix(root).ok()?))
}

/// What an author can do if a test calls something that only a host has.
fn explanation(said: &str) -> Option<String> {
    let (before, _) = said.split_once("NotImplementedError")?;
    let (_, called) = before.rsplit_once("wit_world/imports/")?;
    let (module, rest) = called.split_once(".py\", line ")?;
    let function = rest.lines().next()?.rsplit_once(" in ")?.1;
    Some(interpreted::only_on_a_host(&format!("{module}.{function}"), "`answer` in plugin.py does"))
}

/// `Ran 3 tests in 0.1s`, without those of `OK (skipped=1)`.
fn tests_run(said: &str) -> usize {
    let number = |text: &str| {
        let digits = text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len());
        text[..digits].parse::<usize>().unwrap_or(0)
    };
    let after = |mark: &str| said.rsplit_once(mark).map_or(0, |(_, rest)| number(rest));
    after("\nRan ").saturating_sub(after("skipped="))
}

/// The classes and names of the tests that unittest found, from lines such as `test_it (tests.test_a.A.test_it) ... ok`,
/// before Python 3.11 `test_it (tests.test_a.A) ... ok`.
fn ran_tests(said: &str) -> impl Iterator<Item = (&str, &str)> {
    said.lines().filter_map(|line| {
        let (name, rest) = line.split_once(" (").filter(|(name, _)| name.starts_with("test"))?;
        let (path, _) = rest.split_once(')')?;
        let class = path.strip_suffix(name).and_then(|path| path.strip_suffix('.')).unwrap_or(path);
        Some((class.rsplit('.').next()?, name))
    })
}

/// The tests that only made a coroutine, which nobody awaited: they pass whatever they say.
fn unawaited(said: &str) -> BTreeSet<(&str, &str)> {
    let warnings =
        said.split("coroutine '").skip(1).filter_map(|rest| rest.split_once("' was never awaited"));
    let named = warnings.filter_map(|(name, _)| name.split_once('.'));
    named.filter(|(_, name)| name.starts_with("test")).collect()
}

/// What looks like a test in the project's files.
async fn listed(project: &Project, toolbox: &Toolbox) -> Listed {
    let found = sources::find(&project.folder, project.language, false).unwrap_or_default();
    let is_test = |name: &Path| {
        let file = name.file_name().unwrap_or_default().to_string_lossy();
        let text = fs::read_to_string(project.folder.join(name)).unwrap_or_default();
        let is_called_so =
            file.starts_with("test") || file.ends_with("_test.py") || file.ends_with("_tests.py");
        let is_frameworks =
            ["unittest", "pytest"].iter().any(|name| text.contains(&format!("import {name}")));
        file.ends_with(".py") && text.contains("def test") && (is_called_so || is_frameworks)
    };
    let mut python = Command::new("python3");
    python.current_dir(&project.folder).args(["-I", "-c", LISTING]);
    python.args(found.files.iter().map(|file| &*file.name).filter(|name| is_test(name)));
    // What can't be listed can't be told, and the tests have passed.
    let listed = toolbox.silent().run(python, PYTHON_MISSING).await;
    listed.ok().and_then(|listed| serde_json::from_str(&listed).ok()).unwrap_or_default()
}

/// Tests that unittest did not find, with the reason. `said` is its output.
fn unfound(
    listed: &Listed,
    ran: &BTreeSet<(&str, &str)>,
    unawaited: &BTreeSet<(&str, &str)>,
    said: &str,
) -> Vec<String> {
    let mut told = Vec::new();
    let mut files: Vec<_> = listed.tests.iter().map(|test| &test.file).collect();
    files.dedup();
    for file in files {
        let module = file.with_extension("").to_string_lossy().replace('/', ".");
        if said.contains(&format!("ModuleSkipped.{module})")) {
            continue;
        }
        let tests = || listed.tests.iter().filter(|test| test.file == *file);
        if !tests().any(|test| listed.has_run(test, ran)) && !said.contains(&format!("({module}.")) {
            told.push(format!(
                "No test in {} ran. unittest runs methods of a `unittest.TestCase`, in files called test_….py, in this \
                 folder or in folders with an __init__.py",
                file.display()
            ));
            continue;
        }
        for test in tests().filter(|test| !listed.has_run(test, ran)) {
            let reason = match unawaited.contains(&(&*test.class, &*test.name)) {
                true => "Only a `unittest.IsolatedAsyncioTestCase` waits for an async test",
                false => {
                    "unittest runs methods of a `unittest.TestCase` that no later one of the same name replaces"
                }
            };
            let class = if test.class.is_empty() { String::new() } else { format!("{}.", test.class) };
            told.push(format!(
                "{class}{} in {}:{} didn't run. {reason}",
                test.name,
                file.display(),
                test.line
            ));
        }
    }
    told
}

impl Listed {
    /// Whether a test ran, in its own class or in one that stands on it.
    fn has_run(&self, test: &Test, ran: &BTreeSet<(&str, &str)>) -> bool {
        let mut below = vec![&*test.class];
        let mut at = 0;
        while let Some(class) = below.get(at).copied() {
            if ran.contains(&(class, &*test.name)) {
                return true;
            }
            let classes = self.classes.iter().filter(|other| other.bases.iter().any(|base| base == class));
            let more: Vec<_> =
                classes.map(|class| &*class.name).filter(|name| !below.contains(name)).collect();
            below.extend(more);
            at += 1;
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_that_ran_are_counted_and_named() {
        let said = "test_a (test_a.A.test_a) ... ok\ntest_b (test_a.A)\nWhat it does ... skipped 'x'\n\n---\n\
                    Ran 2 tests in 0.1s\n\nOK (skipped=1)";
        assert_eq!((tests_run(said), tests_run("\nRan 0 tests in 0.0s\n\nOK")), (1, 0));
        assert_eq!(ran_tests(said).collect::<Vec<_>>(), [("A", "test_a"), ("A", "test_b")]);
        let warned =
            "/usr/lib/case.py:579: RuntimeWarning: coroutine 'A.test_c' was never awaited\n  self()\n";
        assert_eq!(unawaited(warned), BTreeSet::from([("A", "test_c")]));
    }

    #[test]
    fn the_repositorys_kit_is_found_from_a_project_in_it() {
        let folder = tempfile::tempdir().unwrap();
        let project = folder.path().join("plugins/optional/search");
        for part in ["plugins/sdk/python", "plugins/optional/search"] {
            fs::create_dir_all(folder.path().join(part)).unwrap();
        }
        fs::write(folder.path().join("plugins/sdk/Cargo.toml"), "").unwrap();
        fs::write(project.join("plugin.py"), "").unwrap();
        let project = Project::open(&project).unwrap();
        assert_eq!(shared_from(&project).unwrap(), Path::new("../../../plugins/sdk/python"));
    }
}
