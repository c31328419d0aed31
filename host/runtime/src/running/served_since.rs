//! Since when a version runs, and what ran before it.

use jiff::Timestamp;

/// Since when a version runs, and what ran before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tenure {
    pub since: Timestamp,
    /// `None` if nothing ran before since the start.
    pub before: Option<Before>,
}

/// A version that ran before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Before {
    pub version: String,
    /// SHA-256 of the component, in hexadecimal.
    pub digest: String,
}
