//! `maro plugin test`: runs a project's own tests, and replays recorded cases against a build.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
};

use anyhow::{Context as _, bail};
use clap::Args;

use crate::{
    commands::check,
    languages::{
        component::{build_project, toolbox},
        project::Project,
    },
    output::say,
    tryout::{
        case_report::{accept, difference, obstacle},
        simulation::cases_dir,
        single_plugin::SinglePlugin,
    },
};
use maro_runtime::{recording::cases::Case, running::plugin::LoadedPlugin};

/// The folder that this repository's plugins are built into.
const BUILT: &str = "target/plugins";

#[derive(Debug, Args)]
pub struct TestArguments {
    /// A project, to run its own tests and the cases in its cases/ folder; or a folder of cases
    #[arg(default_value = ".", value_name = "PROJECT|DIR")]
    tested: PathBuf,
    /// The component to replay a folder of cases against [default: NAME.wasm in target/plugins]
    #[arg(long, value_name = "FILE")]
    on: Option<PathBuf>,
    /// Accept the new replies and update the cases
    #[arg(long)]
    accept: bool,
}

pub(crate) async fn run(arguments: TestArguments) -> anyhow::Result<ExitCode> {
    let mut bench = Bench { on: arguments.on.clone(), plugins: BTreeMap::new() };
    let dir = match Project::find(&arguments.tested)? {
        Some(project) => {
            bench.on = Some(test_project(&project).await?);
            cases_dir(&project.folder)
        }
        None if arguments.tested.is_dir() => arguments.tested.clone(),
        None => bail!(
            "{} is neither a project nor a folder of recorded cases. To replay cases on a component: maro plugin test \
             DIR --on FILE",
            arguments.tested.display()
        ),
    };
    let cases = Case::read_all(&dir)?;
    if cases.is_empty() {
        if bench.on.is_none() {
            bail!("{} isn't a project and contains no cases", dir.display());
        }
        say("There are no recorded cases. To record some, use `maro plugin run --record`.");
    }
    let mut tally = Tally::default();
    for (path, case) in cases {
        let plugin = match bench.plugin(&case.plugin).await? {
            Ok(plugin) => plugin,
            Err(problem) => {
                say(&format!("✗ {}: {problem}.", path.display()));
                tally.unacceptable += 1;
                continue;
            }
        };
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

/// How many cases gave which result.
#[derive(Default)]
struct Tally {
    same: usize,
    /// Cases whose new result can replace the recorded one.
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
            (0, 0) => format!("{total} {cases} gave the recorded result."),
            (_, 0) if accepting => format!("Updated {acceptable} of {total} {cases}."),
            (0, _) => format!("{others} of {total} {cases} can't be accepted; see above for what to do."),
            (_, _) if accepting => format!(
                "Updated {acceptable} of {total} {cases}. {unacceptable} can't be accepted; see above for what to do."
            ),
            (_, 0) => format!(
                "{others} of {total} {cases} gave a different result. If that's intended, run again with `--accept`."
            ),
            (_, _) => format!(
                "{others} of {total} {cases} gave a different result. If that's intended, `--accept` updates \
                 {acceptable} of them; {unacceptable} can't be accepted, see above for what to do."
            ),
        })
    }
}

/// Builds a project and runs its own tests. Returns the component's path.
async fn test_project(project: &Project) -> anyhow::Result<PathBuf> {
    let toolbox = toolbox(true);
    let component = build_project(project, &toolbox).await?;
    let tested = (project.language.toolchain().test)(project, &toolbox).await;
    let tested = tested.map_err(|error| error.told(format!("the tests of {} failed", project.name)))?;
    let name = &project.name;
    match tested.ran {
        0 => say(&format!("{name} has no tests.")),
        ran => say(&format!("The tests of {name} passed: {ran} ran.")),
    }
    for unfound in tested.unfound {
        say(&format!("✗ {unfound}."));
    }
    check::warn_of_grants(&component);
    Ok(component)
}

/// The plugins that cases are replayed against. Each is loaded once.
struct Bench {
    on: Option<PathBuf>,
    plugins: BTreeMap<String, Subject>,
}

/// A plugin, or why a case isn't one of it.
type Subject = Result<Arc<LoadedPlugin>, String>;

impl Bench {
    async fn plugin(&mut self, name: &str) -> anyhow::Result<Subject> {
        if let Some(plugin) = self.plugins.get(name) {
            return Ok(plugin.clone());
        }
        let path = self.on.clone().unwrap_or_else(|| Path::new(BUILT).join(format!("{name}.wasm")));
        let single = SinglePlugin::set_up(&path).with_context(|| {
            format!(
                "there is no build of {name} to replay its cases against: build it, or name one with --on"
            )
        })?;
        single.warn_of_compiling();
        let plugin = single.load().await?;
        let subject = match plugin.name() {
            own if own == name => Ok(plugin),
            own => Err(format!("{} is /maro {own}, but the case is for /maro {name}", path.display())),
        };
        self.plugins.insert(name.to_owned(), subject.clone());
        Ok(subject)
    }
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
        3 cases gave the recorded result.
        3 cases gave the recorded result.
        1 of 3 cases gave a different result. If that's intended, run again with `--accept`.
        Updated 1 of 3 cases.
        2 of 3 cases gave a different result. If that's intended, `--accept` updates 1 of them; 1 can't be accepted, see above for what to do.
        Updated 1 of 3 cases. 1 can't be accepted; see above for what to do.
        1 of 3 cases can't be accepted; see above for what to do.
        1 of 3 cases can't be accepted; see above for what to do.
        ");
        assert_eq!(Tally::default().sentence(false), None);
    }
}
