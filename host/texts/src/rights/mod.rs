//! What somebody may not do or see, and who can change that.

pub mod access;
pub mod roles;
