//! The intents, on both databases.

mod conformance;
mod outage;
