//! Parts of lists.

use serde::Deserialize;

/// A page of a list, in either edition.
#[derive(Deserialize)]
pub(crate) struct ListPage<T> {
    /// Called `values`, or `issueTypes` and `fields` in Cloud's lists of issue types and fields.
    #[serde(alias = "issueTypes", alias = "fields")]
    pub(crate) values: Vec<T>,
    pub(crate) total: Option<usize>,
    #[serde(rename = "isLast")]
    pub(crate) is_last: Option<bool>,
}

/// A page of search results, with issues of the shape `T`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SearchPage<T> {
    pub(crate) issues: Vec<T>,
    /// Cloud only, and only if there are more results.
    pub(crate) next_page_token: Option<String>,
    /// Data Center only.
    pub(crate) total: Option<usize>,
}

impl<T> SearchPage<T> {
    /// Where the page after this one starts on Data Center, if there is one. This one began at `start`.
    pub(crate) fn next_start(&self, start: usize) -> Option<usize> {
        let end = start + self.issues.len();
        (!self.issues.is_empty() && self.total.is_some_and(|total| end < total)).then_some(end)
    }
}
