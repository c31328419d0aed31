//! Builds plugins in Python with componentize-py, which bundles them with an interpreter.

use std::{
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
};

use tokio::process::Command;

use crate::languages::{
    interpreted::{self, Bundler, Lock},
    project::Project,
    sources,
    stage::Stage,
    toolbox::{BuildError, Toolbox},
};

/// The version of componentize-py. A newer version may have a newer interpreter: test before raising it.
const VERSION: &str = "0.25.1";

/// Its wheels, with their hashes. There is nothing that they need.
const REQUIREMENTS: &str = include_str!("bundling/tools/requirements.txt");

/// The time zones for Python's `zoneinfo`, which looks for them in files that plugins don't have.
const ZONES: &str = include_str!("bundling/tools/time-zones.txt");

/// The folder within the tool's that they are in.
const ZONES_FOLDER: &str = "time-zones";

/// The generated modules with the interface's types, inside the build folder, for tests and editors.
pub(super) const BINDINGS: &str = "bindings";

/// The module that is built instead of the project's `plugin`, which it calls.
const ENTRY: &str = include_str!("bundling/entry.py");
const ENTRY_MODULE: &str = "maro_entry";

/// What that module does before and after it imports `plugin`, while the component is built.
const PREPARATION: &str = include_str!("bundling/build.py");
const PREPARATION_MODULE: &str = "maro_build.py";

/// What is around the notes to the author, in a component's memory.
const NOTES: [&str; 2] = ["<maro-notes>", "</maro-notes>"];

pub(super) const PYTHON_MISSING: &str = "Plugins in Python need Python 3.10 or newer with venv and pip, but python3 or one of \
                              these wasn't found. Install it from https://python.org, or on Debian with \
                              `apt install python3-venv`.";

/// Builds projects with it.
pub(super) const BUNDLER: Bundler = Bundler {
    recipe,
    bundle: |project, stage, component, toolbox| Box::pin(build(project, stage, component, toolbox)),
};

/// Builds a project into `component`. Returns what its author should know.
///
/// # Errors
/// Python is missing, or what the tools said.
async fn build(
    project: &Project,
    stage: &Stage,
    component: &Path,
    toolbox: &Toolbox,
) -> Result<Vec<String>, BuildError> {
    let folder = install(toolbox).await?;
    let tool = program(&folder);
    let command = |subcommand: &str| {
        let mut command = Command::new(&tool);
        command.current_dir(&stage.project).arg("--wit-path").arg(&stage.wit);
        command.args(["--world", interpreted::WORLD, "--quiet", subcommand]);
        // The tool's own stack trace would bury the source line that it complains about.
        command.env("RUST_BACKTRACE", "0");
        command
    };
    let bindings = project.build_dir().join(BINDINGS);
    let _ = fs::remove_dir_all(&bindings);
    let mut bind = command("bindings");
    bind.arg(&bindings);
    toolbox.run(bind, PYTHON_MISSING).await?;
    let entry = stage.root.join("entry");
    // The environment has no packages, so that those installed on this machine make no difference.
    let environment = stage.root.join("environment");
    fs::create_dir_all(&entry)
        .and_then(|()| fs::create_dir_all(environment.join("lib/python3/site-packages")))
        .and_then(|()| fs::write(entry.join(ENTRY_MODULE).with_extension("py"), ENTRY))
        .and_then(|()| fs::write(entry.join(PREPARATION_MODULE), PREPARATION))
        .map_err(BuildError::file("can't write to the build folder"))?;
    let mut componentize = command("componentize");
    componentize.env("VIRTUAL_ENV", environment).args(["--python-path", ".", "--python-path"]).arg(entry);
    if let Some(shared) = &stage.shared {
        componentize.arg("--python-path").arg(shared);
    }
    componentize.arg("--python-path").arg(folder.join(ZONES_FOLDER));
    componentize.args([ENTRY_MODULE, "--output"]).arg(component);
    let built = toolbox.componentize(componentize, PYTHON_MISSING).await;
    built.map_err(|error| error.explained(|said| explanation(said, &project.folder), toolbox))?;
    Ok(notes(&fs::read(component).map_err(BuildError::file("can't read the component"))?))
}

/// What a component's preparation noted for the author. There is no other way out of a build that succeeds.
fn notes(component: &[u8]) -> Vec<String> {
    let find = |bytes: &[u8], mark: &str| bytes.windows(mark.len()).position(|part| part == mark.as_bytes());
    let noted = find(component, NOTES[0]).and_then(|start| {
        let rest = &component[start + NOTES[0].len()..];
        Some(String::from_utf8_lossy(&rest[..find(rest, NOTES[1])?]).into_owned())
    });
    noted.unwrap_or_default().lines().map(str::to_owned).collect()
}

/// Modules that need a network, and parts of Python that nothing is behind here.
const NETWORK: [&str; 6] = ["ssl", "_ssl", "requests", "httpx", "aiohttp", "urllib3"];
const ABSENT: [&str; 10] =
    ["ctypes", "curses", "fcntl", "grp", "lzma", "bz2", "pwd", "readline", "termios", "tkinter"];

