//! The fields that tie stories to epics on Data Center, and issues to sprints.

/// The field with the key of a story's epic.
pub(crate) const EPIC_LINK: &str = "customfield_10100";

/// The field with an issue's sprints, in either edition.
pub(crate) const SPRINT: &str = "customfield_10020";

/// The field with an epic's name, which Data Center requires.
pub(crate) const EPIC_NAME: &str = "customfield_10101";
