//! Rebuilds plugins when their sources are saved, for `maro dev`.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

use tokio::{sync::Semaphore, task::JoinHandle};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    builds::{BuildState, Builds},
    own_writes::OwnWrites,
};
use maro_kit::{
    languages::{
        component::{build_into, toolbox},
        project::{Language, Project, repository},
        sources::{self, Fingerprint},
        toolbox::{BuildError, Toolbox},
    },
    output::{say, size},
    repository,
    tryout::single_plugin,
};

/// How often the sources are checked. A change counts once two checks find the same, because editors write
/// a file in steps.
const PAUSE: Duration = Duration::from_millis(150);

/// How often to look for new and removed projects.
const DISCOVERY: Duration = Duration::from_secs(1);

/// Which projects are rebuilt, and where their components go.
pub struct Rebuilder {
    /// A folder with projects.
    pub plugins: PathBuf,
    /// Another folder with projects.
    pub examples: Option<PathBuf>,
    pub more: Vec<Project>,
    /// The plugins folder of the bot.
    pub output: PathBuf,
    /// The projects in `plugins` that have just been built.
    pub built: Vec<String>,
    pub builds: Builds,
}

/// Where builds go, and whose turn it is.
struct BuildTurns {
    output: PathBuf,
    builds: Builds,
    /// Only one cargo build runs at a time, because a second one would wait for it anyway. Only one build
    /// with an interpreter runs at a time, because it is slow enough alone.
    cargo: Semaphore,
    interpreter: Semaphore,
}

impl Rebuilder {
    /// Rebuilds until `stop` is cancelled. That also stops running builds.
    pub async fn run(self, stop: CancellationToken) {
        let shared = Arc::new(BuildTurns {
            output: self.output.clone(),
            builds: self.builds.clone(),
            cargo: Semaphore::new(1),
            interpreter: Semaphore::new(1),
        });
        let tasks = TaskTracker::new();
        let mut watched: BTreeMap<PathBuf, Watched> = BTreeMap::new();
        let mut is_first_look = true;
        loop {
            let projects = self.projects();
            let is_gone = |folder: &Path, _: &mut Watched| !projects.iter().any(|it| it.folder == *folder);
            for (_, gone) in watched.extract_if(.., |folder, watched| is_gone(folder, watched)) {
                gone.forget(&shared).await;
            }
            for project in &projects {
                let is_built = is_first_look && self.is_built(project);
                watched.entry(project.folder.clone()).or_insert_with(|| {
                    let ended = stop.child_token();
                    let watch = Watch {
                        project: project.clone(),
                        roots: roots(project),
                        shared: Arc::clone(&shared),
                        stop: ended.clone(),
                    };
                    let task = tasks.spawn(watch.run(is_built));
                    Watched { name: project.name.clone(), ended, task }
                });
            }
            is_first_look = false;
            if stop.run_until_cancelled(tokio::time::sleep(DISCOVERY)).await.is_none() {
                break;
            }
        }
        tasks.close();
        tasks.wait().await;
    }

    /// Whether a project needs no build at the start.
    fn is_built(&self, project: &Project) -> bool {
        let plugins = self.plugins.canonicalize().ok();
        plugins.as_deref() == project.folder.parent() && self.built.contains(&project.name)
    }

    fn projects(&self) -> Vec<Project> {
        let dirs = [Some(&self.plugins), self.examples.as_ref()];
        let mut projects: Vec<_> = dirs.into_iter().flatten().flat_map(|dir| Project::all_in(dir)).collect();
        projects.extend(self.more.iter().filter(|project| project.folder.is_dir()).cloned());
        projects
    }
}

/// The folders whose files go into a project's component.
fn roots(project: &Project) -> Vec<PathBuf> {
    let mut roots = vec![project.folder.clone()];
    if let (Language::Rust, Some(root)) = (project.language, repository(&project.folder)) {
        roots.push(root.join("plugins/sdk/src"));
    }
    roots.extend(project.shared());
    roots
}

/// A project being watched, as seen from outside.
struct Watched {
    name: String,
    ended: CancellationToken,
    task: JoinHandle<()>,
}

impl Watched {
    /// Stops watching a project whose source is gone, and removes its component.
    async fn forget(self, shared: &BuildTurns) {
        self.ended.cancel();
        // Otherwise a build that is about to finish would bring it back.
        let _ = self.task.await;
        match repository::remove(&shared.output, &self.name) {
            Ok(()) => say(&format!("The source of {} is gone, so it was unloaded.", self.name)),
            Err(error) => tracing::warn!(%error, "can't write to the folder of built plugins"),
        }
        shared.builds.remove(&self.name);
    }
}

