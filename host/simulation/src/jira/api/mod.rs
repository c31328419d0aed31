//! What the site answers under `/rest`, in Jira's own shapes and words.

pub(super) mod adf_check;
pub(super) mod agile;
pub(super) mod answers;
pub(super) mod create;
pub(super) mod edits;
pub(super) mod projects;
pub(super) mod remote_links;
pub(super) mod routes;
pub(super) mod shapes;
