//! How far the loading of a file has got, for those waiting for it.

use std::sync::{Mutex, PoisonError};

use tokio::time::Instant;

use maro_texts::plugins::loading;

/// What a file waits for until its content runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// It isn't read until it holds still.
    Changing,
    Inspecting,
    CompilersTurn,
    /// Other plugins have what the compiler needs.
    Memory,
    Compiling,
    /// Commands have the places.
    Place,
    Describing,
    ReplayingCases,
}

impl Stage {
    /// Why it isn't loaded yet, as the end of a sentence.
    pub fn reason(self) -> &'static str {
        match self {
            Self::Changing => loading::CHANGING,
            Self::Inspecting => loading::INSPECTING,
            Self::CompilersTurn => loading::COMPILERS_TURN,
            Self::Memory => loading::MEMORY,
            Self::Compiling => loading::COMPILING,
            Self::Place => loading::PLACE,
            Self::Describing => loading::DESCRIBING,
            Self::ReplayingCases => loading::REPLAYING_CASES,
        }
    }
}

/// What one attempt to load a file is at.
#[derive(Debug)]
pub(crate) struct Progress {
    pub(crate) begun_at: Instant,
    /// With the moment when it began.
    stage: Mutex<(Stage, Instant)>,
}

impl Progress {
    /// The stage, and since when.
    pub(crate) fn stage(&self) -> (Stage, Instant) {
        *self.stage.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn enter(&self, stage: Stage) {
        *self.stage.lock().unwrap_or_else(PoisonError::into_inner) = (stage, Instant::now());
    }
}

impl Default for Progress {
    fn default() -> Self {
        let now = Instant::now();
        Self { begun_at: now, stage: Mutex::new((Stage::Inspecting, now)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_file_waits_for_is_said_of_the_right_stage() {
        assert!(Stage::Inspecting.reason().contains("inspected"));
        assert!(Stage::CompilersTurn.reason().contains("its turn"));
        assert!(Stage::Compiling.reason().contains("being compiled"));
        assert!(Stage::Describing.reason().contains("describe"));
    }
}
