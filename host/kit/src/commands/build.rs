//! `maro plugin build`: turns projects in any language into components.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::Context as _;

use crate::{
    commands::check,
    languages::{
        component::{build_into, build_project, toolbox},
        project::{MANIFEST, Project, repository},
        toolbox::{BuildError, Toolbox},
    },
    output::{say, sentence},
    repository,
};

/// Builds each project into its own `build/`. Without arguments, builds this repository's plugins.
pub(crate) async fn run(folders: Vec<PathBuf>) -> anyhow::Result<ExitCode> {
    let toolbox = toolbox(true);
    let projects = if folders.is_empty() {
        let here = Path::new(".");
        match project_here(here)? {
            Some(project) => vec![project],
            None if repository(here).is_some() => return build_repository(&toolbox).await,
            None => vec![Project::open(here)?],
        }
    } else {
        folders.iter().map(|folder| Project::open(folder)).collect::<Result<_, _>>()?
    };
    let mut exit = ExitCode::SUCCESS;
    for project in projects {
        let component = build_project(&project, &toolbox).await?;
        let manifest = component.with_extension("toml");
        let with = match project.manifest().is_file() {
            true => format!("with {}", manifest.display()),
            false => format!("without grants because there is no {MANIFEST}"),
        };
        say(&format!("Built {}, {with}.", component.display()));
        if let Some(problem) = check::problem(&component).await? {
            say(&format!("✗ This plugin won't load: {}", sentence(&problem)));
            exit = ExitCode::FAILURE;
        }
    }
    Ok(exit)
}

/// The project in this very folder. This repository's root and its crates don't count.
fn project_here(folder: &Path) -> anyhow::Result<Option<Project>> {
    let is_outside = repository(folder).is_none();
    Ok(Project::find(folder)?.filter(|project| project.manifest().is_file() || is_outside))
}

/// Builds everything in `plugins/`: the workspace's packages all at once, everything else one by one. If a
/// tool is missing for a plugin, says so and leaves that plugin as it is.
async fn build_repository(toolbox: &Toolbox) -> anyhow::Result<ExitCode> {
    let built = repository::build(toolbox).await?;
    for project in Project::all_in(&built.sources) {
        if built.names.contains(&project.name) {
            continue;
        }
        match build_into(&project, &built.output, toolbox).await {
            Ok(_) => repository::note_installed(&built.output, &project.name)
                .with_context(|| format!("can't write to {}", built.output.display()))?,
            Err(BuildError::Missing(absence)) => say(&format!("{} wasn't built. {absence}", project.name)),
            Err(error) => return Err(error.told(format!("{} failed to build", project.name))),
        }
    }
    say(&format!("Built the plugins into {}.", built.output.display()));
    if let Some(optional) = repository::build_optional(toolbox).await? {
        say(&format!(
            "Built the optional plugins into {}. Each is off until its NAME.toml grants what it needs.",
            optional.display()
        ));
    }
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_projects_folder_is_built_and_a_crate_of_the_repository_is_not_taken_for_one() {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        assert_eq!(project_here(here).unwrap(), None);
        assert_eq!(project_here(&here.join("..")).unwrap(), None);
        assert_eq!(project_here(&here.join("../../plugins/track")).unwrap().unwrap().name, "track");
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(project_here(folder.path()).unwrap(), None);
        std::fs::write(folder.path().join("plugin.js"), "").unwrap();
        assert!(project_here(folder.path()).unwrap().is_some());
    }
}
