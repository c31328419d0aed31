//! The rules that `ARCHITECTURE.md` states about the code, held.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// The crates in one line: each may depend on those before it.
pub(crate) const CRATES: [&str; 16] = [
    "domain",
    "process",
    "store",
    "jira",
    "slack",
    "access",
    "texts",
    "sync",
    "notices",
    "tickets",
    "simulation",
    "runtime",
    "bot",
    "kit",
    "dev",
    "maro",
];

/// Crates that know nothing of one another although one stands before the other: what is in Slack, in Jira and
/// in the database meets above them, and plugins render nothing.
const STRANGERS: [[&str; 2]; 12] = [
    ["store", "jira"],
    ["store", "slack"],
    ["store", "simulation"],
    ["jira", "slack"],
    ["slack", "texts"],
    ["slack", "sync"],
    ["slack", "runtime"],
    ["texts", "sync"],
    ["notices", "tickets"],
    ["notices", "simulation"],
    ["notices", "runtime"],
    ["tickets", "simulation"],
];

/// What people read, whose paths and links must lead somewhere.
const DOCUMENTS: [&str; 9] = [
    "README.md",
    ".github/CONTRIBUTING.md",
    ".github/SECURITY.md",
    "host/ARCHITECTURE.md",
    "host/CHANGELOG.md",
    "host/OPERATING.md",
    "migrations/README.md",
    "plugins/README.md",
    "plugins/REFERENCE.md",
];

/// The longest file, in lines, without its tests.
const MAX_LINES: usize = 400;

/// The top of the repository.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .find(|folder| folder.join("LICENSE").is_file())
        .unwrap()
        .to_owned()
}

pub(crate) fn rust_files(dir: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}

/// A file's text up to its unit tests.
fn production_code(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    text.split("#[cfg(test)]").next().unwrap_or_default().to_owned()
}

/// The maro crates that a crate depends on, without those for its tests.
fn dependencies(name: &str) -> Vec<String> {
    let manifest = fs::read_to_string(root().join("host").join(name).join("Cargo.toml")).unwrap();
    let manifest: toml::Table = manifest.parse().unwrap();
    let dependencies = manifest["dependencies"].as_table().unwrap();
    dependencies.keys().filter_map(|key| key.strip_prefix("maro-").map(str::to_owned)).collect()
}

fn position(name: &str) -> usize {
    CRATES.iter().position(|one| *one == name).unwrap_or_else(|| panic!("{name} has no place in the line"))
}

#[test]
fn a_crate_depends_only_on_those_before_it() {
    let mut offences = Vec::new();
    for name in CRATES {
        for other in dependencies(name) {
            let strangers = STRANGERS.iter().any(|pair| pair.contains(&name) && pair.contains(&&*other));
            if position(&other) >= position(name) || strangers {
                offences.push(format!("{name} depends on {other}"));
            }
        }
    }
    assert!(offences.is_empty(), "{}", offences.join("\n"));
}

#[test]
fn every_crate_has_its_place_in_the_line() {
    for entry in fs::read_dir(root().join("host")).unwrap() {
        let path = entry.unwrap().path();
        if path.join("Cargo.toml").is_file() {
            position(path.file_name().unwrap().to_str().unwrap());
        }
    }
}

#[test]
fn only_the_program_has_features() {
    for name in CRATES.iter().filter(|name| **name != "maro") {
        let manifest = fs::read_to_string(root().join("host").join(name).join("Cargo.toml")).unwrap();
        assert!(!manifest.contains("[features]"), "{name} has features");
    }
}

#[test]
fn no_file_is_too_long_to_read() {
    let mut offences = Vec::new();
    for path in CRATES.iter().flat_map(|name| rust_files(&root().join("host").join(name).join("src"))) {
        let lines = production_code(&path).lines().count();
        if lines > MAX_LINES {
            offences.push(format!("{}: {lines} lines", path.display()));
        }
    }
    assert!(offences.is_empty(), "{}", offences.join("\n"));
}