/// Watches one project.
struct Watch {
    project: Project,
    roots: Vec<PathBuf>,
    shared: Arc<BuildTurns>,
    stop: CancellationToken,
}

impl Watch {
    async fn run(self, is_built: bool) {
        let mut built = if is_built { self.look().await } else { None };
        let mut own = OwnWrites::default();
        loop {
            let Some(now) = self.changed_from(built.as_ref()).await else { return };
            built = Some(self.build_until_stale(now, &mut own).await);
        }
    }

    /// Builds the project. Stops the build if a newer save makes it stale, or if the watch ends. Returns the sources
    /// that were built, with what the build itself wrote.
    async fn build_until_stale(&self, mut sources: Fingerprint, own: &mut OwnWrites) -> Fingerprint {
        let building = self.stop.child_token();
        let build = self.build(&building);
        tokio::pin!(build);
        loop {
            let (changed, has_ended) = tokio::select! {
                () = &mut build => (self.look().await, true),
                changed = self.changed_from(Some(&sources)) => (changed, false),
            };
            let is_own = changed.as_ref().is_some_and(|changed| self.is_own(&sources, changed, own));
            match changed.filter(|_| is_own) {
                Some(changed) if has_ended => return changed,
                Some(changed) => sources = changed,
                None if has_ended => return sources,
                None => {
                    building.cancel();
                    build.await;
                    return sources;
                }
            }
        }
    }

    /// Whether the build itself made these sources out of those from before.
    fn is_own(&self, before: &Fingerprint, after: &Fingerprint, own: &mut OwnWrites) -> bool {
        let (before, after): (BTreeSet<_>, BTreeSet<_>) = (before.iter().collect(), after.iter().collect());
        let changed = before.symmetric_difference(&after).map(|(path, ..)| path.clone()).collect();
        let (is_own, news) = own.take(changed);
        for path in news {
            say(&format!(
                "The build of {} writes {} itself, so that file alone starts no other build.",
                self.project.name,
                path.strip_prefix(&self.project.folder).unwrap_or(&path).display()
            ));
        }
        is_own
    }

    /// Waits until the sources differ from `built` and have stopped changing. `None` when the watch ends.
    async fn changed_from(&self, built: Option<&Fingerprint>) -> Option<Fingerprint> {
        let mut before = None;
        loop {
            let now = self.look().await;
            if now.is_some() && now.as_ref() != built && now == before {
                return now;
            }
            before = now;
            self.stop.run_until_cancelled(tokio::time::sleep(PAUSE)).await?;
        }
    }

    async fn look(&self) -> Option<Fingerprint> {
        let (roots, language) = (self.roots.clone(), self.project.language);
        let looking = tokio::task::spawn_blocking(move || sources::fingerprint(&roots, language));
        // A folder that is gone can't be built.
        looking
            .await
            .ok()
            .filter(|sources| sources.iter().any(|file| file.0.starts_with(&self.project.folder)))
    }

    async fn build(&self, stop: &CancellationToken) {
        let name = &*self.project.name;
        self.shared.builds.set(name, BuildState::Running);
        let turns = match self.project.language {
            Language::Rust => &self.shared.cargo,
            Language::JavaScript | Language::Python => &self.shared.interpreter,
        };
        let Some(Ok(_turn)) = stop.run_until_cancelled(turns.acquire()).await else { return };
        let toolbox = Toolbox { stop: stop.clone(), ..toolbox(false) };
        let (started, before) = (Instant::now(), traces(&self.shared.output, name));
        match build_into(&self.project, &self.shared.output, &toolbox).await {
            Ok(component) => {
                self.shared.builds.set(name, BuildState::Succeeded);
                note(&self.shared.output, name);
                let seconds = started.elapsed().as_secs_f64();
                let is_changed = traces(&self.shared.output, name) != before;
                say(&format!("Built {name} in {seconds:.1} s{}", outcome(&component, is_changed)));
            }
            // A newer build follows, or the watch has ended.
            Err(BuildError::Stopped) => {}
            Err(error) => {
                let output = error.to_string();
                let has_earlier = self.shared.output.join(format!("{name}.wasm")).is_file();
                let meanwhile = if has_earlier {
                    "The previous version is still running."
                } else {
                    "It isn't loaded yet."
                };
                say(&format!("✗ {name} failed to build. {meanwhile}\n{}", output.trim_end()));
                self.shared.builds.set(name, BuildState::Failed { output });
            }
        }
    }
}

