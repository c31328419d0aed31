//! What a replayed case gave, beside what was recorded: how it differs, and whether it can take the recording's place.

use std::path::Path;

use anyhow::Context as _;

use crate::{output::say, tryout::line_diff};
use maro_runtime::{
    recording::{
        cases::{Case, ending_lines},
        redact::redact,
        tape::Ending,
    },
    registry::case_replay::Replayed,
};

/// What differs from the recording, for people.
pub(crate) fn difference(path: &Path, case: &Case, replayed: &Replayed) -> String {
    let mut lines = vec![format!("✗ {}: /maro {} {}", path.display(), case.plugin, case.arguments)];
    for call in &replayed.unrecorded {
        lines.push(format!("  calls {} {}, which isn't recorded", call.call, call.arguments));
    }
    for call in &replayed.not_made {
        lines.push(format!("  doesn't call {} {}", call.call, call.arguments));
    }
    if replayed.replies_otherwise(case) && replayed.unrecorded.is_empty() {
        let (before, after) = (ending_lines(&case.ending), ending_lines(&replayed.ending));
        let shown = line_diff::lines(&before, &after);
        lines.extend(shown.into_iter().map(|line| format!("  {line}")));
    }
    lines.join("\n")
}

/// Why the new result can't replace the recorded one, and what to do.
pub(crate) fn obstacle(replayed: &Replayed) -> Option<&'static str> {
    if !replayed.unrecorded.is_empty() {
        return Some(
            "The recording has no answer to that call. To accept this, delete the file and record it again with \
             `maro plugin run --record`.",
        );
    }
    matches!(replayed.ending, Ending::Fault(_)).then_some("This can't be accepted because it didn't answer.")
}

/// Replaces the recorded result by the new one.
pub(crate) fn accept(case: Case, replayed: Replayed, path: &Path) -> anyhow::Result<()> {
    let calls = case.calls.into_iter().filter(|call| !replayed.not_made.contains(call)).collect();
    let case = Case { calls, ending: replayed.ending, ..case };
    redact(&case)?.write(path).with_context(|| format!("can't write {}", path.display()))?;
    say("  accepted");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_is_never_accepted() {
        let of = |ending| obstacle(&Replayed { ending, unrecorded: Vec::new(), not_made: Vec::new() });
        assert!(of(Ending::Fault("it trapped".to_owned())).is_some());
        assert_eq!(of(Ending::Failed("Not today.".to_owned())), None);
    }
}
