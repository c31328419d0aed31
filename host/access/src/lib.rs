//! Who may see and do what: which issues may be shown in which channel, and what a person may do.

pub mod policy;
pub mod roles;
pub mod workspace;
