//! `maro plugin list`: lists the plugins in a folder.

use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context as _, bail};

use crate::{
    output::{say, size},
    tryout::single_plugin,
};

/// The folder that this repository's plugins are built into, and a bot's default plugins folder.
const FOLDERS: [&str; 2] = ["target/plugins", "plugins"];

pub(crate) async fn run(dir: Option<PathBuf>) -> anyhow::Result<ExitCode> {
    let dir = match dir {
        Some(dir) => dir,
        None => default_folder().context("no plugins folder found here: name one")?,
    };
    if !dir.is_dir() {
        bail!("{} isn't a folder", dir.display());
    }
    let plugins = single_plugin::registry(&dir)?.load().await?;
    for plugin in plugins.all() {
        let described = plugin.description();
        let grants: Vec<_> = plugin.manifest().grants.iter().map(|grant| grant.as_str()).collect();
        let bytes = fs::metadata(dir.join(format!("{}.wasm", plugin.name()))).map_or(0, |file| file.len());
        say(&format!(
            "/maro {} {} ({}, {}): {}. Granted: {}.",
            described.name,
            described.version,
            &plugin.digest()[..12],
            size(usize::try_from(bytes).unwrap_or(usize::MAX)),
            described.summary,
            if grants.is_empty() { "only log".to_owned() } else { grants.join(", ") },
        ));
    }
    for refusal in &plugins.refused {
        say(&format!("✗ {} couldn't be loaded: {}.", refusal.file, refusal.reason));
    }
    let refused = !plugins.refused.is_empty();
    if !refused && plugins.all().next().is_none() {
        say(&format!("There are no plugins in {}.", dir.display()));
    }
    Ok(if refused { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn default_folder() -> Option<PathBuf> {
    let is_one = |dir: &&&str| {
        let files = fs::read_dir(Path::new(**dir)).into_iter().flatten().flatten();
        files.into_iter().any(|file| file.path().extension().is_some_and(|extension| extension == "wasm"))
    };
    FOLDERS.iter().find(is_one).map(PathBuf::from)
}