/// What an author can do about some of the tool's messages.
fn explanation(said: &str, project: &Path) -> Option<String> {
    if let Some(module) = said.rsplit("No module named '").next().filter(|rest| rest.len() < said.len()) {
        let module = module.split(['\'', '.']).next().unwrap_or(module);
        if let Some(folder) = sources::reserved(project, module) {
            return Some(interpreted::in_a_reserved_folder(folder));
        }
        if NETWORK.contains(&module) {
            return Some(format!(
                "Plugins have no sockets, so {module} can't work. For requests, use MARO's `http` \
                 (`from wit_world.imports import http`)."
            ));
        }
        if ABSENT.contains(&module.trim_start_matches('_')) {
            return Some(format!(
                "{module} needs an operating system, which plugins don't have: don't use it."
            ));
        }
        return Some(format!(
            "Plugins can import Python's own modules and the project's files, but not packages installed on this \
             machine. To add one, run `pip install --target . {module}` in the project's folder. It must be pure Python."
        ));
    }
    let (name, after) = said.split("cannot import name '").nth(1)?.split_once('\'')?;
    after
        .starts_with(" from 'wit_world.imports'")
        .then(|| interpreted::not_in_the_world(&name.replace('_', "-")))
}

/// Everything but the sources that a component depends on.
fn recipe() -> String {
    [&*tool(), REQUIREMENTS, ZONES, PREPARATION, ENTRY].concat()
}

fn tool() -> String {
    format!("componentize-py-{VERSION}")
}

/// The program within the tool's folder.
fn program(folder: &Path) -> PathBuf {
    folder.join("bin/componentize-py")
}

/// Returns the tool's folder.
async fn install(toolbox: &Toolbox) -> Result<PathBuf, BuildError> {
    let folder = toolbox.cache.join(tool());
    let program = program(&folder);
    // A Python that was updated or removed since takes the tools along.
    if answer(&program, toolbox).await.is_err() {
        interpreted::forget(&folder);
    }
    let fetching = async {
        let mut venv = Command::new("python3");
        venv.args(["-m", "venv", "--clear"]).arg(&folder);
        toolbox.run(venv, PYTHON_MISSING).await.map_err(|error| match error {
            BuildError::Failed { .. } => BuildError::Missing(PYTHON_MISSING.to_owned()),
            error => error,
        })?;
        pip(&folder, REQUIREMENTS, &[], toolbox).await?;
        let zones = folder.join(ZONES_FOLDER);
        pip(&folder, ZONES, &["--target".as_ref(), zones.as_os_str()], toolbox).await
    };
    let lock = Lock { text: &[REQUIREMENTS, ZONES].concat(), size: "70 MB" };
    interpreted::fetch_once(toolbox, &folder, &lock, fetching, answer(&program, toolbox)).await?;
    Ok(folder)
}

/// Installs what has these hashes into the tool's environment, or where `more` says.
async fn pip(
    folder: &Path,
    requirements: &str,
    more: &[&OsStr],
    toolbox: &Toolbox,
) -> Result<(), BuildError> {
    let list = folder.join("requirements.txt");
    fs::write(&list, requirements).map_err(interpreted::cannot_write(folder))?;
    let mut pip = Command::new(folder.join("bin/python"));
    // Isolated from what PYTHON… says; `--no-user` is stronger than people's own pip.conf.
    pip.args(["-I", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-user"]);
    // A source archive would run code of its own, and has no hash here.
    pip.args(["--require-hashes", "--only-binary", ":all:"]).args(more).arg("--requirement").arg(list);
    toolbox.run(pip, PYTHON_MISSING).await.map(drop)
}

/// Hears from the tool. It takes some 30 ms.
async fn answer(program: &Path, toolbox: &Toolbox) -> Result<(), BuildError> {
    let mut command = Command::new(program);
    command.arg("--version");
    toolbox.silent().run(command, PYTHON_MISSING).await.map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_component_noted_is_found_in_it() {
        let component = b"\0asm..<maro-notes>plugin.py:5: one\nplugin.py:7: two</maro-notes>\0\0";
        assert_eq!(notes(component), ["plugin.py:5: one", "plugin.py:7: two"]);
        assert!(notes(b"\0asm<maro-notes></maro-notes>").is_empty() && notes(b"\0asm").is_empty());
    }

    #[test]
    fn a_module_that_cannot_be_there_is_told_with_what_can() {
        let folder = tempfile::tempdir().unwrap();
        let explanation = |said: &str| explanation(said, folder.path());
        let ssl = explanation("ModuleNotFoundError: No module named '_ssl'").unwrap();
        assert!(ssl.contains("use MARO's `http`") && !ssl.contains("pip install"), "{ssl}");
        assert!(explanation("No module named '_ctypes'").unwrap().contains("don't use it"));
        assert!(explanation("No module named 'yaml'").unwrap().contains("pip install --target . yaml"));
        assert_eq!(explanation("SyntaxError: invalid syntax"), None);
        fs::create_dir(folder.path().join("cases")).unwrap();
        let cases = "No module named 'cases'";
        assert!(explanation(cases).unwrap().contains("pip install"), "it's of somebody else");
        fs::write(folder.path().join("cases/__init__.py"), "").unwrap();
        assert!(explanation(cases).unwrap().starts_with("cases/ is MARO's own folder"));
    }

    #[test]
    fn the_tool_is_locked_by_the_hashes_of_its_wheels() {
        assert!(REQUIREMENTS.contains(&format!("\ncomponentize-py=={VERSION} ")), "{REQUIREMENTS}");
        assert_eq!(REQUIREMENTS.matches("--hash=sha256:").count(), 5);
    }
}
