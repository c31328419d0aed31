//! The journal, on both databases.

mod conformance;
mod crash;
