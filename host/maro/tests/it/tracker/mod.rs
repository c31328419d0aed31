//! The lists, on both databases.

mod conformance;
pub(crate) mod given;
mod lost_answers;
mod outage;
mod start;
mod together;
mod upgrade;
