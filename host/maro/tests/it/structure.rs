//! The rules that `ARCHITECTURE.md` states about the code, held.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// Modules that know nothing of one another although one stands before the other.
const STRANGERS: [&str; 3] = ["tracker", "jira", "slack"];

/// What people read, whose paths and links must lead somewhere.
const DOCUMENTS: [&str; 8] = [
    "README.md",
    ".github/CONTRIBUTING.md",
    ".github/SECURITY.md",
    "host/ARCHITECTURE.md",
    "host/CHANGELOG.md",
    "migrations/README.md",
    "plugins/README.md",
    "plugins/REFERENCE.md",
];

/// The longest file, in lines, without its tests.
const MAX_LINES: usize = 400;

fn host() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The top of the repository.
pub(crate) fn root() -> PathBuf {
    host().ancestors().find(|folder| folder.join("LICENSE").is_file()).unwrap().to_owned()
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

/// The modules in the order in which `lib.rs` declares them.
fn modules() -> Vec<String> {
    let lib = fs::read_to_string(host().join("src/lib.rs")).unwrap();
    lib.lines()
        .filter_map(|line| Some(line.strip_prefix("pub mod ")?.strip_suffix(';')?.to_owned()))
        .collect()
}

/// The modules that a text names as `crate::MODULE` or in a `use crate::{…}` group.
fn imported_modules<'a>(text: &str, modules: &'a [String]) -> Vec<&'a String> {
    let mut imported = Vec::new();
    for (position, _) in text.match_indices("crate::") {
        let rest = &text[position + "crate::".len()..];
        let names: Vec<&str> = match rest.strip_prefix('{') {
            Some(group) => top_level_names(group),
            None => vec![rest],
        };
        for name in names {
            let name = name.split(|letter: char| !letter.is_alphanumeric() && letter != '_').next();
            imported.extend(modules.iter().filter(|module| Some(module.as_str()) == name));
        }
    }
    imported
}

/// The items of a `{…}` group, without looking into nested groups.
fn top_level_names(group: &str) -> Vec<&str> {
    let (mut names, mut depth, mut start) = (Vec::new(), 0, 0);
    for (position, letter) in group.char_indices() {
        match letter {
            '{' => depth += 1,
            '}' if depth == 0 => {
                names.push(group[start..position].trim());
                break;
            }
            '}' => depth -= 1,
            ',' if depth == 0 => {
                names.push(group[start..position].trim());
                start = position + 1;
            }
            _ => {}
        }
    }
    names
}

#[test]
fn a_module_imports_only_from_modules_before_it() {
    let modules = modules();
    assert!(modules.len() > 10, "lib.rs declares {modules:?}");
    let mut offences = Vec::new();
    for path in rust_files(&host().join("src")) {
        let inside = path.strip_prefix(host().join("src")).unwrap();
        let own = inside.components().next().unwrap().as_os_str().to_string_lossy().replace(".rs", "");
        let Some(own_position) = modules.iter().position(|module| *module == own) else { continue };
        for imported in imported_modules(&production_code(&path), &modules) {
            let position = modules.iter().position(|module| module == imported).unwrap();
            let strangers = *imported != own
                && STRANGERS.contains(&own.as_str())
                && STRANGERS.contains(&imported.as_str());
            if position > own_position || strangers {
                offences.push(format!("{} imports {imported}", inside.display()));
            }
        }
    }
    assert!(offences.is_empty(), "{}", offences.join("\n"));
}

#[test]
fn imports_are_found_in_every_spelling() {
    let modules: Vec<_> = ["config", "jira", "slack"].map(str::to_owned).into();
    let found = |text| {
        let mut names: Vec<_> = imported_modules(text, &modules).into_iter().map(String::as_str).collect();
        names.sort_unstable();
        names
    };
    assert_eq!(found("use crate::jira::client::JiraClient;"), ["jira"]);
    assert_eq!(
        found("use crate::{\n    config::Config,\n    slack::{a::B, c::{D}},\n};"),
        ["config", "slack"]
    );
    assert_eq!(found("fn f() { crate::slack::render::f() }"), ["slack"]);
    assert_eq!(found("use crate::{domain::jira::X};"), [""; 0]);
}

#[test]
fn no_file_is_too_long_to_read() {
    let mut offences = Vec::new();
    for path in rust_files(&host().join("src")) {
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
            let found = [root.join(path), root.join("host").join(path), root.join("host/src").join(path)];
            if !found.iter().any(|path| path.exists()) {
                missing.push(format!("{document} names {path}"));
            }
        }
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}

/// What stands in backticks and looks like a path of this repository: with a slash, starting with a
/// folder of the top level or of `host/src`, without a placeholder.
fn quoted_paths(text: &str) -> Vec<&str> {
    const FOLDERS: [&str; 18] = [
        "host/",
        "plugins/",
        "wit/",
        "migrations/",
        "tests/",
        "benches/",
        "domain/",
        "database/",
        "tracker/",
        "journal/",
        "jira/",
        "slack/",
        "plugin/",
        "plugin_records/",
        "tickets/",
        "commands/",
        "server/",
        "sandbox/",
    ];
    text.split('`')
        .skip(1)
        .step_by(2)
        .filter(|quoted| FOLDERS.iter().any(|folder| quoted.starts_with(folder)))
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
