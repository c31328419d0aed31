//! The lists, on both databases.

mod conformance;
mod lost_answers;
mod outage;
mod together;
