//! Who is who, and what MARO and each person may do.

pub mod account;
pub mod account_by_email;
pub(crate) mod groups;
pub mod may_view;
pub mod people;
pub(crate) mod people_search;
pub mod permissions;
pub mod person_permissions;
