//! Runs the tests of plugins in JavaScript, and finds those that Node doesn't.

use std::{fs, path::Path};

use tokio::process::Command;

use crate::languages::{
    interpreted,
    javascript::NODE_MISSING,
    project::Project,
    sources,
    toolbox::{BuildError, Tested, Toolbox},
};

/// The packages that tests import, with Node's first.
const FRAMEWORKS: [&str; 6] = ["node:test", "vitest", "@jest/globals", "mocha", "ava", "bun:test"];

/// The endings of code.
const ENDINGS: [&str; 6] = ["js", "mjs", "cjs", "ts", "mts", "cts"];

/// Runs the project's own tests.
///
/// # Errors
/// What the tests said.
pub(super) async fn test(project: &Project, toolbox: &Toolbox) -> Result<Tested, BuildError> {
    let mut node = Command::new("node");
    node.current_dir(&project.folder).args(["--test", "--test-reporter", "tap"]);
    let tested = toolbox.run_tests(node, NODE_MISSING).await;
    let said = tested.map_err(|error| error.explained(explanation, toolbox))?;
    let mut unfound = unfound(project, false);
    if unfound.iter().any(|(name, _)| is_typescript(name)) && runs_typescript(toolbox).await {
        unfound = self::unfound(project, true);
    }
    Ok(Tested { ran: tests_run(&said), unfound: unfound.into_iter().map(|(_, told)| told).collect() })
}

/// What an author can do if a test imports something that only a host has.
fn explanation(said: &str) -> Option<String> {
    said.contains("protocol 'maro:'").then(|| {
        interpreted::only_on_a_host(
            "what plugin.js imports from maro:plugin",
            "answer.js and answer.test.js do",
        )
    })
}

/// Newer versions of Node.js do.
async fn runs_typescript(toolbox: &Toolbox) -> bool {
    let mut node = Command::new("node");
    node.args(["-p", "!!process.features.typescript"]);
    let answer = toolbox.silent().run(node, NODE_MISSING).await;
    answer.is_ok_and(|answer| answer.trim() == "true")
}

/// Files with tests, or called like tests elsewhere, that Node doesn't take for tests: their names, and what to tell.
fn unfound(project: &Project, runs_typescript: bool) -> Vec<(String, String)> {
    let found = sources::find(&project.folder, project.language, false).unwrap_or_default();
    let names = found.files.into_iter().map(|file| file.name.display().to_string());
    let is_unfound = |name: &String| {
        let is_run = !is_typescript(name) || runs_typescript;
        is_code(name)
            && !(is_run && is_nodes(name))
            && (is_called_test(name) || is_test(&project.folder.join(name)))
    };
    let told = |name: String| {
        let cure = match is_typescript(&name) && !runs_typescript {
            true => "this version of Node.js doesn't run TypeScript".to_owned(),
            false => format!("call it {}", nodes_name(&name)),
        };
        let told = format!("No test in {name} ran: {cure}");
        (name, told)
    };
    names.filter(is_unfound).map(told).collect()
}

/// The file's name without its ending, and the ending.
fn parts(name: &str) -> (&str, &str) {
    let file = name.rsplit('/').next().unwrap_or(name);
    file.rsplit_once('.').unwrap_or((file, ""))
}

fn is_code(name: &str) -> bool {
    ENDINGS.contains(&parts(name).1)
}

fn is_typescript(name: &str) -> bool {
    parts(name).1.ends_with("ts")
}

/// Whether Node takes a file for a test, by its name alone.
fn is_nodes(name: &str) -> bool {
    let (stem, _) = parts(name);
    let is_in_folder = name.split('/').rev().skip(1).any(|folder| folder == "test");
    is_in_folder
        || stem == "test"
        || stem.starts_with("test-")
        || [".test", "-test", "_test"].iter().any(|ending| stem.ends_with(ending))
}

/// Whether other programs take it for one, and people as well.
fn is_called_test(name: &str) -> bool {
    let (stem, _) = parts(name);
    [".test", ".tests", ".spec", ".specs"].iter().any(|ending| stem.ends_with(ending))
}

/// The name of what a file tests.
fn bare(stem: &str) -> &str {
    let marks = ["test", "tests", "spec", "specs"];
    let end = stem.rsplit_once(['.', '-', '_']).filter(|(_, last)| marks.contains(last));
    let start = stem.split_once(['.', '-', '_']).filter(|(first, _)| marks.contains(first));
    end.map(|(rest, _)| rest).or(start.map(|(_, rest)| rest)).unwrap_or(stem)
}

/// What Node would take for a test.
fn nodes_name(name: &str) -> String {
    let (stem, ending) = parts(name);
    let folder = &name[..name.len() - stem.len() - ending.len() - 1];
    format!("{folder}{}.test.{ending}", bare(stem))
}

/// Whether a file's code imports what tests are written with.
fn is_test(path: &Path) -> bool {
    let text = fs::read_to_string(path).unwrap_or_default();
    FRAMEWORKS.iter().any(|name| ['\'', '"'].iter().any(|mark| text.contains(&format!("{mark}{name}{mark}"))))
}

/// `# pass 3` of Node's summary, without those that were skipped. A file without tests counts as one to Node.
fn tests_run(said: &str) -> usize {
    let count = |what: &str| {
        said.lines().rev().find_map(|line| line.strip_prefix(what)?.parse::<usize>().ok()).unwrap_or(0)
    };
    let files = said
        .lines()
        .filter(|line| line.strip_prefix("ok ").is_some_and(|line| is_code(line) && line.contains(" - ")));
    count("# pass ").saturating_sub(files.count())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_tests_that_ran_are_counted() {
        let said = "ok 1 - /a/b.test.js\n  ---\n  ...\n# Subtest: a\nok 2 - a # SKIP\nok 3 - b\n1..3\n# tests 3\n# pass 2\n# skipped 1";
        assert_eq!(tests_run(said), 1);
        assert_eq!(tests_run("1..0\n# tests 0\n# pass 0"), 0);
    }

    #[test]
    fn a_name_that_node_does_not_take_for_a_test_gets_another() {
        for (name, other) in [
            ("answer.spec.js", "answer.test.js"),
            ("lib/answer_spec.mjs", "lib/answer.test.mjs"),
            ("test.answer.js", "answer.test.js"),
            ("__tests__/a.js", "__tests__/a.test.js"),
        ] {
            assert!(!is_nodes(name), "{name}");
            assert_eq!(nodes_name(name), other);
            assert!(is_nodes(other), "{other}");
        }
        for name in ["a.test.js", "test.js", "test-a.cjs", "a_test.mjs", "test/deep/a.js"] {
            assert!(is_nodes(name), "{name}");
        }
        assert!(
            !is_called_test("latest.js")
                && !is_called_test("spec-reader.js")
                && !is_called_test("jira_spec.js")
        );
    }
}
