//! Parts of issues.

use serde::Deserialize;

/// An issue with the fields that were asked for.
#[derive(Deserialize)]
pub(crate) struct RawIssue<F> {
    pub(crate) id: String,
    pub(crate) key: String,
    pub(crate) fields: F,
}

/// A status, a type, or anything else of which only the name is needed.
#[derive(Deserialize)]
pub(crate) struct Named {
    pub(crate) name: String,
}
