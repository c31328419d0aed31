//! `maro plugin build`: projects in any language into components.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::Context as _;
use tokio_util::sync::CancellationToken;

use crate::{
    cli::{
        plugin::{
            check, interpreted,
            project::{Language, Project},
            rust, say,
            toolbox::{BuildError, Toolbox},
        },
        plugin_build,
    },
    config,
};

/// Without arguments the plugins of this repository, else each project into its own `build/`.
pub(super) async fn run(folders: Vec<PathBuf>) -> anyhow::Result<ExitCode> {
    let toolbox = toolbox(true);
    if folders.is_empty() {
        return build_repository(&toolbox).await;
    }
    for folder in folders {
        let project = Project::open(&folder)?;
        let component = build_project(&project, &toolbox).await?;
        let manifest = component.with_extension("toml");
        say(&format!("Built {} with {}.", component.display(), manifest.display()));
        check::warn_of_grants(&component);
    }
    Ok(ExitCode::SUCCESS)
}

/// Builds all that `plugins/` holds: the workspace's packages at once, everything else by itself. What needs
/// tools that are not here is told of and left as it is.
async fn build_repository(toolbox: &Toolbox) -> anyhow::Result<ExitCode> {
    let built = tokio::task::spawn_blocking(plugin_build::build_workspace).await??;
    for project in Project::all_in(&built.sources) {
        if built.names.contains(&project.name) {
            continue;
        }
        match build_into(&project, &built.output, toolbox).await {
            Ok(_) => plugin_build::note_installed(&built.output, &project.name)
                .with_context(|| format!("cannot write into {}", built.output.display()))?,
            Err(BuildError::Missing(absence)) => say(&format!("{} is not built. {absence}", project.name)),
            Err(error) => return Err(error.told(format!("{} does not build", project.name))),
        }
    }
    say(&format!("The plugins are in {}.", built.output.display()));
    Ok(ExitCode::SUCCESS)
}

/// The tools of the command line, which end with it.
pub(super) fn toolbox(echo: bool) -> Toolbox {
    let cache = config::cache_dir().unwrap_or_else(|| PathBuf::from(".maro/cache")).join("tools");
    Toolbox { cache, echo, stop: CancellationToken::new() }
}

/// Builds a project into its own `build/`; the path of the component.
pub(super) async fn build_project(project: &Project, toolbox: &Toolbox) -> anyhow::Result<PathBuf> {
    let output = project.build_dir();
    build_into(project, &output, toolbox)
        .await
        .map_err(|error| error.told(format!("{} does not build", project.name)))
}

/// Builds a project and puts `NAME.wasm` and `NAME.toml` into the folder `output`; the path of the first.
///
/// # Errors
/// As [`BuildError`] says.
pub(super) async fn build_into(
    project: &Project,
    output: &Path,
    toolbox: &Toolbox,
) -> Result<PathBuf, BuildError> {
    let component = match project.language {
        Language::Rust => rust::build(project, toolbox).await?,
        Language::JavaScript | Language::Python => interpreted::build(project, toolbox).await?,
    };
    let (manifest, output) = (project.manifest(), output.to_owned());
    let name = project.name.clone();
    let installing = tokio::task::spawn_blocking(move || {
        std::fs::create_dir_all(&output)?;
        plugin_build::install(&component, &manifest, &output, &name)?;
        Ok(output.join(format!("{name}.wasm")))
    });
    let installed = installing.await.map_err(anyhow::Error::from).and_then(|installed| installed);
    installed.map_err(|error| BuildError::Missing(format!("{error:#}")))
}
