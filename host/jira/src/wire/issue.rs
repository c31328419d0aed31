//! Parts of issues.

use serde::Deserialize;

/// An issue with the fields that were asked for.
#[derive(Deserialize)]
pub(crate) struct RawIssue<F> {
    pub(crate) id: String,
    pub(crate) key: String,
    pub(crate) fields: F,
}

/// A status, a type, or anything else of which the name is all that is wanted.
#[derive(Deserialize)]
pub(crate) struct Named {
    pub(crate) name: String,
}
