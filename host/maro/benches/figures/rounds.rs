//! Alternating rounds: what is compared takes turns, so that a slow moment of the machine falls on both.

use std::time::Duration;

/// How often each side has its turn.
const ROUNDS: usize = 7;

/// The medians of a comparison.
pub(crate) struct Comparison {
    /// Seconds for one piece of work without the sandbox, and with it.
    pub(crate) plain: f64,
    pub(crate) sandboxed: f64,
    /// The median of each round's ratio of the second to the first, which is not the ratio of the medians.
    pub(crate) ratio: f64,
}

/// Takes turns; each turn returns the seconds that one piece of work took.
pub(crate) fn compare(plain: impl FnMut() -> f64, sandboxed: impl FnMut() -> f64) -> Comparison {
    Comparison::of(&alternate(plain, sandboxed), |seconds| *seconds)
}

/// Takes turns, plain first. The first round warms up.
pub(crate) fn alternate<T>(mut plain: impl FnMut() -> T, mut sandboxed: impl FnMut() -> T) -> Vec<(T, T)> {
    plain();
    sandboxed();
    (0..ROUNDS).map(|_| (plain(), sandboxed())).collect()
}

impl Comparison {
    /// The medians of one thing that the turns measured.
    pub(crate) fn of<T>(turns: &[(T, T)], what: impl Fn(&T) -> f64) -> Self {
        Self {
            plain: median(turns.iter().map(|turn| what(&turn.0))),
            sandboxed: median(turns.iter().map(|turn| what(&turn.1))),
            ratio: median(turns.iter().map(|turn| what(&turn.1) / what(&turn.0))),
        }
    }
}

pub(crate) fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

pub(crate) fn microseconds(seconds: f64) -> String {
    format!("{:.1} µs", seconds * 1e6)
}

pub(crate) fn milliseconds(time: Duration) -> String {
    format!("{:.0} ms", time.as_secs_f64() * 1e3)
}
