//! Building plugins in Python: with componentize-py, which puts them beside an interpreter.

use std::path::{Path, PathBuf};

use tokio::process::Command;

use crate::cli::plugin::{
    interpreted,
    project::Project,
    toolbox::{BuildError, Toolbox},
};

/// The version of componentize-py. A newer one may come with a newer interpreter: try before raising it.
const VERSION: &str = "0.25.1";

/// The generated modules with the interface's types, inside the build folder, for tests and editors.
const BINDINGS: &str = "bindings";

/// What its tests say if there are none.
const NO_TESTS: &str = "Ran 0 tests";

const PYTHON_MISSING: &str = "Plugins in Python need Python 3.10 or newer with venv and pip, and python3 is not \
                              there or lacks them: https://python.org has it, on Debian `apt install python3-venv`.";

/// Builds a project into `component`.
///
/// # Errors
/// Python is missing, or what the tools said.
pub(super) async fn build(
    project: &Project,
    wit: &Path,
    component: &Path,
    toolbox: &Toolbox,
) -> Result<(), BuildError> {
    let tool = install(toolbox).await?;
    let command = |subcommand: &str| {
        let mut command = Command::new(&tool);
        command.current_dir(&project.folder).arg("--wit-path").arg(wit);
        command.args(["--world", interpreted::WORLD, "--quiet", subcommand]);
        // The tool's own stack would bury the line of the source that it complains of.
        command.env("RUST_BACKTRACE", "0");
        command
    };
    let bindings = project.build_dir().join(BINDINGS);
    let _ = std::fs::remove_dir_all(&bindings);
    let mut bind = command("bindings");
    bind.arg(&bindings);
    toolbox.run(bind, PYTHON_MISSING).await?;
    let mut componentize = command("componentize");
    componentize.args(["plugin", "--output"]).arg(component);
    let built = toolbox.componentize(componentize, PYTHON_MISSING).await.map(drop);
    built.map_err(|error| error.explained(explanation, toolbox))
}

/// What an author can do about one of the tool's sentences.
fn explanation(said: &str) -> Option<String> {
    let (name, after) = said.split("cannot import name '").nth(1)?.split_once('\'')?;
    after
        .starts_with(" from 'wit_world.imports'")
        .then(|| interpreted::not_in_the_world(&name.replace('_', "-")))
}

/// Runs the project's own tests, which find the interface's types where the build has put them; whether there
/// are any.
///
/// # Errors
/// What the tests said.
pub(super) async fn test(project: &Project, toolbox: &Toolbox) -> Result<bool, BuildError> {
    let mut python = Command::new("python3");
    python.current_dir(&project.folder).args(["-m", "unittest", "-q"]);
    python.env("PYTHONPATH", project.build_dir().join(BINDINGS)).env("PYTHONDONTWRITEBYTECODE", "1");
    match toolbox.run_tests(python, PYTHON_MISSING).await {
        Ok(said) => Ok(!said.contains(NO_TESTS)),
        // Newer versions take that for a failure.
        Err(BuildError::Failed { output, .. }) if output.contains(NO_TESTS) => Ok(false),
        Err(error) => Err(error),
    }
}

/// What tells one build of the tools from another.
pub(super) fn version() -> String {
    format!("componentize-py-{VERSION}")
}

async fn install(toolbox: &Toolbox) -> Result<PathBuf, BuildError> {
    let folder = toolbox.cache.join(version());
    let fetching = async {
        let mut venv = Command::new("python3");
        venv.args(["-m", "venv", "--clear"]).arg(&folder);
        toolbox.run(venv, PYTHON_MISSING).await.map_err(|error| match error {
            BuildError::Failed { .. } => BuildError::Missing(PYTHON_MISSING.to_owned()),
            error => error,
        })?;
        let mut pip = Command::new(folder.join("bin/python"));
        pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]);
        pip.arg(format!("componentize-py=={VERSION}"));
        toolbox.run(pip, PYTHON_MISSING).await.map(drop)
    };
    interpreted::fetch_once(toolbox, &folder, "70 MB", fetching).await?;
    Ok(folder.join("bin/componentize-py"))
}
