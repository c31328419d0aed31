//! From a project, or from a file, to a component.

use std::path::{self, Path, PathBuf};

use anyhow::bail;
use tokio_util::sync::CancellationToken;

use crate::{
    languages::{
        project::{Language, Project},
        toolbox::{BuildError, Toolbox},
    },
    repository,
};
use maro_bot::config;

/// The component that an argument names: the file itself, or what a project is built into. What its tools say is shown
/// while they run (`echo`), or else part of the error.
pub(crate) async fn component(argument: &Path, echo: bool) -> anyhow::Result<PathBuf> {
    if argument.is_dir() {
        return build_project(&Project::open(argument)?, &toolbox(echo)).await;
    }
    if !argument.is_file() {
        bail!("{} is neither a component nor a project folder", argument.display());
    }
    Ok(argument.to_owned())
}

/// The toolbox of the command line. Its tools end when the program ends.
pub fn toolbox(echo: bool) -> Toolbox {
    let cache = config::load::cache_dir().unwrap_or_else(|| PathBuf::from(".maro/cache")).join("tools");
    // Tools run in other folders.
    let cache = path::absolute(&cache).unwrap_or(cache);
    Toolbox { cache, echo, stop: CancellationToken::new() }
}

/// Builds a project into its own `build/`. Returns the component's path.
pub(crate) async fn build_project(project: &Project, toolbox: &Toolbox) -> anyhow::Result<PathBuf> {
    let output = project.build_dir();
    build_into(project, &output, toolbox)
        .await
        .map_err(|error| error.told(format!("{} failed to build", project.name)))
}

/// Builds a project and puts `NAME.wasm` and `NAME.toml` into the folder `output`. Returns the path of
/// `NAME.wasm`.
///
/// # Errors
/// As [`BuildError`] says.
pub async fn build_into(project: &Project, output: &Path, toolbox: &Toolbox) -> Result<PathBuf, BuildError> {
    let others: Vec<_> =
        Language::all_in(&project.folder).into_iter().skip(1).map(Language::marker).collect();
    if !others.is_empty() {
        let (own, others) = (project.language.marker(), others.join(" and "));
        toolbox.say(&format!("{own} is what {} is built from; {others} doesn't count.", project.name));
    }
    let component = (project.language.toolchain().build)(project, toolbox).await?;
    let (manifest, output) = (project.manifest(), output.to_owned());
    let name = project.name.clone();
    let installing = tokio::task::spawn_blocking(move || {
        std::fs::create_dir_all(&output)?;
        repository::install(&component, &manifest, &output, &name)?;
        Ok(output.join(format!("{name}.wasm")))
    });
    let installed = installing.await.map_err(anyhow::Error::from).and_then(|installed| installed);
    installed.map_err(|error| BuildError::Missing(format!("{error:#}")))
}
