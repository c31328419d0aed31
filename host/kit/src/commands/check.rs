//! `maro plugin check`: what a component is, what it needs, and whether it would load.

use std::{ffi::OsStr, fmt::Write as _, fs, path::Path, process::ExitCode};

use anyhow::Context as _;

use crate::{
    bench::{
        contract::{self, Contract},
        single_plugin::{self, SinglePlugin},
    },
    languages::{component::component, project::MANIFEST},
    output::{say, size},
};
use maro_runtime::{
    inspection::preflight,
    loading::loader::MAX_SUMMARY_LENGTH,
    policy::{admission, grants::Grant, manifest::Manifest},
    running::plugin::LoadedPlugin,
};

pub(crate) async fn run(argument: &Path) -> anyhow::Result<ExitCode> {
    let path = component(argument).await?;
    let wasm = fs::read(&path).with_context(|| format!("{} can't be read", path.display()))?;
    if let Err(problem) = preflight::inspect(&wasm) {
        say(&format!("{}: {problem}.", path.display()));
        return Ok(ExitCode::FAILURE);
    }
    let contract = contract::read(&wasm)?;
    let single = SinglePlugin::set_up(&path)?;
    single.warn_of_compiling();
    let loaded = if contract.mismatches.is_empty() { Some(single.load().await) } else { None };
    let mut problems = contract.mismatches.clone();
    let mut text = String::new();
    match &loaded {
        Some(Ok(plugin)) => {
            describe(plugin, &mut text);
            problems.extend(single.name_problem(plugin));
        }
        Some(Err(error)) => problems.push(format!("{error:#}")),
        None => {}
    }
    inventory(&single, &contract, &mut text);
    problems.extend(grants_problem(&path, &manifest_name(argument, &path)));
    for problem in &problems {
        let _ = writeln!(text, "✗ {problem}.");
    }
    if problems.is_empty() {
        let _ = writeln!(text, "✓ This host accepts it.");
    }
    say(text.trim_end());
    Ok(if problems.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn describe(plugin: &LoadedPlugin, text: &mut String) {
    let described = plugin.description();
    let usage = if described.usage.is_empty() { String::new() } else { format!(" {}", described.usage) };
    let _ = writeln!(text, "/maro {}{usage}", described.name);
    let _ = writeln!(text, "{}", described.summary);
    // A longer summary was cut already, and one more character if there was a space before the ellipsis.
    if described.summary.chars().count() + 1 >= MAX_SUMMARY_LENGTH && described.summary.ends_with('…') {
        let _ = writeln!(
            text,
            "           (the summary was cut to the limit of {MAX_SUMMARY_LENGTH} characters)"
        );
    }
    let _ = writeln!(text, "version    {}", described.version);
    let _ = writeln!(text, "sha256     {}", plugin.digest());
}

fn inventory(single: &SinglePlugin, contract: &Contract, text: &mut String) {
    let _ = writeln!(text, "size       {}", size(single.bytes));
    let _ = writeln!(
        text,
        "interface  maro:plugin {} (this host has {})",
        contract.version,
        preflight::spoken_versions()
    );
    let grants: Vec<_> = single.grants.iter().map(|grant| format!("\"{grant}\"")).collect();
    let _ = writeln!(text, "needs      grants = [{}]", grants.join(", "));
    for (interface, functions) in &contract.imports {
        let _ = writeln!(text, "imports    {interface}: {}", functions.join(", "));
    }
    if contract.uses_wasi {
        let _ = writeln!(text, "           WASI, which is empty here");
        if single.reads_time && !single.grants.contains(&Grant::Clock) {
            let _ = writeln!(
                text,
                "           its clock, which stands at the start of 1970 unless `grants` has \"clock\""
            );
        }
    }
}

/// The file with a plugin's grants: the project's own, or the one next to a component.
fn manifest_name(argument: &Path, component: &Path) -> String {
    let beside = component.with_extension("toml");
    let name = if argument.is_dir() { OsStr::new(MANIFEST) } else { beside.file_name().unwrap_or_default() };
    name.to_string_lossy().into_owned()
}

/// What the manifest next to the component at `path` doesn't grant. `name` is the file that people edit.
fn grants_problem(path: &Path, name: &str) -> Option<String> {
    let manifest = match Manifest::parse(&fs::read_to_string(path.with_extension("toml")).unwrap_or_default())
    {
        Ok(manifest) => manifest,
        Err(problem) => return Some(format!("{name}: {problem}")),
    };
    let wishes = preflight::inspect(&fs::read(path).ok()?).ok()?;
    admission::check_grants(&wishes.grants, &manifest, name).err().map(|error| error.to_string())
}

/// Why a project's component wouldn't load, as far as that can be found out quickly: a component with an
/// interpreter isn't compiled just for this.
///
/// # Errors
/// The component can't be read.
pub(super) async fn problem(component: &Path) -> anyhow::Result<Option<String>> {
    let wasm = fs::read(component).with_context(|| format!("{} can't be read", component.display()))?;
    if let Err(problem) = preflight::inspect(&wasm) {
        return Ok(Some(problem.to_string()));
    }
    if let Some(mismatch) = contract::read(&wasm)?.mismatches.into_iter().next() {
        return Ok(Some(mismatch));
    }
    if !single_plugin::is_slow_to_load(&wasm) {
        let single = SinglePlugin::set_up(component)?;
        match single.load().await {
            Ok(plugin) => {
                if let Some(problem) = single.name_problem(&plugin) {
                    return Ok(Some(project_name_problem(&problem)));
                }
            }
            Err(error) => return Ok(Some(format!("{error:#}"))),
        }
    }
    Ok(grants_problem(component, MANIFEST))
}

/// The problem with the name of a project's component, which a build would only bring back.
fn project_name_problem(problem: &str) -> String {
    format!("{problem}; or rename the project's folder, after which the component is named")
}

/// Warns if a project's `plugin.toml` doesn't grant what its component needs.
pub(super) fn warn_of_grants(component: &Path) {
    if let Some(problem) = grants_problem(component, MANIFEST) {
        say(&format!("✗ This plugin won't load: {problem}."));
    }
}
