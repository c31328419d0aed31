//! What plugins store, on both databases.

mod conformance;
mod lost_answers;
