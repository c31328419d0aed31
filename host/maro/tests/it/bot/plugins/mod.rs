//! Plugins in the bot: loading and replacing them, what they may do, and those that mean harm.

pub(super) mod breaker;
pub(super) mod capabilities;
pub(super) mod details;
pub(super) mod folder;
pub(super) mod grants;
pub(super) mod hostile_components;
pub(super) mod hostile_plugins;
pub(super) mod hot_reload;
pub(super) mod jira_capabilities;
pub(super) mod limits;
pub(super) mod neighbours;
pub(super) mod notices;
pub(super) mod optional_plugins;
pub(super) mod owners;
pub(super) mod recorded_cases;
pub(super) mod released_plugins;
pub(super) mod roll_backs;
pub(super) mod serving;
pub(super) mod switches;
pub(super) mod two_of_a_kind;