#[test]
fn the_documents_name_only_paths_that_exist() {
    let root = root();
    let mut missing = Vec::new();
    for document in DOCUMENTS {
        let text = fs::read_to_string(root.join(document)).unwrap();
        for path in quoted_paths(&text) {
            if !root.join(path).exists() && !root.join("host").join(path).exists() {
                missing.push(format!("{document} names {path}"));
            }
        }
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}

/// What stands in backticks and looks like a path of this repository: with a slash, starting with a
/// folder of the top level or of `host/`, without a placeholder.
fn quoted_paths(text: &str) -> Vec<&str> {
    let folders: Vec<_> = ["host", "plugins", "wit", "migrations"].into_iter().chain(CRATES).collect();
    text.split('`')
        .skip(1)
        .step_by(2)
        .filter(|quoted| {
            let first = quoted.split('/').next().unwrap_or_default();
            first != *quoted && folders.contains(&first)
        })
        .filter(|quoted| {
            quoted.chars().all(|letter| letter.is_ascii_alphanumeric() || "/._-".contains(letter))
                && !quoted.contains("NAME")
                // What the reader of `plugins/README.md` is led to make.
                && !quoted.starts_with("plugins/count/")
        })
        .collect()
}

#[test]
fn the_documents_link_only_to_what_exists() {
    let root = root();
    let mut broken = Vec::new();
    for document in DOCUMENTS {
        let path = root.join(document);
        let text = fs::read_to_string(&path).unwrap();
        // What starts with `../../` in the README leads to GitHub's own pages.
        for link in links(&text).filter(|link| !link.contains("://") && !link.starts_with("../../actions")) {
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            let target = if file.is_empty() { path.clone() } else { path.parent().unwrap().join(file) };
            let is_there = match anchor {
                "" => target.exists(),
                anchor => {
                    fs::read_to_string(&target).is_ok_and(|text| anchors(&text).any(|one| one == anchor))
                }
            };
            if !is_there {
                broken.push(format!("{document} links to {link}"));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

/// Each row of the threat model names files and tests in them, and each of those is a test there.
#[test]
fn the_threat_model_names_tests_that_exist() {
    let text = fs::read_to_string(root().join(".github/SECURITY.md")).unwrap();
    let section = text.split("### Threat model\n").nth(1).unwrap().split("\n\n").nth(1).unwrap();
    let mut problems = Vec::new();
    let rows: Vec<_> = section.lines().skip(2).collect();
    assert!(rows.len() > 20, "{} rows", rows.len());
    for row in rows {
        let [_, threat, measure, tests, _] = row.split('|').map(str::trim).collect::<Vec<_>>()[..] else {
            panic!("a row without three columns: {row}")
        };
        assert!(!threat.is_empty() && !measure.is_empty() && !tests.is_empty(), "{row}");
        for file in tests.split("; ") {
            let (path, names) = file.split_once(": ").unwrap_or((file, ""));
            let path = path.trim_matches('`');
            let code = fs::read_to_string(root().join("host").join(path)).unwrap_or_default();
            if names.is_empty() {
                problems.push(format!("no test is named for {path}"));
            }
            for name in names.split(", ").map(|name| name.trim_matches('`')) {
                if !is_test(&code, name) {
                    problems.push(format!("{path} has no test {name}"));
                }
            }
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

/// Whether a function of this name has an attribute that makes it a test, or is in the list of those that run on both
/// databases.
fn is_test(code: &str, name: &str) -> bool {
    let lines: Vec<&str> = code.lines().map(str::trim).collect();
    let head = [format!("fn {name}("), format!("async fn {name}(")];
    let functions =
        lines.iter().enumerate().filter(|(_, line)| head.iter().any(|head| line.starts_with(head)));
    let listed = format!("{name},");
    let is_on_both = code.contains("on_both_databases! {") && lines.contains(&&*listed);
    if is_on_both && functions.clone().next().is_some() {
        return true;
    }
    let mut attributes = functions.flat_map(|(at, _)| {
        lines[..at].iter().rev().take_while(|line| line.starts_with("#[") || line.starts_with("//"))
    });
    attributes.any(|line| line.starts_with("#[test]") || line.starts_with("#[tokio::test"))
}

/// Where the links and pictures of a Markdown text lead.
fn links(text: &str) -> impl Iterator<Item = &str> {
    prose(text).flat_map(|line| line.split("](").skip(1)).filter_map(|rest| rest.split(')').next())
}

/// The names by which GitHub knows the headings of a Markdown text.
fn anchors(text: &str) -> impl Iterator<Item = String> {
    prose(text).filter(|line| line.starts_with('#')).map(|line| {
        let kept = |letter: &char| letter.is_alphanumeric() || " -_".contains(*letter);
        line.trim_start_matches('#')
            .trim()
            .chars()
            .filter(kept)
            .collect::<String>()
            .to_lowercase()
            .replace(' ', "-")
    })
}

/// The lines of a Markdown text that are not code.
fn prose(text: &str) -> impl Iterator<Item = &str> {
    let mut is_code = false;
    text.lines().filter(move |line| {
        let is_fence = line.starts_with("```");
        is_code ^= is_fence;
        !is_code && !is_fence
    })
}

#[test]
fn the_readme_quotes_what_the_program_says() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let code: String = rust_files(&root().join("host"))
        .iter()
        .filter(|path| path.components().any(|part| part.as_os_str() == "src"))
        .map(|path| one_line(&production_code(path)))
        .collect();
    let troubleshooting = readme.split("## Troubleshooting").nth(1).unwrap().split("\n## ").next().unwrap();
    let rows = troubleshooting.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next());
    let mut count = 0;
    for sentence in rows {
        count += 1;
        for part in sentence.split('…').map(str::trim).filter(|part| !part.is_empty()) {
            assert!(code.contains(part), "the program does not say {part:?}, of {sentence:?}");
        }
    }
    assert!(count > 5, "{count}");
}

/// Code with texts that go over several lines put together.
fn one_line(code: &str) -> String {
    code.split("\\\n").map(str::trim_start).collect()
}
