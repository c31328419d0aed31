//! A new project in Rust, and the Cargo workspace around it.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context as _, bail};

/// What cargo says where a workspace's members include a project that is a workspace of its own.
const TWO_ROOTS: &str = "multiple workspace roots";

/// Makes a project inside MARO's repository a member of its workspace. Returns a sentence about the change.
///
/// # Errors
/// The workspace's file can't be read or written, or has no list of members.
pub(super) fn join(root: &Path, project: &Path) -> anyhow::Result<String> {
    let path = root.join("Cargo.toml");
    let text = fs::read_to_string(&path).with_context(|| format!("can't read {}", path.display()))?;
    let member = below(root, project)?;
    let Some(text) = with_entry(&text, "members", &member) else {
        bail!("{} has no list of members: add \"{member}\" to its workspace yourself", path.display());
    };
    fs::write(&path, text).with_context(|| format!("can't write {}", path.display()))?;
    Ok(format!(
        "It was added to the workspace members in {}. If you delete the folder, remove it there too. Otherwise \
         cargo can't build anything here.",
        path.display()
    ))
}

/// Keeps a project, which is a workspace of its own, out of a workspace around it whose members would include
/// it: cargo couldn't build anything there any more. Returns a sentence about the change, if there was one.
///
/// # Errors
/// The workspace's file can't be read or written.
pub(super) fn stand_apart(project: &Path) -> anyhow::Result<Option<String>> {
    let project = project.canonicalize()?;
    let Some((root, text)) = project.ancestors().skip(1).find_map(workspace) else { return Ok(None) };
    if !is_broken(&root) {
        return Ok(None);
    }
    let (path, name) = (root.join("Cargo.toml"), below(&root, &project)?);
    let Some(excluding) = with_entry(&text, "exclude", &name) else {
        return Ok(Some(format!(
            "The workspace in {path} treats the project as a member, although it's a workspace of its own. Until \
             you add `exclude = [\"{name}\"]` under [workspace], cargo can't build anything there.",
            path = path.display()
        )));
    };
    fs::write(&path, excluding).with_context(|| format!("can't write {}", path.display()))?;
    Ok(Some(format!(
        "It was added to `exclude` in {}: it is a workspace of its own, and cargo couldn't build anything there if \
         it were a member, too.",
        path.display()
    )))
}

fn below(root: &Path, project: &Path) -> anyhow::Result<String> {
    let (root, project) = (root.canonicalize()?, project.canonicalize()?);
    Ok(project.strip_prefix(root).unwrap_or(&project).display().to_string())
}

/// A folder and its `Cargo.toml`, if that is a workspace's.
fn workspace(folder: &Path) -> Option<(PathBuf, String)> {
    let text = fs::read_to_string(folder.join("Cargo.toml")).ok()?;
    text.parse::<toml::Table>().ok()?.contains_key("workspace").then(|| (folder.to_owned(), text))
}

/// Whether cargo finds two workspaces in one. Only cargo knows which folders its members' patterns mean.
fn is_broken(root: &Path) -> bool {
    let mut cargo = Command::new("cargo");
    cargo.current_dir(root).args(["metadata", "--no-deps", "--offline", "--format-version", "1"]);
    let output = cargo.stdin(Stdio::null()).output();
    output.is_ok_and(|output| String::from_utf8_lossy(&output.stderr).contains(TWO_ROOTS))
}

/// The workspace's file with one more entry in one of its lists. `None` if the list can't be found.
fn with_entry(text: &str, list: &str, entry: &str) -> Option<String> {
    let table: toml::Table = text.parse().ok()?;
    let has_list = table.get("workspace")?.as_table()?.contains_key(list);
    // Comments may mention it.
    let header = "[workspace]";
    let section =
        text.match_indices(header).map(|(at, _)| at).find(|at| text[..*at].ends_with('\n') || *at == 0)?;
    let changed = if has_list {
        let start = section + text[section..].find(&format!("\n{list}"))?;
        let open = start + text[start..].find('[')? + 1;
        let close = open + text[open..].find(']')?;
        let entries = text[open..close].trim_end().trim_end_matches(',');
        let comma = if entries.is_empty() { "" } else { ", " };
        format!("{}{entries}{comma}\"{entry}\"{}", &text[..open], &text[close..])
    } else {
        let end = section + "[workspace]".len();
        format!("{}\n{list} = [\"{entry}\"]{}", &text[..end], &text[end..])
    };
    // Comments and brackets in the list may have led astray.
    let list = changed.parse::<toml::Table>().ok()?.get("workspace")?.get(list)?.as_array()?.clone();
    list.iter().any(|present| present.as_str() == Some(entry)).then_some(changed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_added_to_a_list_or_with_it() {
        for (before, after) in [
            ("[workspace]\nmembers = [\"a\", ]\n", "[workspace]\nmembers = [\"a\", \"b\"]\n"),
            ("[workspace]\nmembers = []\n", "[workspace]\nmembers = [\"b\"]\n"),
            ("# No [workspace]\n[workspace]\n", "# No [workspace]\n[workspace]\nmembers = [\"b\"]\n"),
            ("[workspace]\n[package]\n", "[workspace]\nmembers = [\"b\"]\n[package]\n"),
        ] {
            assert_eq!(with_entry(before, "members", "b").as_deref(), Some(after));
        }
        assert_eq!(with_entry("[package]\n", "members", "b"), None);
        assert_eq!(with_entry("workspace.members = [\"a\"]\n", "exclude", "b"), None);
    }

    #[test]
    fn a_workspace_around_a_new_project_still_builds() {
        let folder = tempfile::tempdir().unwrap();
        let write = |file: &str, text: &str| {
            let path = folder.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        write("Cargo.toml", "[workspace]\nresolver = \"3\"\nmembers = [\"plugins/*\"]\n");
        write("plugins/own/Cargo.toml", "[package]\nname = \"own\"\nedition = \"2024\"\n");
        write("plugins/own/src/lib.rs", "");
        write("plugins/count/Cargo.toml", "[package]\nname = \"count\"\nedition = \"2024\"\n[workspace]\n");
        write("plugins/count/src/lib.rs", "");
        assert!(is_broken(folder.path()));
        let said = stand_apart(&folder.path().join("plugins/count")).unwrap().unwrap();
        assert!(said.starts_with("It was added to `exclude` in "), "{said}");
        assert!(!is_broken(folder.path()));
        assert_eq!(stand_apart(&folder.path().join("plugins/count")).unwrap(), None, "once is enough");
    }
}
