//! Changing issues that exist.

pub(crate) mod assign;
pub(crate) mod comments;
pub mod edit;
pub mod remote_link;
pub(crate) mod transitions;
