//! A copy of what a component can be made of, and of nothing else: tools stumble over sockets, links in a
//! circle and other people's environments, and what they can't see they can't build in.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use sha2::{Digest as _, Sha256};

use crate::languages::{
    embedded::{self, DEPENDENCY},
    project::{Project, repository},
    sources::{self, LeftOut, Source},
};

/// The sources of a project in JavaScript or Python, looked through but not copied yet.
pub(crate) struct Sources {
    /// With their paths in the stage.
    files: Vec<Source>,
    pub(crate) left_out: Vec<LeftOut>,
    /// The project's folder within the stage: empty, unless it is in MARO's repository.
    pub(crate) project: PathBuf,
    /// The folder of the repository's own kit within the stage.
    pub(crate) shared: Option<PathBuf>,
    has_own_interface: bool,
}

impl Sources {
    /// Looks through a project's folder, and through the kit of the repository that it is in.
    ///
    /// # Errors
    /// A folder can't be read.
    pub(crate) fn find(project: &Project) -> io::Result<Self> {
        // Within the repository imports go to the kit by relative paths, so all stays where it is.
        let shared = project.shared().zip(repository(&project.folder));
        let below = |root: &Path, folder: &Path| folder.strip_prefix(root).unwrap_or(folder).to_owned();
        let mut sources = Self {
            files: Vec::new(),
            left_out: Vec::new(),
            project: shared.as_ref().map(|(_, root)| below(root, &project.folder)).unwrap_or_default(),
            shared: shared.as_ref().map(|(shared, root)| below(root, shared)),
            has_own_interface: project.folder.join("wit").join(DEPENDENCY).is_dir(),
        };
        let found = sources::find(&project.folder, project.language, true)?;
        sources.add(found.files, &sources.project.clone());
        sources.left_out = found.left_out;
        if let Some((folder, root)) = &shared {
            let found = sources::find(folder, project.language, false)?;
            sources.add(found.files, &below(root, folder));
        }
        sources.files.sort();
        Ok(sources)
    }

    fn add(&mut self, mut files: Vec<Source>, prefix: &Path) {
        sources::retain_mentioned(&mut files);
        self.files.extend(files.into_iter().map(|file| Source { name: prefix.join(file.name), ..file }));
    }

    /// A digest of all names and contents, and of the `recipe` that a component is made by. It is the same in
    /// another folder and on another machine.
    ///
    /// # Errors
    /// A file can't be read.
    pub(crate) fn digest(&self, recipe: &str) -> io::Result<String> {
        self.digest_with(recipe, |_, _| Ok(()))
    }

    /// As [`Sources::digest`]. `with` sees what each file contains as it is digested.
    fn digest_with(
        &self,
        recipe: &str,
        with: impl Fn(&Source, &[u8]) -> io::Result<()>,
    ) -> io::Result<String> {
        let mut hash = Sha256::new();
        hash.update(recipe);
        if !self.has_own_interface {
            embedded::wit().iter().for_each(|(_, text)| hash.update(text));
        }
        for file in &self.files {
            let content = fs::read(&file.path).map_err(|error| of_file(&file.name, &error))?;
            with(file, &content).map_err(|error| of_file(&file.name, &error))?;
            // Whether the name ends or the content begins must be unmistakable.
            hash.update(file.name.as_os_str().len().to_le_bytes());
            hash.update(file.name.as_os_str().as_encoded_bytes());
            hash.update(content.len().to_le_bytes());
            hash.update(content);
        }
        Ok(hex::encode(hash.finalize()))
    }

    /// Puts the files into the folder `stage`, in place of what was there. Returns the digest of what they contained then:
    /// their author may go on writing.
    ///
    /// # Errors
    /// A file can't be read or written.
    pub(crate) fn copy_to(&self, stage: &Path, recipe: &str) -> io::Result<(Stage, String)> {
        if stage.exists() {
            fs::remove_dir_all(stage)?;
        }
        // Another name for an author's file would show what is written into it while the tools run.
        let digest = self.digest_with(recipe, |file, content| {
            let to = stage.join(&file.name);
            fs::create_dir_all(to.parent().unwrap_or(stage))?;
            fs::write(to, content)
        })?;
        let wit = stage.join(&self.project).join("wit");
        if !self.has_own_interface {
            fs::create_dir_all(wit.join(DEPENDENCY))?;
            for (path, text) in embedded::wit() {
                fs::write(wit.join(DEPENDENCY).join(path), text)?;
            }
        }
        let stage = Stage {
            wit,
            project: stage.join(&self.project),
            shared: self.shared.as_ref().map(|shared| stage.join(shared)),
            root: stage.to_owned(),
        };
        Ok((stage, digest))
    }
}

