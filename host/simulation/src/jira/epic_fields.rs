//! The fields that tie stories to epics on Data Center.

/// The field with the key of a story's epic.
pub(super) const EPIC_LINK: &str = "customfield_10100";

/// The field with an epic's name, which Data Center requires.
pub(super) const EPIC_NAME: &str = "customfield_10101";
