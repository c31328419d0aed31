//! A plugin project: a folder with source code in one of three languages.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::ValueEnum;

/// The grants and limits that the author proposes. Shipped next to the component as `NAME.toml`.
pub(crate) const MANIFEST: &str = "plugin.toml";

/// The folder inside a project that its component is built into.
pub(super) const BUILD: &str = "build";

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
    /// The languages that a folder has files of, the one that it's built in first.
    pub(crate) fn all_in(folder: &Path) -> Vec<Self> {
        let mut found = vec![Self::JavaScript, Self::Python, Self::Rust];
        found.retain(|language| folder.join(language.marker()).is_file());
        // A script in a Rust project is called like a plugin in Python now and then. A plugin has a world.
        let makes_components =
            || std::fs::read_to_string(folder.join("Cargo.toml")).is_ok_and(|text| text.contains("cdylib"));
        if found.len() > 1
            && found.contains(&Self::Rust)
            && !folder.join("wit").is_dir()
            && makes_components()
        {
            found.rotate_right(1);
        }
        found
    }

    /// The file in the project's folder that identifies the language.
    pub(crate) fn marker(self) -> &'static str {
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
        let found = Language::all_in(&folder).into_iter().next();
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

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_script_in_a_rust_project_makes_it_none_in_python() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("plugin.py"), "").unwrap();
        let language = || Project::open(folder.path()).unwrap().language;
        assert_eq!(language(), Language::Python);
        fs::write(folder.path().join("Cargo.toml"), "[lib]\ncrate-type = [\"cdylib\"]\n").unwrap();
        assert_eq!(language(), Language::Rust);
        fs::create_dir(folder.path().join("wit")).unwrap();
        assert_eq!(language(), Language::Python);
        assert_eq!(Language::all_in(folder.path()), [Language::Python, Language::Rust]);
    }
}
