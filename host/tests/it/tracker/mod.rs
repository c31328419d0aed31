//! The lists, on both databases.

mod conformance;
mod given;
mod outage;
mod start;
mod upgrade;
