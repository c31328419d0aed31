//! `/maro plugins`: what is installed, all about one plugin, and its versions.

pub(super) mod details;
pub(super) mod installed;
pub(super) mod versions;
