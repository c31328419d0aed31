//! Who is who, and what MARO and each person may do.

pub mod account;
pub mod people;
pub mod permissions;
pub mod person_permissions;
pub mod viewers;
