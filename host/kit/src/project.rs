//! A plugin's project: a folder with its source in one of three languages.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::ValueEnum;

/// The author's proposal of grants and limits, shipped beside the component as `NAME.toml`.
pub(super) const MANIFEST: &str = "plugin.toml";

/// Where a project's component is built, inside the project.
const BUILD: &str = "build";

/// What a plugin is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Language {
    Rust,
    #[value(name = "js", alias = "javascript")]
    JavaScript,
    #[value(alias = "py")]
    Python,
}

impl Language {
    /// The file in the project's folder that tells the language.
    fn marker(self) -> &'static str {
        match self {
            Self::Rust => "Cargo.toml",
            Self::JavaScript => "plugin.js",
            Self::Python => "plugin.py",
        }
    }
}

/// A folder with a plugin's source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::command_line) struct Project {
    /// The folder's name, which names the built files. The subcommand's own is in its description.
    pub(super) name: String,
    /// Absolute.
    pub(super) folder: PathBuf,
    pub(super) language: Language,
}

impl Project {
    /// The project in a folder.
    ///
    /// # Errors
    /// A sentence: there is no such folder, or nothing in it tells a language.
    pub(in crate::command_line) fn open(folder: &Path) -> anyhow::Result<Self> {
        match Self::find(folder)? {
            Some(project) => Ok(project),
            None => bail!(
                "{} is no plugin's project: it has no Cargo.toml with a library, plugin.js or plugin.py. \
                 `maro plugin new NAME` makes one.",
                folder.display()
            ),
        }
    }

    /// As [`Project::open`]; `None` if the folder holds something else.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub(super) fn find(folder: &Path) -> anyhow::Result<Option<Self>> {
        let folder = folder.canonicalize().with_context(|| format!("{} cannot be read", folder.display()))?;
        let languages = [Language::JavaScript, Language::Python, Language::Rust];
        let found = languages.into_iter().find(|language| folder.join(language.marker()).is_file());
        let name = folder.file_name().map(|name| name.to_string_lossy().into_owned());
        Ok(found.zip(name).map(|(language, name)| Self { name, folder, language }))
    }

    /// The projects directly below `dir`, by name; those with a `plugin.toml` only.
    pub(super) fn all_in(dir: &Path) -> Vec<Self> {
        let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
        let mut projects: Vec<_> = entries
            .filter(|entry| entry.path().join(MANIFEST).is_file())
            .filter_map(|entry| Self::find(&entry.path()).ok().flatten())
            .collect();
        projects.sort_by(|a, b| a.name.cmp(&b.name));
        projects
    }

    /// The author's proposal of grants and limits.
    pub(super) fn manifest(&self) -> PathBuf {
        self.folder.join(MANIFEST)
    }

    /// Where the repository around the project has what JavaScript or Python builds replies with: a project
    /// in it needs no copy of its own.
    pub(super) fn shared(&self) -> Option<PathBuf> {
        let folder = match self.language {
            Language::Rust => return None,
            Language::JavaScript => "plugins/sdk/javascript",
            Language::Python => "plugins/sdk/python",
        };
        Some(repository(&self.folder)?.join(folder)).filter(|folder| folder.is_dir())
    }

    /// The folder that the component is built into.
    pub(super) fn build_dir(&self) -> PathBuf {
        self.folder.join(BUILD)
    }
}

/// MARO's repository around a folder.
pub(in crate::command_line) fn repository(folder: &Path) -> Option<PathBuf> {
    let folder = folder.canonicalize().ok()?;
    folder.ancestors().find(|root| root.join("plugins/sdk/Cargo.toml").is_file()).map(Path::to_owned)
}
