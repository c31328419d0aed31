//! Builds plugins in JavaScript with componentize-js, which bundles them with an interpreter.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use tokio::process::Command;

use crate::languages::{
    embedded::DEPENDENCY,
    interpreted::{self, Bundler, Lock},
    js_type_checks,
    project::Project,
    sources,
    stage::Stage,
    toolbox::{BuildError, Toolbox},
};

/// The package's version. A newer version may have a newer interpreter: test before raising it.
const VERSION: &str = "0.23.0";

/// The package and all that it needs, with their hashes. It imports one that it does not ask for,
/// preview2-shim, which therefore stands beside it.
const PACKAGE: &str = include_str!("bundling/tools/package.json");
const PACKAGE_LOCK: &str = include_str!("bundling/tools/package-lock.json");

/// Calls the package. Its own command line can't pick one world among several.
const SCRIPT: &str = include_str!("bundling/componentize.mjs");

/// What the script can take over from earlier builds.
const SHORTCUTS: &str = include_str!("bundling/shortcuts.mjs");

/// The module that is built instead of the project's `plugin.js`, which it calls.
const ENTRY: &str = include_str!("bundling/entry.js");

/// Says which promises fail that nobody waits for.
const LEFT_ALONE: &str = include_str!("bundling/left_alone.js");

/// Holds values against the interface's types, which `shapes` writes into a module beside it.
const FITS: &str = include_str!("bundling/fits.js");

/// How a line begins that is for the author.
const NOTE: &str = "maro-note: ";

pub(super) const NODE_MISSING: &str = "Plugins in JavaScript need Node.js 20 or newer, but node or npm wasn't found. Install it from https://nodejs.org.";

/// Builds projects with it.
pub(super) const BUNDLER: Bundler = Bundler {
    recipe,
    bundle: |project, stage, component, toolbox| Box::pin(build(project, stage, component, toolbox)),
};

/// Builds a project into `component`. Returns what its author should know.
///
/// # Errors
/// Node.js is missing, or what the tools said.
async fn build(
    project: &Project,
    stage: &Stage,
    component: &Path,
    toolbox: &Toolbox,
) -> Result<Vec<String>, BuildError> {
    let tool = install(toolbox).await?;
    keep_names_apart(&stage.wit.join(DEPENDENCY)).map_err(BuildError::file("can't prepare the interface"))?;
    let folder = stage.project.join("build");
    let entry = folder.join("entry.js");
    fs::create_dir_all(&folder)
        .and_then(|()| fs::write(&entry, ENTRY))
        .and_then(|()| fs::write(folder.join("left_alone.js"), LEFT_ALONE))
        .and_then(|()| fs::write(folder.join("fits.js"), FITS))
        .and_then(|()| fs::write(folder.join("interface.js"), js_type_checks::module(&stage.wit)))
        .map_err(BuildError::file("can't write to the build folder"))?;
    let mut node = Command::new("node");
    // Imports are resolved within the working folder alone.
    node.current_dir(&stage.root).arg(tool.join("componentize.mjs"));
    node.arg(&stage.project).arg(entry).arg(&stage.wit).args([interpreted::WORLD]).arg(component);
    let built = toolbox.componentize(node, NODE_MISSING).await;
    let said = built.map_err(|error| error.explained(|said| explanation(said, &project.folder), toolbox))?;
    Ok(said.lines().filter_map(|line| line.strip_prefix(NOTE)).map(str::to_owned).collect())
}

