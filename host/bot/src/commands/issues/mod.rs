//! What people ask about issues: show one, where it's tracked, take it over, track what a message names.

pub(super) mod assigning;
pub(super) mod named_issues;
pub(super) mod show;
pub(super) mod unfurling;
pub(super) mod whereabouts;
