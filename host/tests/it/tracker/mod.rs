//! The lists, on both databases.

mod conformance;
pub(crate) mod given;
mod outage;
mod start;
mod upgrade;
