//! The bot's own workspace in Slack, remembered for starts while Slack doesn't answer.
//!
//! Owns the table `slack_workspace`.

use async_trait::async_trait;
use jiff::Timestamp;
use serde::Deserialize;

use crate::database::error::DatabaseError;
use maro_domain::ids::TeamId;

pub(crate) mod observed;
pub(crate) mod postgres;
pub(crate) mod sqlite;

/// The workspace that the bot's token belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnWorkspace {
    pub team: TeamId,
    /// The organization that the workspace belongs to, if to one.
    pub enterprise: Option<TeamId>,
    /// Whether the bot is installed for the whole organization.
    pub is_enterprise_install: bool,
    /// What the app may do, such as `chat:write`. Empty if Slack doesn't say.
    pub scopes: Vec<String>,
}

/// The memory of the workspace. SQLite and PostgreSQL behave the same: one suite tests both.
#[async_trait]
pub trait WorkspaceMemory: Send + Sync {
    /// Replaces what was remembered.
    async fn remember(&self, workspace: &OwnWorkspace, now: Timestamp) -> Result<(), DatabaseError>;

    /// What was remembered last. An invalid row counts as none.
    async fn recall(&self) -> Result<Option<OwnWorkspace>, DatabaseError>;
}

/// The row, with its columns in the order of both databases' statements.
#[derive(Deserialize)]
struct StoredWorkspace(String, String, i64, String);

/// Reads an array of rows.
fn parse(json: &str) -> Result<Option<OwnWorkspace>, DatabaseError> {
    let rows: Vec<StoredWorkspace> = crate::database::error::parse(json)?;
    Ok(rows.into_iter().find_map(|StoredWorkspace(team, enterprise, is_enterprise_install, scopes)| {
        Some(OwnWorkspace {
            team: TeamId::parse(&team).ok()?,
            enterprise: TeamId::parse(&enterprise).ok(),
            is_enterprise_install: is_enterprise_install != 0,
            scopes: scopes.split_whitespace().map(str::to_owned).collect(),
        })
    }))
}

/// The values of a row, in the order of both databases' statements.
fn columns(workspace: &OwnWorkspace, now: Timestamp) -> [String; 5] {
    [
        workspace.team.to_string(),
        workspace.enterprise.as_ref().map(TeamId::to_string).unwrap_or_default(),
        u8::from(workspace.is_enterprise_install).to_string(),
        workspace.scopes.join(" "),
        crate::database::time::time_text(now),
    ]
}
