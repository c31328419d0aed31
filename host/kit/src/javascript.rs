//! Building plugins in JavaScript: with componentize-js, which puts them beside an interpreter.

use std::path::{Path, PathBuf};

use tokio::process::Command;

use crate::{
    interpreted::{self, Lock},
    project::{Project, repository},
    toolbox::{BuildError, Toolbox},
};

/// The package's version. A newer one may come with a newer interpreter: try before raising it.
const VERSION: &str = "0.23.0";

/// The package and all that it needs, with their hashes. It imports one that it does not ask for,
/// preview2-shim, which therefore stands beside it.
const PACKAGE: &str = include_str!("templates/tools/package.json");
const PACKAGE_LOCK: &str = include_str!("templates/tools/package-lock.json");

/// Calls the package, whose own command line does not take a world among others.
const SCRIPT: &str = include_str!("templates/componentize.mjs");

/// What is built in place of the project's own `plugin.js`, which it calls.
const ENTRY: &str = include_str!("templates/entry.js");

const NODE_MISSING: &str = "Plugins in JavaScript need Node.js 20 or newer, and node or npm is not there: https://nodejs.org has it.";

/// Builds a project into `component`.
///
/// # Errors
/// Node.js is missing, or what the tools said.
pub(super) async fn build(
    project: &Project,
    wit: &Path,
    component: &Path,
    toolbox: &Toolbox,
) -> Result<(), BuildError> {
    let tool = install(toolbox).await?;
    let entry = project.build_dir().join("entry.js");
    std::fs::write(&entry, ENTRY).map_err(BuildError::file("the build folder cannot be written"))?;
    let mut node = Command::new("node");
    // Imports are resolved within the working folder alone, and the examples import what the repository has.
    let root = project.shared().and_then(|_| repository(&project.folder));
    node.current_dir(root.as_ref().unwrap_or(&project.folder)).arg(tool.join("componentize.mjs"));
    node.arg(entry).arg(wit).args([interpreted::WORLD]).arg(component);
    let built = toolbox.componentize(node, NODE_MISSING).await.map(drop);
    built.map_err(|error| error.explained(explanation, toolbox))
}

/// What an author can do about some of the tool's sentences.
fn explanation(said: &str) -> Option<String> {
    let between =
        |before: &str, after: &str| Some(said.split(before).nth(1)?.split(after).next()?.to_owned());
    if let Some(interface) = between("Error loading module \"maro:plugin/", "\"") {
        return Some(interpreted::not_in_the_world(&interface));
    }
    if let Some(module) = between("Error loading module \"", "\"").filter(|module| !is_path(module)) {
        return Some(format!(
            "Packages are not looked up, and a plugin has no modules of Node.js: copy {module}'s files into the \
             project and import them by their path (`'./{file}.js'`), or let a bundler write plugin.js.",
            file = module.rsplit(['/', ':']).next().unwrap_or(&module),
        ));
    }
    if said.contains("attempted to call an unknown imported function: 'wasi:") {
        return Some(
            "What stands outside `describe` and `run` is run once, while the plugin is built, where there is \
             neither chance nor a timer nor a host: move Math.random(), crypto and the like into a function that \
             `run` calls."
                .to_owned(),
        );
    }
    let function = between("doesn't provide an export named: '", "'")?;
    Some(format!(
        "No interface that it is imported from has {function}: wit/deps/maro-plugin has the functions, and in \
         JavaScript `list-keys` is `listKeys`."
    ))
}

/// Whether an import names a file of the project.
fn is_path(module: &str) -> bool {
    module.starts_with(['.', '/']) || module.ends_with(".js") && module.contains('/')
}

/// What an author can do about a test that imports what only a host has.
fn explanation_of_tests(said: &str) -> Option<String> {
    said.contains("protocol 'maro:'").then(|| {
        interpreted::only_on_a_host(
            "What plugin.js imports from maro:plugin",
            "answer.js and answer.test.js are",
        )
    })
}

/// Runs the project's own tests; whether there are any.
///
/// # Errors
/// What the tests said.
pub(super) async fn test(project: &Project, toolbox: &Toolbox) -> Result<bool, BuildError> {
    let mut node = Command::new("node");
    node.current_dir(&project.folder).arg("--test");
    let tested = toolbox.run_tests(node, NODE_MISSING).await;
    let said = tested.map_err(|error| error.explained(explanation_of_tests, toolbox))?;
    // One line of its summary, after a sign.
    Ok(!said.lines().any(|line| line.ends_with(" tests 0")))
}

/// What a component is made with beside its sources.
pub(super) fn recipe() -> String {
    [&*tool(), PACKAGE_LOCK, SCRIPT, ENTRY].concat()
}

fn tool() -> String {
    format!("componentize-js-{VERSION}")
}

async fn install(toolbox: &Toolbox) -> Result<PathBuf, BuildError> {
    let folder = toolbox.cache.join(tool());
    let fetching = async {
        std::fs::write(folder.join("package.json"), PACKAGE)
            .and_then(|()| std::fs::write(folder.join("package-lock.json"), PACKAGE_LOCK))
            .map_err(BuildError::file("the tools' folder cannot be written"))?;
        let mut npm = Command::new("npm");
        npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel", "error"]);
        npm.arg("--prefix").arg(&folder);
        toolbox.run(npm, NODE_MISSING).await.map(drop)
    };
    let lock = Lock { text: PACKAGE_LOCK, size: "400 MB" };
    interpreted::fetch_once(toolbox, &folder, &lock, fetching).await?;
    std::fs::write(folder.join("componentize.mjs"), SCRIPT)
        .map_err(BuildError::file("the tools' folder cannot be written"))?;
    Ok(folder)
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

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