/// The tool takes the type `lookup` and the function `look-up` for one name. In the interface that it sees, the type has
/// another: a host knows types by what they are made of.
fn keep_names_apart(interface: &Path) -> io::Result<()> {
    let path = interface.join("jira.wit");
    let text = match fs::read_to_string(&path) {
        Ok(text) if text.contains(" look-up:") => text,
        Ok(_) => return Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    let renamed =
        text.replace("variant lookup {", "variant lookup-answer {").replace("<lookup>", "<lookup-answer>");
    fs::write(&path, renamed)
}

/// What an author can do about some of the tool's messages.
fn explanation(said: &str, project: &Path) -> Option<String> {
    let between =
        |before: &str, after: &str| Some(said.split(before).nth(1)?.split(after).next()?.to_owned());
    if let Some(interface) = between("Error loading module \"maro:plugin/", "\"") {
        return Some(interpreted::not_in_the_world(&interface));
    }
    let folder = between("(resolved path \"", "/");
    if let Some(folder) = folder.and_then(|folder| sources::reserved(project, &folder)) {
        return Some(interpreted::in_a_reserved_folder(folder));
    }
    if let Some(module) = between("Error loading module \"", "\"").filter(|module| !is_path(module)) {
        return Some(format!(
            "Plugins can't import packages or Node.js modules. Copy {module}'s files into the project and import them \
             by path (`'./{file}.js'`), or let a bundler write plugin.js.",
            file = module.rsplit(['/', ':']).next().unwrap_or(&module),
        ));
    }
    if said.contains("attempted to call an unknown imported function: 'wasi:") {
        return Some(
            "Code outside `describe` and `run` runs once, while the plugin is built. Randomness, timers and the host \
             are unavailable then: move Math.random(), crypto and the like into a function that `run` calls."
                .to_owned(),
        );
    }
    let function = between("doesn't provide an export named: '", "'")?;
    if let Some(file) = between("The requested module '", "'").filter(|module| module.ends_with(".js")) {
        return Some(format!(
            "{file} has no export called {function}. What it has stands after `export` there."
        ));
    }
    Some(format!(
        "{function} isn't in the interface that it is imported from. See wit/deps/maro-plugin for the functions; in \
         JavaScript, `list-keys` is `listKeys`."
    ))
}

/// Whether an import names a file in the project.
fn is_path(module: &str) -> bool {
    module.starts_with(['.', '/']) || module.ends_with(".js") && module.contains('/')
}

/// Everything but the sources that a component depends on.
fn recipe() -> String {
    [&*tool(), PACKAGE_LOCK, SCRIPT, SHORTCUTS, ENTRY, LEFT_ALONE, FITS].concat()
}

fn tool() -> String {
    format!("componentize-js-{VERSION}")
}

async fn install(toolbox: &Toolbox) -> Result<PathBuf, BuildError> {
    let folder = toolbox.cache.join(tool());
    let cannot_write = || interpreted::cannot_write(&folder);
    let fetching = async {
        fs::write(folder.join("package.json"), PACKAGE)
            .and_then(|()| fs::write(folder.join("package-lock.json"), PACKAGE_LOCK))
            .map_err(cannot_write())?;
        let mut npm = Command::new("npm");
        npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel", "error"]);
        // Stronger than what people's own .npmrc leaves out or puts elsewhere.
        npm.args(["--include", "prod", "--include", "optional", "--no-global", "--no-dry-run"]);
        npm.arg("--prefix").arg(&folder);
        toolbox.run(npm, NODE_MISSING).await.map(drop)
    };
    let answering = async {
        write_scripts(&folder).map_err(cannot_write())?;
        let mut node = Command::new("node");
        node.arg(folder.join("componentize.mjs")).arg("--version");
        toolbox.run(node, NODE_MISSING).await.map(drop)
    };
    let lock = Lock { text: PACKAGE_LOCK, size: "400 MB" };
    interpreted::fetch_once(toolbox, &folder, &lock, fetching, answering).await?;
    write_scripts(&folder).map_err(cannot_write())?;
    Ok(folder)
}

fn write_scripts(folder: &Path) -> io::Result<()> {
    fs::write(folder.join("shortcuts.mjs"), SHORTCUTS)?;
    fs::write(folder.join("componentize.mjs"), SCRIPT)
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::languages::embedded;

    #[test]
    fn of_two_names_that_the_tool_confuses_one_is_changed() {
        let wit = embedded::wit();
        let (_, jira) = wit.iter().find(|(path, _)| path.ends_with("jira.wit")).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let seen = folder.path().join("jira.wit");
        fs::write(&seen, jira).unwrap();
        keep_names_apart(folder.path()).unwrap();
        let seen = fs::read_to_string(seen).unwrap();
        let changed = jira.lines().zip(seen.lines()).filter(|(before, after)| before != after);
        let changed: Vec<_> = changed.map(|(_, after)| after.trim()).collect();
        assert_eq!(
            changed,
            [
                "variant lookup-answer {",
                "get-issues: func(keys: list<issue-key>) -> result<list<lookup-answer>, jira-error>;",
            ]
        );
    }

    #[test]
    fn every_package_is_locked_by_its_hash_and_no_host() {
        let lock: Value = serde_json::from_str(PACKAGE_LOCK).unwrap();
        let packages = lock["packages"].as_object().unwrap();
        let own = &packages["node_modules/@bytecodealliance/componentize-js"];
        assert_eq!(own["version"], VERSION);
        for (name, package) in packages.iter().filter(|(name, _)| !name.is_empty()) {
            assert!(package["integrity"].as_str().is_some_and(|hash| hash.starts_with("sha512-")), "{name}");
        }
        assert!(!PACKAGE_LOCK.contains("://"), "a registry is whichever npm is set to");
    }
}