/// Lets a later `maro plugin build` remove this plugin if its source is gone.
fn note(output: &Path, name: &str) {
    if let Err(error) = repository::note_installed(output, name) {
        tracing::warn!(%error, "can't write to the folder of built plugins");
    }
}

/// Identifies the files that a build left in the plugins folder. A build that changes nothing leaves them
/// alone.
fn traces(output: &Path, name: &str) -> [Option<(u64, SystemTime)>; 2] {
    ["wasm", "toml"].map(|ending| {
        let metadata = fs::metadata(output.join(format!("{name}.{ending}"))).ok()?;
        Some((metadata.ino(), metadata.modified().ok()?))
    })
}

/// What a build produced, and what happens next.
fn outcome(component: &Path, is_changed: bool) -> String {
    let wasm = fs::read(component).unwrap_or_default();
    let follows = match is_changed {
        false => ". Nothing changed.",
        true if single_plugin::is_slow_to_load(&wasm) => {
            ". MARO is compiling it now, which takes about 10 s…"
        }
        true => ".",
    };
    format!(" ({}){follows}", size(wasm.len()))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// Watches the projects in a folder.
    fn rebuilder(plugins: PathBuf, output: PathBuf) -> Rebuilder {
        let (more, built) = (Vec::new(), Vec::new());
        Rebuilder { plugins, examples: None, more, output, built, builds: Builds::default() }
    }

    #[tokio::test]
    async fn a_build_that_writes_a_source_itself_comes_to_an_end() {
        let folder = tempfile::tempdir().unwrap();
        let (plugins, output) = (folder.path().join("plugins"), folder.path().join("output"));
        let project = plugins.join("writes");
        fs::create_dir_all(project.join("src")).unwrap();
        fs::create_dir(&output).unwrap();
        fs::write(project.join("plugin.toml"), "").unwrap();
        let manifest = "[package]\nname = \"writes\"\nedition = \"2024\"\n[lib]\ncrate-type = [\"cdylib\"]\n[workspace]\n\
                        [profile.plugin]\ninherits = \"release\"\n";
        fs::write(project.join("Cargo.toml"), manifest).unwrap();
        fs::write(project.join("src/lib.rs"), "mod now;").unwrap();
        // Cargo runs it again whenever any file of the project is newer than its last run.
        let script = "fn main() {
            let now = std::time::SystemTime::now();
            std::fs::write(\"src/now.rs\", format!(\"// {now:?}\")).unwrap();
            std::thread::sleep(std::time::Duration::from_secs(1));
        }";
        fs::write(project.join("build.rs"), script).unwrap();
        let rebuilder = rebuilder(plugins, output);
        let mut states = rebuilder.builds.watch();
        let stop = CancellationToken::new();
        let running = tokio::spawn(rebuilder.run(stop.clone()));
        let has_ended = |state: Option<&BuildState>| match state {
            Some(BuildState::Failed { output }) => panic!("{output}"),
            state => matches!(state, Some(BuildState::Succeeded)),
        };
        let ending = states.wait_for(|states| has_ended(states.get("writes")));
        tokio::time::timeout(Duration::from_secs(120), ending)
            .await
            .expect("it begins again and again")
            .unwrap();
        stop.cancel();
        running.await.unwrap();
    }

    #[tokio::test]
    async fn a_project_that_goes_away_takes_its_component_along() {
        let folder = tempfile::tempdir().unwrap();
        let (plugins, output) = (folder.path().join("plugins"), folder.path().join("output"));
        let project = plugins.join("broken");
        fs::create_dir_all(&project).unwrap();
        fs::create_dir(&output).unwrap();
        for file in [project.join("plugin.toml"), output.join("broken.wasm"), output.join("broken.toml")] {
            fs::write(file, "").unwrap();
        }
        fs::write(project.join("Cargo.toml"), "this is no project").unwrap();
        let rebuilder = rebuilder(plugins, output.clone());
        let mut states = rebuilder.builds.watch();
        let stop = CancellationToken::new();
        let running = tokio::spawn(rebuilder.run(stop.clone()));
        let failed = |state: Option<&BuildState>| matches!(state, Some(BuildState::Failed { .. }));
        states.wait_for(|states| failed(states.get("broken"))).await.unwrap();
        assert!(output.join("broken.wasm").exists(), "the previous version is still there");
        fs::remove_dir_all(&project).unwrap();
        states.wait_for(|states| states.is_empty()).await.unwrap();
        assert_eq!(fs::read_dir(&output).unwrap().count(), 0);
        stop.cancel();
        running.await.unwrap();
    }
}
