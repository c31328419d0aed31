//! Parts of lists.

use serde::Deserialize;

/// A page of a list, in either edition.
#[derive(Deserialize)]
pub(crate) struct ListPage<T> {
    /// `values`; Cloud's issue types come as `issueTypes`.
    #[serde(alias = "issueTypes")]
    pub(crate) values: Vec<T>,
    pub(crate) total: Option<usize>,
    #[serde(rename = "isLast")]
    pub(crate) is_last: Option<bool>,
}

/// A page of search results, of issues as `T` reads them.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SearchPage<T> {
    pub(crate) issues: Vec<T>,
    /// Cloud only, and there only if there is more.
    pub(crate) next_page_token: Option<String>,
    /// Data Center only.
    pub(crate) total: Option<usize>,
}
