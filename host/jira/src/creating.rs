//! Making issues, stories and epics, and what a project demands of them.

pub(crate) mod choosing;
pub mod create;
pub mod epic;
pub(crate) mod epic_fields;
pub(crate) mod epic_link;
pub(crate) mod field_values;
pub mod issue_types;
pub(crate) mod old_createmeta;
pub(crate) mod parents;
pub(crate) mod project_list;
pub(crate) mod projects;
mod reporter;
pub(crate) mod screen;
pub(crate) mod sprints;
pub mod stories;
