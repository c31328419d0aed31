//! The audit log, and requests that take effect once.

mod conformance;
mod once;
mod pruning;
