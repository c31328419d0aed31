//! `maro plugin check`: what a component is, what it needs, and whether it would load.

use std::{
    collections::BTreeMap,
    ffi::OsStr,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use crate::{
    languages::{
        component::component,
        project::{Language, MANIFEST, Project},
    },
    output::{say, sentence, size},
    tryout::{
        interface_diff,
        single_plugin::{self, SinglePlugin},
    },
};
use maro_runtime::{
    inspection::preflight::{self, PreflightError},
    loading::{folder, loader::MAX_SUMMARY_LENGTH},
    policy::{admission, grants::Grant, manifest::Manifest},
    running::plugin::LoadedPlugin,
};

#[derive(Debug, Args)]
pub struct CheckArguments {
    /// A component, or a project folder (which is built first)
    #[arg(default_value = ".", value_name = "FILE|PROJECT")]
    plugin: PathBuf,
    /// text for people, json for editors and CI
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    Json,
}

/// What there is to say about a component. Its names are those of `--format json`: fields are only ever added.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "kebab-case")]
struct Report {
    accepted: bool,
    /// Why the host wouldn't load it, a sentence without a full stop each.
    problems: Vec<String>,
    /// What would go wrong or be in vain although it loads, likewise.
    warnings: Vec<String>,
    file: Option<PathBuf>,
    name: Option<String>,
    usage: Option<String>,
    summary: Option<String>,
    summary_is_cut: bool,
    version: Option<String>,
    sha256: Option<String>,
    bytes: usize,
    /// The version of maro:plugin that it was built for, and those of this host.
    interface: Option<String>,
    host_interfaces: String,
    /// The grants that it needs.
    needs: Vec<String>,
    /// The functions that it calls, by interface.
    imports: BTreeMap<String, Vec<String>>,
    uses_wasi: bool,
    /// Whether its language asks for a time that isn't granted.
    clock_stands: bool,
}

pub(crate) async fn run(arguments: &CheckArguments) -> anyhow::Result<ExitCode> {
    let is_json = arguments.format == Format::Json;
    let report = match (report(&arguments.plugin, !is_json).await, is_json) {
        (Ok(report), _) => report,
        (Err(error), true) => Report { problems: vec![format!("{error:#}")], ..Report::default() },
        (Err(error), false) => return Err(error),
    };
    if is_json {
        say(&serde_json::to_string_pretty(&report)?);
    } else {
        say(told(&report).trim_end());
    }
    Ok(if report.accepted { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn report(argument: &Path, is_shown: bool) -> anyhow::Result<Report> {
    let path = component(argument, is_shown).await?;
    let wasm = fs::read(&path).with_context(|| format!("{} can't be read", path.display()))?;
    let mut report = Report {
        bytes: wasm.len(),
        sha256: Some(hex::encode(Sha256::digest(&wasm))),
        host_interfaces: preflight::spoken_versions(),
        ..Report::default()
    };
    let name = manifest_name(argument, &path);
    match preflight::inspect(&wasm) {
        Ok(wishes) => {
            let manifest = fs::read_to_string(path.with_extension("toml")).unwrap_or_default();
            if let Ok(manifest) = Manifest::parse(&manifest) {
                report.warnings = wishes.warnings(&manifest, &name);
            }
            report.inspect(&path, &wasm, is_shown).await?;
            let problem = manifest_problem(&path, &name).filter(|problem| !report.problems.contains(problem));
            report.problems.extend(problem);
        }
        Err(problem) => report.problems.push(with_hint(&problem, argument)),
    }
    // What the build noted, with file and line.
    let notes = fs::read_to_string(path.with_file_name("notes.txt")).ok().filter(|_| argument.is_dir());
    report.warnings.extend(notes.iter().flat_map(|notes| notes.lines()).map(without_stop));
    report.accepted = report.problems.is_empty();
    report.file = Some(path);
    Ok(report)
}

fn without_stop(line: &str) -> String {
    line.trim_end_matches('.').to_owned()
}

impl Report {
    async fn inspect(&mut self, path: &Path, wasm: &[u8], warn: bool) -> anyhow::Result<()> {
        let contract = interface_diff::read(wasm)?;
        self.interface = Some(contract.version);
        let single = match SinglePlugin::set_up(path) {
            Ok(single) => single,
            Err(problem) => {
                self.problems.push(format!("{problem:#}"));
                return Ok(());
            }
        };
        if warn {
            single.warn_of_compiling();
        }
        self.problems.clone_from(&contract.mismatches);
        if contract.mismatches.is_empty() {
            match single.load().await {
                Ok(plugin) => {
                    self.describe(&plugin);
                    self.problems.extend(single.name_problem(&plugin));
                }
                Err(error) => self.problems.push(format!("{error:#}")),
            }
        }
        self.needs = single.grants.iter().map(ToString::to_string).collect();
        self.imports = contract.imports.into_iter().collect();
        self.uses_wasi = contract.uses_wasi;
        self.clock_stands = single.reads_time && !single.grants.contains(&Grant::Clock);
        self.bytes = single.bytes;
        Ok(())
    }

    fn describe(&mut self, plugin: &LoadedPlugin) {
        let described = plugin.description();
        self.name = Some(described.name.to_string());
        self.usage = Some(described.usage.clone());
        self.version = Some(described.version.clone());
        // A longer summary was cut already, and one more character if there was a space before the ellipsis.
        self.summary_is_cut =
            described.summary.chars().count() + 1 >= MAX_SUMMARY_LENGTH && described.summary.ends_with('…');
        self.summary = Some(described.summary.clone());
    }
}

/// The report for people.
fn told(report: &Report) -> String {
    let mut text = String::new();
    if let Some(name) = &report.name {
        let usage = report.usage.as_deref().unwrap_or_default();
        let _ = writeln!(text, "{}", format!("/maro {name} {usage}").trim_end());
        let _ = writeln!(text, "{}", report.summary.as_deref().unwrap_or_default());
        if report.summary_is_cut {
            let _ = writeln!(
                text,
                "           (the summary was cut to the limit of {MAX_SUMMARY_LENGTH} characters)"
            );
        }
        let _ = writeln!(text, "version    {}", report.version.as_deref().unwrap_or_default());
        let _ = writeln!(text, "sha256     {}", report.sha256.as_deref().unwrap_or_default());
    }
    if let Some(version) = &report.interface {
        inventory(report, version, &mut text);
    }
    for warning in &report.warnings {
        let _ = writeln!(text, "! {warning}.");
    }
    for problem in &report.problems {
        let _ = writeln!(text, "✗ {}", sentence(problem));
    }
    if report.accepted {
        let _ = writeln!(text, "✓ This host accepts it.");
    }
    text
}

fn inventory(report: &Report, version: &str, text: &mut String) {
    let _ = writeln!(text, "size       {}", size(report.bytes));
    let _ = writeln!(text, "interface  maro:plugin {version} (this host has {})", report.host_interfaces);
    let grants: Vec<_> = report.needs.iter().map(|grant| format!("\"{grant}\"")).collect();
    let _ = writeln!(text, "needs      grants = [{}]", grants.join(", "));
    for (interface, functions) in &report.imports {
        let _ = writeln!(text, "imports    {interface}: {}", functions.join(", "));
    }
    if report.uses_wasi {
        let _ = writeln!(text, "           WASI, which is empty here");
    }
    if report.clock_stands {
        let _ = writeln!(
            text,
            "           its clock, which stands at the start of 1970 unless `grants` has \"clock\""
        );
    }
}

/// A problem with what to do about it in the project's language.
fn with_hint(problem: &PreflightError, argument: &Path) -> String {
    let language = Project::find(argument).ok().flatten().map(|project| project.language);
    let hint = match (problem, language) {
        (PreflightError::NoCommand { .. }, Some(Language::Rust)) => {
            ": does src/lib.rs have `register!(…)`, and `crate-type = [\"cdylib\"]` under [lib] in Cargo.toml?"
        }
        (PreflightError::NoCommand { .. }, Some(_)) => {
            ": does the world in wit/world.wit have `export maro:plugin/command@…;`?"
        }
        _ => "",
    };
    format!("{problem}{hint}")
}

/// The file with a plugin's grants: the project's own, or the one next to a component.
fn manifest_name(argument: &Path, component: &Path) -> String {
    let beside = component.with_extension("toml");
    let name = if argument.is_dir() { OsStr::new(MANIFEST) } else { beside.file_name().unwrap_or_default() };
    name.to_string_lossy().into_owned()
}

/// Why the manifest next to the component at `path` doesn't let it load: another component is pinned, or a grant is missing. `name` is the file that people edit.
fn manifest_problem(path: &Path, name: &str) -> Option<String> {
    // As the bot reads it: what it can't read isn't an empty manifest.
    let text = match folder::read_manifest_as(&path.with_extension("toml"), name) {
        Ok(text) => text.unwrap_or_default(),
        Err(problem) => return Some(problem.to_string()),
    };
    let manifest = match Manifest::parse(&text) {
        Ok(manifest) => manifest,
        Err(problem) => return Some(format!("{name}: {problem}")),
    };
    let wasm = fs::read(path).ok()?;
    let wishes = preflight::inspect(&wasm).ok()?;
    let digest = hex::encode(Sha256::digest(&wasm));
    let admitted = admission::check_pin(&digest, &manifest, name)
        .and_then(|()| admission::check_grants(&wishes.grants, &manifest, name));
    admitted.err().map(|error| error.to_string())
}

/// Why a project's component wouldn't load, as far as that can be found out quickly: a component with an
/// interpreter isn't compiled just for this.
///
/// # Errors
/// The component can't be read.
pub(super) async fn problem(component: &Path) -> anyhow::Result<Option<String>> {
    let wasm = fs::read(component).with_context(|| format!("{} can't be read", component.display()))?;
    if let Err(problem) = preflight::inspect(&wasm) {
        // It is in a folder of its project's.
        let project = component.parent().and_then(Path::parent).unwrap_or(component);
        return Ok(Some(with_hint(&problem, project)));
    }
    if let Some(mismatch) = interface_diff::read(&wasm)?.mismatches.into_iter().next() {
        return Ok(Some(mismatch));
    }
    if !single_plugin::is_slow_to_load(&wasm) {
        let single = match SinglePlugin::set_up(component) {
            Ok(single) => single,
            Err(problem) => return Ok(Some(format!("{problem:#}"))),
        };
        match single.load().await {
            Ok(plugin) => {
                if let Some(problem) = single.name_problem(&plugin) {
                    return Ok(Some(project_name_problem(&problem)));
                }
            }
            Err(error) => return Ok(Some(format!("{error:#}"))),
        }
    }
    Ok(manifest_problem(component, MANIFEST))
}

/// The problem with the name of a project's component, which a build would only bring back.
fn project_name_problem(problem: &str) -> String {
    format!("{problem}; or rename the project's folder, which the component is named after")
}

/// Warns if a project's `plugin.toml` doesn't grant what its component needs.
pub(super) fn warn_of_grants(component: &Path) {
    if let Some(problem) = manifest_problem(component, MANIFEST) {
        say(&format!("✗ This plugin won't load: {}", sentence(&problem)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_that_the_bot_cannot_read_is_a_problem() {
        let folder = tempfile::tempdir().unwrap();
        let utf_16: Vec<u8> = "grants = []".encode_utf16().flat_map(u16::to_le_bytes).collect();
        fs::write(folder.path().join("p.toml"), [&[0xff, 0xfe], &utf_16[..]].concat()).unwrap();
        let problem = manifest_problem(&folder.path().join("p.wasm"), "plugin.toml");
        assert_eq!(problem.as_deref(), Some("plugin.toml isn't UTF-8 text"));
    }

    #[test]
    fn a_report_is_the_same_in_words_and_in_json() {
        let report = Report {
            name: Some("count".to_owned()),
            usage: Some(String::new()),
            summary: Some("Count".to_owned()),
            warnings: vec!["it imports wasi:http/types@0.2.6, which is absent".to_owned()],
            problems: vec!["it needs jira".to_owned()],
            needs: vec!["jira".to_owned()],
            interface: Some("0.2.0".to_owned()),
            ..Report::default()
        };
        let text = told(&report);
        assert!(
            text.starts_with("/maro count\nCount\n") && text.contains("needs      grants = [\"jira\"]\n")
        );
        assert!(text.ends_with("! it imports wasi:http/types@0.2.6, which is absent.\n✗ it needs jira.\n"));
        let json = serde_json::to_value(&report).unwrap();
        assert_eq!((&json["accepted"], &json["problems"][0]), (&false.into(), &"it needs jira".into()));
        assert_eq!(json["needs"][0], "jira");
    }

    #[test]
    fn who_forgot_the_export_reads_the_cure_in_their_language() {
        let folder = tempfile::tempdir().unwrap();
        let problem = PreflightError::NoCommand { exports: vec!["wasi:cli/run@0.2.6".to_owned()] };
        assert!(with_hint(&problem, folder.path()).contains("but not maro:plugin/command"));
        fs::write(folder.path().join("Cargo.toml"), "").unwrap();
        assert!(with_hint(&problem, folder.path()).contains("`register!(…)`"));
        fs::write(folder.path().join("plugin.py"), "").unwrap();
        assert!(with_hint(&problem, folder.path()).contains("wit/world.wit"));
    }
}
