//! A plugin project: a folder with source code in one of three languages.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::ValueEnum;

/// The grants and limits that the author proposes. Shipped next to the component as `NAME.toml`.
pub(crate) const MANIFEST: &str = "plugin.toml";

/// The folder inside a project that its component is built into.
const BUILD: &str = "build";

/// The language that a plugin is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Language {
    Rust,
    #[value(name = "js", alias = "javascript")]
    JavaScript,
    #[value(alias = "py")]
    Python,
}

impl Language {
    /// The file in the project's folder that identifies the language.
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
pub struct Project {
    /// The folder's name, which the built files get too. The description must say the same.
    pub name: String,
    /// An absolute path.
    pub folder: PathBuf,
    pub language: Language,
}

impl Project {
    /// The project in a folder.
    ///
    /// # Errors
    /// A sentence: there is no such folder, or it isn't a project in any of the languages.
    pub fn open(folder: &Path) -> anyhow::Result<Self> {
        match Self::find(folder)? {
            Some(project) => Ok(project),
            None => {
                let name = if folder == Path::new(".") { folder.canonicalize()? } else { folder.to_owned() };
                bail!(
                    "{} isn't a plugin project: it has no Cargo.toml, plugin.js or plugin.py. To create one, run \
                     `maro plugin new NAME`.",
                    name.display()
                )
            }
        }
    }

    /// As [`Project::open`], but `None` if the folder isn't a project.
    ///
    /// # Errors
    /// The folder can't be read.
    pub(crate) fn find(folder: &Path) -> anyhow::Result<Option<Self>> {
        let folder = folder.canonicalize().with_context(|| format!("can't read {}", folder.display()))?;
        let languages = [Language::JavaScript, Language::Python, Language::Rust];
        let found = languages.into_iter().find(|language| folder.join(language.marker()).is_file());
        let name = folder.file_name().map(|name| name.to_string_lossy().into_owned());
        Ok(found.zip(name).map(|(language, name)| Self { name, folder, language }))
    }

    /// The projects directly inside `dir` that have a `plugin.toml`, sorted by name.
    pub fn all_in(dir: &Path) -> Vec<Self> {
        let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
        let mut projects: Vec<_> = entries
            .filter(|entry| entry.path().join(MANIFEST).is_file())
            .filter_map(|entry| Self::find(&entry.path()).ok().flatten())
            .collect();
        projects.sort_by(|a, b| a.name.cmp(&b.name));
        projects
    }

    /// The file with the grants and limits that the author proposes.
    pub(crate) fn manifest(&self) -> PathBuf {
        self.folder.join(MANIFEST)
    }

    /// Where the repository around the project has what JavaScript or Python builds replies with: a project
    /// in it needs no copy of its own.
    pub fn shared(&self) -> Option<PathBuf> {
        let folder = match self.language {
            Language::Rust => return None,
            Language::JavaScript => "plugins/sdk/javascript",
            Language::Python => "plugins/sdk/python",
        };
        Some(repository(&self.folder)?.join(folder)).filter(|folder| folder.is_dir())
    }

    /// The folder that the component is built into.
    pub(crate) fn build_dir(&self) -> PathBuf {
        self.folder.join(BUILD)
    }
}

/// MARO's repository around a folder.
pub fn repository(folder: &Path) -> Option<PathBuf> {
    let folder = folder.canonicalize().ok()?;
    folder.ancestors().find(|root| root.join("plugins/sdk/Cargo.toml").is_file()).map(Path::to_owned)
}
