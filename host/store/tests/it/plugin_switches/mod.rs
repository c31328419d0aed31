//! Which plugins are off, on both databases.

mod conformance;
mod lost_answers;
