//! The workflow of the simulated site. It is the same for all issues.

/// A transition from one status to another.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Step {
    pub(crate) id: &'static str,
    pub(crate) name: &'static str,
    pub(crate) to: &'static str,
}

const START: Step = Step { id: "11", name: "Start work", to: "In Progress" };
const REVIEW: Step = Step { id: "21", name: "Ask for a review", to: "In Review" };
const STOP: Step = Step { id: "31", name: "Stop work", to: "Open" };
const FINISH: Step = Step { id: "41", name: "Finish", to: "Done" };
const REOPEN: Step = Step { id: "51", name: "Reopen", to: "Open" };

/// The transitions from this status.
pub(crate) fn steps(status: &str) -> &'static [Step] {
    match status {
        "In Progress" => &[REVIEW, STOP, FINISH],
        "In Review" => &[START, FINISH],
        "Done" => &[REOPEN],
        _ => &[START, FINISH],
    }
}
