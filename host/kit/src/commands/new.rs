//! `maro plugin new`: creates a project that builds anywhere, with a test and a README.

use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context as _, ensure};
use clap::Args;

use crate::{
    commands::workspace,
    languages::{
        embedded::{self, interface_version},
        interpreted,
        project::{Language, MANIFEST, repository},
        snippets,
    },
    output::say,
};
use maro_bot::commands::choosing::host_commands::RESERVED_NAMES;
use maro_runtime::{loading::loader, policy::grants::Grant};

/// The subcommands that come with MARO as plugins.
pub(super) const SHIPPED: [&str; 3] = ["track", "tracked", "untrack"];

#[derive(Debug, Args)]
pub struct NewArguments {
    /// The command's name: 1–32 lowercase letters, digits or hyphens, starting with a letter. A path before
    /// it says where to create the project
    #[arg(value_name = "NAME")]
    path: PathBuf,
    /// The language to write it in
    #[arg(long, value_enum, default_value = "rust")]
    lang: Language,
    /// The capabilities it uses, such as jira,tracker
    #[arg(long = "with", value_name = "CAPABILITY", value_delimiter = ',', value_parser = capability)]
    with: Vec<Grant>,
}

pub(crate) fn run(arguments: &NewArguments) -> anyhow::Result<ExitCode> {
    let project = NewProject::of(arguments)?;
    for (path, text) in project.files() {
        let path = project.folder.join(path);
        let write = || {
            fs::create_dir_all(path.parent().unwrap_or(&project.folder))?;
            fs::write(&path, text)
        };
        write().with_context(|| format!("can't write {}", path.display()))?;
    }
    let around = match (&project.repository, project.language) {
        (Some(root), Language::Rust) => Some(workspace::join(root, &project.folder)?),
        (None, Language::Rust) => workspace::stand_apart(&project.folder)?,
        _ => None,
    };
    let folder = project.folder.display();
    say(&format!(
        "Created {folder}. Next steps:\n\n  maro plugin run {folder} 'Ada'     # see what /maro {name} Ada shows\n  \
         maro plugin test {folder}          # run its tests\n  maro plugin build {folder}         # build it into {folder}/build\n\n\
         See {folder}/README.md for more.",
        name = project.name,
    ));
    if let Some(sentence) = around {
        say(&format!("\n{sentence}"));
    }
    if SHIPPED.contains(&&*project.name) {
        say(&format!(
            "\nMARO already comes with /maro {name}, and a plugins folder can hold only one of the two. \
            Choose another name unless \
             you want to replace it.",
            name = project.name
        ));
    }
    Ok(ExitCode::SUCCESS)
}

fn capability(name: &str) -> Result<Grant, String> {
    Grant::from_interface(name.trim()).ok_or_else(|| {
        let all: Vec<_> = Grant::ALL.iter().map(|grant| grant.as_str()).collect();
        format!("choose from {}; log needs no grant", all.join(", "))
    })
}

struct NewProject {
    name: String,
    folder: PathBuf,
    language: Language,
    grants: Vec<Grant>,
    /// MARO's repository, if the project is inside it.
    repository: Option<PathBuf>,
}

impl NewProject {
    fn of(arguments: &NewArguments) -> anyhow::Result<Self> {
        let folder = arguments.path.clone();
        // A path such as `.` has to be resolved to know the folder's name.
        let whole = folder.canonicalize().unwrap_or_else(|_| folder.clone());
        let name = whole.file_name().unwrap_or_default().to_string_lossy().into_owned();
        ensure!(
            loader::is_subcommand_name(&name),
            "{name:?} isn't a valid command name: use 1–32 lowercase letters, digits or hyphens, starting with a letter"
        );
        ensure!(!RESERVED_NAMES.contains(&&*name), "/maro {name} is built into MARO: choose another name");
        ensure!(
            is_free(&folder),
            "{} already exists and isn't empty: choose another name, or delete it first",
            folder.display()
        );
        let grants = Grant::ALL.into_iter().filter(|grant| arguments.with.contains(grant)).collect();
        let parent = whole.parent().filter(|parent| !parent.as_os_str().is_empty());
        let repository = repository(parent.unwrap_or(Path::new(".")));
        Ok(Self { name, folder, language: arguments.lang, grants, repository })
    }

