//! Who may see and do what, and where.

pub(super) mod audit_log;
pub(super) mod foreign_requests;
pub(super) mod hidden_issues;
pub(super) mod hidden_summaries;
pub(super) mod long_lists;
pub(super) mod open_forms;
pub(super) mod own_rights;
pub(super) mod policy;
pub(super) mod roles;
pub(super) mod strangers;

use crate::{bot::TestBot, built_components::PluginsFolder};

/// A bot with this access policy, whose form for tickets begins with a project.
async fn ticket_bot(policy: &str) -> TestBot {
    let policy = toml::from_str(policy).unwrap();
    TestBot::with_settings(PluginsFolder::shipped(), |config| {
        config.jira.default_project = Some("SCRUM".to_owned());
        config.access = policy;
    })
    .await
}