fn of_file(name: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", name.display()))
}

/// The copied sources. Removed when dropped.
pub(crate) struct Stage {
    pub(crate) root: PathBuf,
    pub(crate) project: PathBuf,
    pub(crate) wit: PathBuf,
    /// The repository's kit, for a project that has none of its own.
    pub(crate) shared: Option<PathBuf>,
}

impl Drop for Stage {
    fn drop(&mut self) {
        // The next build removes it, too.
        let _ = fs::remove_dir_all(&self.root);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::languages::project::Language;

    fn project(folder: &Path) -> Project {
        fs::create_dir_all(folder).unwrap();
        fs::write(folder.join("plugin.py"), "1").unwrap();
        Project {
            name: "levels".to_owned(),
            folder: folder.canonicalize().unwrap(),
            language: Language::Python,
        }
    }

    fn digest(project: &Project, recipe: &str) -> String {
        Sources::find(project).unwrap().digest(recipe).unwrap()
    }

    #[test]
    fn only_what_a_component_is_made_of_changes_the_digest() {
        let folder = tempfile::tempdir().unwrap();
        let (one, other) = (project(&folder.path().join("one")), project(&folder.path().join("two/levels")));
        let first = digest(&one, "tool");
        assert_eq!(digest(&other, "tool"), first, "another folder");
        assert_ne!(digest(&one, "another tool"), first);
        for file in ["plugin.toml", "README.md", "test_plugin.py", "build/x"] {
            fs::create_dir_all(one.folder.join("build")).unwrap();
            fs::write(one.folder.join(file), "1").unwrap();
            assert_eq!(digest(&one, "tool"), first, "{file}");
        }
        fs::write(one.folder.join("levels.json"), "{}").unwrap();
        let with_levels = digest(&one, "tool");
        assert_ne!(with_levels, first);
        fs::write(one.folder.join("plugin.py"), "import test_plugin").unwrap();
        let with_tests = digest(&one, "tool");
        fs::write(one.folder.join("test_plugin.py"), "2").unwrap();
        assert_ne!(digest(&one, "tool"), with_tests, "the plugin imports its test");
    }

    #[test]
    fn a_stage_has_the_sources_and_the_interface_and_goes_away() {
        let folder = tempfile::tempdir().unwrap();
        let project = project(folder.path());
        std::os::unix::fs::symlink("plugin.py", folder.path().join("again.py")).unwrap();
        let path = folder.path().join("build/stage");
        let (stage, _) = Sources::find(&project).unwrap().copy_to(&path, "tool").unwrap();
        assert_eq!(fs::read_to_string(stage.project.join("again.py")).unwrap(), "1");
        assert!(!stage.project.join("again.py").is_symlink());
        assert!(stage.wit.join(DEPENDENCY).join("world.wit").is_file());
        drop(stage);
        assert!(!path.exists());
    }
    #[test]
    fn what_is_saved_during_a_build_is_in_the_next_one() {
        let folder = tempfile::tempdir().unwrap();
        let project = project(folder.path());
        let sources = Sources::find(&project).unwrap();
        let looked_through = sources.digest("tool").unwrap();
        let save = |text: &str| fs::write(folder.path().join("plugin.py"), text).unwrap();
        save("2");
        let (stage, copied) = sources.copy_to(&folder.path().join("build/stage"), "tool").unwrap();
        save("3");
        assert_eq!(fs::read_to_string(stage.project.join("plugin.py")).unwrap(), "2");
        save("1");
        assert_eq!(digest(&project, "tool"), looked_through);
        assert_ne!(
            copied, looked_through,
            "it was undone, and the component is of what stood there meanwhile"
        );
    }
}
