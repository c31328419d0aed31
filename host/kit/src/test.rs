//! `maro plugin test`: a project's own tests, and recorded cases on a build.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
};

use anyhow::{Context as _, bail};
use clap::Args;

use crate::{
    build::{build_project, toolbox},
    check, differences, javascript,
    output::say,
    project::{Language, Project},
    python, rust,
    simulation::cases_dir,
    workbench::Workbench,
};
use maro_runtime::{
    recording::{
        cases::{Case, Replayed, ending_lines},
        tape::Ending,
    },
    running::loaded::LoadedPlugin,
};

/// Where this repository's plugins are built.
const BUILT: &str = "target/plugins";

#[derive(Debug, Args)]
pub struct TestArguments {
    /// A project: its own tests and the cases in its folder cases/. Or a folder of cases
    #[arg(default_value = ".", value_name = "PROJECT|DIR")]
    tested: PathBuf,
    /// The component to play a folder of cases on, if not NAME.wasm in target/plugins
    #[arg(long, value_name = "FILE")]
    on: Option<PathBuf>,
    /// Take the new replies for right, and write them into the cases
    #[arg(long)]
    accept: bool,
}

pub(super) async fn run(arguments: TestArguments) -> anyhow::Result<ExitCode> {
    let mut bench = Bench { on: arguments.on.clone(), plugins: BTreeMap::new() };
    let dir = match Project::find(&arguments.tested)? {
        Some(project) => {
            bench.on = Some(test_project(&project).await?);
            cases_dir(&project.folder)
        }
        None => arguments.tested.clone(),
    };
    let cases = Case::read_all(&dir)?;
    if cases.is_empty() {
        if bench.on.is_none() {
            bail!("{} is no project and holds no cases", dir.display());
        }
        say("There are no recorded cases: `maro plugin run --record` makes some.");
    }
    let mut tally = Tally::default();
    for (path, case) in cases {
        let plugin = bench.plugin(&case.plugin).await?;
        let replayed = case.replay(&plugin).await;
        if !replayed.differs(&case) {
            tally.same += 1;
            continue;
        }
        say(&difference(&path, &case, &replayed));
        match obstacle(&replayed) {
            Some(obstacle) => {
                say(&format!("  {obstacle}"));
                tally.unacceptable += 1;
            }
            None => {
                if arguments.accept {
                    accept(case, replayed, &path)?;
                }
                tally.acceptable += 1;
            }
        }
    }
    if let Some(sentence) = tally.sentence(arguments.accept) {
        say(&sentence);
    }
    Ok(if tally.is_fine(arguments.accept) { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// How many cases played in which way.
#[derive(Default)]
struct Tally {
    same: usize,
    /// Otherwise than recorded, in a way that can be recorded in their place.
    acceptable: usize,
    unacceptable: usize,
}

impl Tally {
    fn is_fine(&self, accepting: bool) -> bool {
        self.unacceptable == 0 && (accepting || self.acceptable == 0)
    }

    /// `None` if there were no cases.
    fn sentence(&self, accepting: bool) -> Option<String> {
        let Self { acceptable, unacceptable, .. } = self;
        let (total, others) = (self.same + acceptable + unacceptable, acceptable + unacceptable);
        let cases = if total == 1 { "case" } else { "cases" };
        Some(match (acceptable, unacceptable) {
            _ if total == 0 => return None,
            (0, 0) => format!("{total} {cases} played as recorded."),
            (_, 0) if accepting => format!("{acceptable} of {total} {cases} written anew."),
            (0, _) => format!("{others} of {total} {cases} cannot be accepted: what to do stands above."),
            (_, _) if accepting => format!(
                "{acceptable} of {total} {cases} written anew. {unacceptable} cannot be accepted: what to do stands above."
            ),
            (_, 0) => format!(
                "{others} of {total} {cases} did not play as recorded. If that is right, `--accept` writes them anew."
            ),
            (_, _) => format!(
                "{others} of {total} {cases} did not play as recorded. If that is right, `--accept` writes \
                 {acceptable} anew; {unacceptable} cannot be accepted: what to do stands above."
            ),
        })
    }
}

/// Builds a project and runs its own tests; the component.
async fn test_project(project: &Project) -> anyhow::Result<PathBuf> {
    let toolbox = toolbox(true);
    let component = build_project(project, &toolbox).await?;
    let tested = match project.language {
        Language::Rust => rust::test(project, &toolbox).await,
        Language::JavaScript => javascript::test(project, &toolbox).await,
        Language::Python => python::test(project, &toolbox).await,
    };
    let has_tests = tested.map_err(|error| error.told(format!("the tests of {} fail", project.name)))?;
    let name = &project.name;
    say(&if has_tests { format!("The tests of {name} pass.") } else { format!("{name} has no tests.") });
    check::warn_of_grants(&component);
    Ok(component)
}

/// The plugins that cases are played on, each loaded once.
struct Bench {
    on: Option<PathBuf>,
    plugins: BTreeMap<String, Arc<LoadedPlugin>>,
}

impl Bench {
    async fn plugin(&mut self, name: &str) -> anyhow::Result<Arc<LoadedPlugin>> {
        if let Some(plugin) = self.plugins.get(name) {
            return Ok(Arc::clone(plugin));
        }
        let path = self.on.clone().unwrap_or_else(|| Path::new(BUILT).join(format!("{name}.wasm")));
        let workbench = Workbench::set_up(&path).with_context(|| {
            format!("no build of {name} to play its cases on: build it, or name one with --on")
        })?;
        workbench.warn_of_compiling();
        let plugin = workbench.load().await?;
        if *plugin.description.name != *name {
            bail!("{} is /maro {}, and the case is of /maro {name}", path.display(), plugin.description.name);
        }
        self.plugins.insert(name.to_owned(), Arc::clone(&plugin));
        Ok(plugin)
    }
}

/// What is other than recorded, for people.
fn difference(path: &Path, case: &Case, replayed: &Replayed) -> String {
    let mut lines = vec![format!("✗ {}: /maro {} {}", path.display(), case.plugin, case.arguments)];
    for call in &replayed.unrecorded {
        lines.push(format!("  calls {} {}, which is not recorded", call.call, call.arguments));
    }
    for call in &replayed.not_made {
        lines.push(format!("  does not call {} {}", call.call, call.arguments));
    }
    if replayed.replies_otherwise(case) && replayed.unrecorded.is_empty() {
        let (before, after) = (ending_lines(&case.ending), ending_lines(&replayed.ending));
        let shown = differences::lines(&before, &after);
        lines.extend(shown.into_iter().map(|line| format!("  {line}")));
    }
    lines.join("\n")
}

/// Why what came out cannot take the place of what was recorded, and what to do.
fn obstacle(replayed: &Replayed) -> Option<&'static str> {
    if !replayed.unrecorded.is_empty() {
        return Some(
            "To accept this, delete the file and record it again with `maro plugin run --record`: no answer to \
             that call is in it.",
        );
    }
    matches!(replayed.ending, Ending::Fault(_)).then_some("This cannot be accepted: it gave no answer.")
}

fn accept(case: Case, replayed: Replayed, path: &Path) -> anyhow::Result<()> {
    let calls = case.calls.into_iter().filter(|call| !replayed.not_made.contains(call)).collect();
    let case = Case { calls, ending: replayed.ending, ..case };
    case.write(path).with_context(|| format!("cannot write {}", path.display()))?;
    say("  accepted");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_be_accepted_is_told_from_what_must_be_recorded_again() {
        let tallies = [(3, 0, 0), (2, 1, 0), (1, 1, 1), (2, 0, 1)];
        let told = tallies.into_iter().flat_map(|(same, acceptable, unacceptable)| {
            let tally = Tally { same, acceptable, unacceptable };
            [false, true].map(|accepting| tally.sentence(accepting).unwrap())
        });
        insta::assert_snapshot!(told.collect::<Vec<_>>().join("\n"), @"
        3 cases played as recorded.
        3 cases played as recorded.
        1 of 3 cases did not play as recorded. If that is right, `--accept` writes them anew.
        1 of 3 cases written anew.
        2 of 3 cases did not play as recorded. If that is right, `--accept` writes 1 anew; 1 cannot be accepted: what to do stands above.
        1 of 3 cases written anew. 1 cannot be accepted: what to do stands above.
        1 of 3 cases cannot be accepted: what to do stands above.
        1 of 3 cases cannot be accepted: what to do stands above.
        ");
        assert_eq!(Tally::default().sentence(false), None);
    }

    #[test]
    fn a_fault_is_never_accepted() {
        let of = |ending| obstacle(&Replayed { ending, unrecorded: Vec::new(), not_made: Vec::new() });
        assert!(of(Ending::Fault("it trapped".to_owned())).is_some());
        assert_eq!(of(Ending::Failed("Not today.".to_owned())), None);
    }
}