    /// Every file with its path in the project.
    fn files(&self) -> Vec<(PathBuf, String)> {
        let mut files = vec![
            (MANIFEST, self.manifest()),
            ("README.md", self.readme()),
            (".gitignore", "/.maro/\n/build/\n/target/\n__pycache__/\n".to_owned()),
        ];
        match self.language {
            Language::Rust => files.extend([
                ("Cargo.toml", self.cargo_toml()),
                ("src/lib.rs", self.filled(include_str!("new/rust/lib.rs"))),
            ]),
            Language::JavaScript => files.extend([
                ("plugin.js", self.filled(include_str!("new/js/plugin.js"))),
                ("answer.js", self.filled(include_str!("new/js/answer.js"))),
                ("answer.test.js", self.filled(include_str!("new/js/answer.test.js"))),
                ("maro.js", embedded::MARO_JS.to_owned()),
                ("package.json", self.filled(include_str!("new/js/package.json"))),
            ]),
            Language::Python => files.extend([
                ("plugin.py", self.filled(include_str!("new/python/plugin.py"))),
                ("test_plugin.py", self.filled(include_str!("new/python/test_plugin.py"))),
                ("maro.py", embedded::MARO_PY.to_owned()),
            ]),
        }
        if self.language != Language::Rust {
            files.push(("wit/world.wit", self.world()));
        }
        let mut files: Vec<_> = files.into_iter().map(|(path, text)| (PathBuf::from(path), text)).collect();
        if self.repository.is_none() {
            files.extend(self.brought_along());
        }
        files
    }

    /// What a project inside the repository finds there: for Rust the SDK, else the interface.
    fn brought_along(&self) -> Vec<(PathBuf, String)> {
        if self.language == Language::Rust {
            let sdk = Path::new("sdk/maro-plugin");
            embedded::sdk().into_iter().map(|(path, text)| (sdk.join(path), text)).collect()
        } else {
            let wit = Path::new("wit").join(embedded::DEPENDENCY);
            embedded::wit().iter().map(|(path, text)| (wit.join(path), (*text).to_owned())).collect()
        }
    }

    fn filled(&self, template: &str) -> String {
        template.replace("{{name}}", &self.name)
    }

    fn manifest(&self) -> String {
        let grants: Vec<_> = self.grants.iter().map(|grant| format!("\"{grant}\"")).collect();
        let mut manifest = format!(
            "# What this plugin asks its operator for. `maro plugin check` shows what it needs.\ngrants = [{}]\n",
            grants.join(", ")
        );
        // Without these, the grants have no effect.
        if self.grants.contains(&Grant::Http) {
            manifest += "\n# The only hosts that it may contact.\n[http]\nhosts = [\"api.example.com\"]\n";
        }
        if self.grants.contains(&Grant::Settings) {
            manifest += "\n# Settings that its operator may change.\n[settings]\nteam = \"Payments\"\n";
        }
        manifest
    }

    /// The world of a plugin in JavaScript or Python. Such a plugin imports everything in its world.
    fn world(&self) -> String {
        let version = interface_version();
        let imports: String =
            self.grants.iter().map(|grant| format!("    import maro:plugin/{grant}@{version};\n")).collect();
        format!(
            "package local:plugin;\n\n\
             /// What this plugin uses, which its operator has to grant, and what it provides.\n\
             world {} {{\n    import maro:plugin/log@{version};\n{imports}\n    \
             export maro:plugin/command@{version};\n}}\n",
            interpreted::WORLD,
        )
    }

    fn cargo_toml(&self) -> String {
        let name = &self.name;
        let (dependency, workspace) = match self.repository {
            Some(_) => ("maro-plugin.workspace = true", ""),
            None => ("maro-plugin = { path = \"sdk/maro-plugin\" }", "\n[workspace]\n"),
        };
        format!(
            "[package]\nname = \"maro-plugin-{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\npublish = false\n\n\
             [lib]\ncrate-type = [\"cdylib\"]\n\n[dependencies]\n{dependency}\n{workspace}"
        )
    }

    fn readme(&self) -> String {
        let (source, brought) = match self.language {
            Language::Rust => ("src/lib.rs", "`sdk/` is MARO's SDK, as it was when this was made."),
            Language::JavaScript => (
                "plugin.js",
                "`wit/deps/` is MARO's interface from when this project was created. `maro.js` builds replies.",
            ),
            Language::Python => (
                "plugin.py",
                "`wit/deps/` is MARO's interface from when this project was created. `maro.py` builds replies.",
            ),
        };
        let brought = if self.repository.is_none() { format!("\n{brought}\n") } else { String::new() };
        let more = match self.language {
            Language::Rust => {
                "To use another capability, call its module in the SDK and add its grant to `plugin.toml`."
            }
            Language::JavaScript | Language::Python => {
                "To use another capability, add it to `wit/world.wit` and to `plugin.toml`. Remove those you don't use: \
                 everything in the world must be granted."
            }
        };
        let rows: String = self
            .grants
            .iter()
            .map(|grant| {
                let (purpose, line) = snippets::snippet(*grant, self.language);
                format!("| `{grant}` | {purpose} | `{line}` |\n")
            })
            .collect();
        let table = if rows.is_empty() {
            "It doesn't use any capabilities yet.".to_owned()
        } else {
            format!("| capability | for | in code |\n|---|---|---|\n{}", rows.trim_end())
        };
        format!(
            "# /maro {name}\n\nA MARO command, written in `{source}`.\n\n```sh\n\
             maro plugin run . 'Ada'      # run one command against a simulated Slack and Jira\n\
             maro plugin test .           # run the tests and the recorded cases in cases/\n\
             maro plugin check .          # see what it needs and whether it would load\n\
             maro plugin build .          # build build/{name}.wasm and build/{name}.toml for the plugins folder\n\
             maro plugin dev .            # try it on a page in the browser, rebuilt at each save\n\
             maro plugin docs             # read the interface, function by function\n\
             ```\n{brought}\n## Capabilities\n{table}\n\n{more}\n",
            name = self.name,
        )
    }
}

