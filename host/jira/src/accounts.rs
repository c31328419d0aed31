//! Who is who, and what MARO and each person may do.

pub mod account;
pub(crate) mod groups;
pub mod people;
pub mod permissions;
pub mod person_permissions;
pub mod viewers;
