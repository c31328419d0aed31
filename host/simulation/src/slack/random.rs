//! Texts that nobody can guess.

use rand::distr::{Alphanumeric, SampleString};

/// Random letters and digits that nobody can guess.
pub(super) fn random_text(length: usize) -> String {
    Alphanumeric.sample_string(&mut rand::rng(), length)
}