/// Whether a project can be created at a path: nothing is there, or a folder that is empty except for `.git`.
fn is_free(path: &Path) -> bool {
    match fs::read_dir(path) {
        Ok(entries) => entries.flatten().all(|entry| entry.file_name() == ".git"),
        Err(_) => !path.exists(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use maro_runtime::policy::manifest::Manifest;

    fn new(name: &str, lang: Language) -> anyhow::Result<NewProject> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        NewProject::of(&NewArguments { path, lang, with: vec![Grant::Storage, Grant::Tracker] })
    }

    #[test]
    fn a_world_names_only_the_chosen_capabilities() {
        let world = new("standup", Language::JavaScript).unwrap().world();
        let version = interface_version();
        let imports: Vec<_> = world.lines().filter(|line| line.contains("import")).map(str::trim).collect();
        assert_eq!(
            imports,
            [
                format!("import maro:plugin/log@{version};"),
                format!("import maro:plugin/tracker@{version};"),
                format!("import maro:plugin/storage@{version};"),
            ]
        );
        assert!(
            new("standup", Language::Rust)
                .unwrap()
                .manifest()
                .contains("grants = [\"tracker\", \"storage\"]")
        );
    }

    #[test]
    fn a_manifest_shows_what_a_grant_is_worth_nothing_without() {
        let path = PathBuf::from("somewhere/new");
        let with = vec![Grant::Http, Grant::Settings];
        let project = NewProject::of(&NewArguments { path, lang: Language::Rust, with }).unwrap();
        let manifest = Manifest::parse(&project.manifest()).unwrap();
        assert_eq!(manifest.grants, [Grant::Settings, Grant::Http]);
        assert_eq!(manifest.hosts.len(), 1);
        assert!(manifest.settings.contains_key("team"));
    }

    #[test]
    fn an_empty_folder_is_taken_and_a_full_one_is_told_with_the_cure() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("count");
        fs::create_dir_all(path.join(".git")).unwrap();
        let of = |path: PathBuf| {
            NewProject::of(&NewArguments { path, lang: Language::Rust, with: Vec::new() })
                .map_err(|error| error.to_string())
        };
        assert_eq!(of(path.join(".")).unwrap().name, "count");
        fs::write(path.join("notes.txt"), "").unwrap();
        let refusal = of(path).err().unwrap();
        let cure = "already exists and isn't empty: choose another name, or delete it first";
        assert!(refusal.ends_with(cure), "{refusal}");
    }

    #[test]
    fn the_shipped_subcommands_are_those_of_the_repository() {
        let plugins = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../plugins");
        let entries = fs::read_dir(plugins).unwrap().flatten();
        let mut names: Vec<_> = entries
            .filter(|entry| entry.path().join(MANIFEST).is_file())
            .map(|entry| entry.file_name().into_string().unwrap())
            .collect();
        names.sort();
        assert_eq!(names, SHIPPED);
    }

    #[test]
    fn capabilities_may_have_spaces_around_them() {
        assert_eq!(capability(" tracker"), Ok(Grant::Tracker));
        assert!(capability("calendar").is_err());
    }

    #[test]
    fn names_are_checked_as_the_host_does() {
        for bad in ["Standup", "1st", "help", "plugins", "a b", &"x".repeat(33)] {
            assert!(new(bad, Language::Rust).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_readme_shows_each_capability_in_the_languages_own_words() {
        for (language, line) in [
            (Language::Rust, "`tracker::list_tracked(0, 50)?`"),
            (Language::JavaScript, "import { listTracked } from 'maro:plugin/tracker@"),
            (Language::Python, "from wit_world.imports import tracker"),
        ] {
            let readme = new("standup", language).unwrap().readme();
            assert!(readme.contains(line), "{readme}");
            assert!(!readme.contains("VERSION"), "{readme}");
        }
    }
}
