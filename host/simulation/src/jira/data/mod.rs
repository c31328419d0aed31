//! What the site holds: projects, issues and their history, people and what each may do.

pub(super) mod accounts;
pub(super) mod epic_fields;
pub mod fields;
pub(super) mod history;
pub mod issue;
pub(super) mod permissions;
pub mod project;
pub(super) mod seed;
pub(super) mod site;
pub(super) mod viewers;
pub(super) mod workflow;
