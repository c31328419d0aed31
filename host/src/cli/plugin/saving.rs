//! Rebuilding plugins when their sources are saved, for `maro dev`.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::sync::Semaphore;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    cli::{
        plugin::{
            build::{build_into, toolbox},
            check::size,
            project::{Language, Project, repository},
            say, sources,
            toolbox::{BuildError, Toolbox},
        },
        plugin_build,
    },
    sandbox::builds::{BuildState, Builds},
};

/// The pause between two looks at the sources. What changed must be the same in two looks: editors write a
/// file in steps.
const PAUSE: Duration = Duration::from_millis(150);

/// Between two looks for new projects and for those that are gone.
const DISCOVERY: Duration = Duration::from_secs(1);

/// Which projects are rebuilt, and where their components go.
pub(in crate::cli) struct Saving {
    /// A folder of projects.
    pub(in crate::cli) plugins: PathBuf,
    /// Another.
    pub(in crate::cli) examples: Option<PathBuf>,
    pub(in crate::cli) more: Vec<Project>,
    /// The plugins folder of the bot.
    pub(in crate::cli) output: PathBuf,
    pub(in crate::cli) builds: Builds,
}

/// What all builds share.
struct Shared {
    output: PathBuf,
    builds: Builds,
    /// One build at a time: cargo would wait for the other anyway.
    turn: Semaphore,
}

impl Saving {
    /// Rebuilds until `stop` is cancelled, which ends the builds under way.
    pub(in crate::cli) async fn run(self, stop: CancellationToken) {
        let shared = Arc::new(Shared {
            output: self.output.clone(),
            builds: self.builds.clone(),
            turn: Semaphore::new(1),
        });
        let tasks = TaskTracker::new();
        let mut watched: BTreeMap<PathBuf, (String, CancellationToken)> = BTreeMap::new();
        let mut is_first_look = true;
        loop {
            let projects = self.projects();
            for project in &projects {
                let is_built = is_first_look && self.output.join(format!("{}.wasm", project.name)).is_file();
                watched.entry(project.folder.clone()).or_insert_with(|| {
                    let ended = stop.child_token();
                    let watch = Watch {
                        project: project.clone(),
                        roots: roots(project),
                        shared: Arc::clone(&shared),
                        stop: ended.clone(),
                    };
                    tasks.spawn(watch.run(is_built));
                    (project.name.clone(), ended)
                });
            }
            watched.retain(|folder, (name, ended)| {
                let is_there = projects.iter().any(|project| project.folder == *folder);
                if !is_there {
                    ended.cancel();
                    shared.builds.remove(name);
                }
                is_there
            });
            is_first_look = false;
            if stop.run_until_cancelled(tokio::time::sleep(DISCOVERY)).await.is_none() {
                break;
            }
        }
        tasks.close();
        tasks.wait().await;
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
        roots.extend([root.join("plugins/sdk/src"), root.join("wit")]);
    }
    roots
}

/// One project under watch.
struct Watch {
    project: Project,
    roots: Vec<PathBuf>,
    shared: Arc<Shared>,
    stop: CancellationToken,
}

type Fingerprint = Vec<(PathBuf, u64, Option<std::time::SystemTime>)>;

impl Watch {
    async fn run(self, is_built: bool) {
        let mut built = if is_built { self.look().await } else { None };
        loop {
            let Some(now) = self.changed_from(built.as_ref()).await else { return };
            self.build_until_stale(&now).await;
            built = Some(now);
        }
    }

    /// Builds; ends the build when a newer save makes it stale, and with the watch.
    async fn build_until_stale(&self, sources: &Fingerprint) {
        let building = self.stop.child_token();
        let build = self.build(&building);
        tokio::pin!(build);
        tokio::select! {
            () = &mut build => {}
            _ = self.changed_from(Some(sources)) => {
                building.cancel();
                build.await;
            }
        }
    }

    /// Waits until the sources are other than `built` and hold still; `None` at the end of the watch.
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
        let roots = self.roots.clone();
        tokio::task::spawn_blocking(move || sources::fingerprint(&roots)).await.ok()
    }

    async fn build(&self, stop: &CancellationToken) {
        let name = &*self.project.name;
        self.shared.builds.set(name, BuildState::Running);
        let Some(Ok(_turn)) = stop.run_until_cancelled(self.shared.turn.acquire()).await else { return };
        let toolbox = Toolbox { stop: stop.clone(), ..toolbox(false) };
        let started = Instant::now();
        match build_into(&self.project, &self.shared.output, &toolbox).await {
            Ok(component) => {
                self.shared.builds.set(name, BuildState::Succeeded);
                note(&self.shared.output, name);
                let seconds = started.elapsed().as_secs_f64();
                say(&format!("Built {name} in {seconds:.1} s ({}).", size_of(&component)));
            }
            // A newer build follows, or the end.
            Err(BuildError::Stopped) => {}
            Err(error) => {
                let output = error.to_string();
                say(&format!(
                    "✗ {name} does not build; what served before serves on.\n{}",
                    output.trim_end()
                ));
                self.shared.builds.set(name, BuildState::Failed { output });
            }
        }
    }
}

/// Lets the next `maro plugin build` remove what it does not build itself.
fn note(output: &Path, name: &str) {
    if let Err(error) = plugin_build::note_installed(output, name) {
        tracing::warn!(%error, "the folder of built plugins cannot be written");
    }
}

fn size_of(component: &Path) -> String {
    let bytes = std::fs::metadata(component).map_or(0, |file| file.len());
    size(usize::try_from(bytes).unwrap_or(usize::MAX))
}
