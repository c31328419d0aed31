//! What people ask about issues: show one, where it's tracked, take it over, track what a message names,
//! undo.

pub(super) mod assigning;
pub(super) mod named_issues;
pub(super) mod show;
pub(crate) mod undo;
pub(super) mod unfurling;
pub(super) mod whereabouts;
