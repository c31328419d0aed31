//! `/maro move SCRUM-123 In Review`: makes the transition that leads to a status, or shows a button for each that the
//! issue's workflow allows.

use maro_plugin::{
    Description, Plugin, Reply, RunError,
    jira_edit::{self, AvailableTransition},
    keys, register,
    reply::{button, caller, issue, strong},
    spans,
    typed::named,
};

/// A row has room for no more buttons.
const MAX_CHOICES: usize = 20;

struct Move;

impl Plugin for Move {
    fn describe() -> Description {
        Description {
            name: "move",
            version: env!("CARGO_PKG_VERSION"),
            summary: "Move an issue to another status",
            usage: "KEY [STATUS]",
        }
    }

    fn run(arguments: &str) -> Result<Reply, RunError> {
        let (key, words) = keys::leading(arguments)?;
        let words = shown(words.trim());
        let steps = jira_edit::list_transitions(&key)?;
        match choose(&steps, words) {
            Choice::One(step) => {
                jira_edit::transition(&key, &step.id)?;
                Ok(moved(&key, &step.to_status))
            }
            Choice::Several(steps) => Ok(which(&key, &steps, words)),
            Choice::Nowhere => Err(RunError::failed(["", &key, " can't be moved right now."].concat())),
        }
    }
}

register!(Move);

/// The words without quotes around them.
fn shown(words: &str) -> &str {
    words.trim_matches(|letter: char| letter.is_whitespace() || "\"“”„'`".contains(letter))
}

/// What the words can mean.
#[derive(Debug, PartialEq)]
enum Choice<'a> {
    One(&'a AvailableTransition),
    Several(Vec<&'a AvailableTransition>),
    /// The workflow allows nothing.
    Nowhere,
}

/// Words are the name of a status or of a transition, or the start of a single one. Without words that mean one, all of
/// them are there to choose from.
fn choose<'a>(steps: &'a [AvailableTransition], words: &str) -> Choice<'a> {
    if steps.is_empty() {
        return Choice::Nowhere;
    }
    // `To Do` is a status, and `to Done` says where to.
    for wanted in [folded(words), folded(named(words))] {
        if wanted.is_empty() {
            continue;
        }
        let is_named =
            |step: &&AvailableTransition| folded(&step.to_status) == wanted || folded(&step.name) == wanted;
        let starts = |step: &&AvailableTransition| {
            folded(&step.to_status).starts_with(&wanted) || folded(&step.name).starts_with(&wanted)
        };
        // A transition of this very name, before those that lead to a status of this name.
        if let Some(step) = steps.iter().find(|step| folded(&step.name) == wanted) {
            return Choice::One(step);
        }
        for fits in [steps.iter().filter(is_named).collect::<Vec<_>>(), steps.iter().filter(starts).collect()]
        {
            match fits.as_slice() {
                [] => {}
                [step] => return Choice::One(step),
                _ => return Choice::Several(fits),
            }
        }
    }
    Choice::Several(steps.iter().collect())
}

/// A name as far as its letters go: `in-progress` is `In Progress`.
fn folded(name: &str) -> String {
    name.chars().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

fn moved(key: &str, status: &str) -> Reply {
    Reply::to_channel().paragraph(spans![caller(), " moved ", issue(key), " to ", strong(status), "."])
}

/// A button for each. Its command has the transition's own name, of which there is one alone.
fn which(key: &str, steps: &[&AvailableTransition], words: &str) -> Reply {
    let buttons = steps.iter().take(MAX_CHOICES).map(|step| {
        let is_plain = step.name.eq_ignore_ascii_case(&step.to_status);
        let label =
            if is_plain { step.name.clone() } else { [&*step.name, " → ", &step.to_status].concat() };
        button(label, ["move ", key, " ", &step.name].concat())
    });
    let question = if words.is_empty() {
        spans!["Where should ", issue(key), " go?"]
    } else {
        spans!["Where should ", issue(key), " go? “", words, "” doesn't match exactly one step."]
    };
    Reply::to_caller().paragraph(question).buttons(buttons)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(id: &str, name: &str, to_status: &str) -> AvailableTransition {
        AvailableTransition { id: id.into(), name: name.into(), to_status: to_status.into() }
    }

    fn steps() -> Vec<AvailableTransition> {
        vec![
            step("11", "Start work", "In Progress"),
            step("21", "Ask for review", "In Review"),
            step("31", "Done", "Done"),
            step("41", "Won't do", "Done"),
        ]
    }

    #[test]
    fn words_mean_a_status_or_a_transition() {
        let steps = steps();
        for (words, id) in [
            ("In Progress", "11"),
            ("in review", "21"),
            ("ask for review", "21"),
            ("start", "11"),
            // By its own name, though another leads to the same status.
            ("done", "31"),
            ("won't", "41"),
            ("to In Progress", "11"),
            ("→ Done", "31"),
            ("in-review!", "21"),
            ("“In Review”", "21"),
            ("INPROGRESS please", "11"),
        ] {
            assert_eq!(
                choose(&steps, words),
                Choice::One(steps.iter().find(|step| step.id == id).unwrap()),
                "{words}"
            );
        }
        let all = || Choice::Several(steps.iter().collect());
        assert_eq!(choose(&steps, ""), all());
        assert_eq!(choose(&steps, "Blocked"), all());
        assert_eq!(choose(&steps, "in"), Choice::Several(vec![&steps[0], &steps[1]]));
        assert_eq!(choose(&[], "Done"), Choice::Nowhere);
    }

    #[test]
    fn every_step_has_a_button_with_its_own_name() {
        let steps = steps();
        let steps: Vec<_> = steps.iter().collect();
        let reply = which("SCRUM-1", &steps, "");
        assert_eq!(
            reply.preview(),
            "Where should SCRUM-1 go?\n\
             [Start work → In Progress] [Ask for review → In Review] [Done] [Won't do → Done]"
        );
        let missed = which("SCRUM-1", &steps, "Blocked").preview();
        assert!(
            missed.starts_with("Where should SCRUM-1 go? “Blocked” doesn't match exactly one step.\n"),
            "{missed}"
        );
        assert_eq!(moved("SCRUM-1", "Done").preview(), "@caller moved SCRUM-1 to Done.");
    }
}
