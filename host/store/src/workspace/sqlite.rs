//! The memory of the workspace in a SQLite file.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::{
    database::{
        error::DatabaseError,
        sqlite::{
            SqliteDatabase,
            read::{Question, for_each_ask},
            statements::{StatementQueue, Statements},
        },
    },
    workspace::{OwnWorkspace, WorkspaceMemory, columns, parse},
};

const REMEMBER: &str = "
    INSERT INTO slack_workspace (number, team_id, enterprise_id, is_enterprise_install, scopes, learned_at)
    VALUES (1, ?1 ->> 0, ?1 ->> 1, CAST(?1 ->> 2 AS INTEGER), ?1 ->> 3, ?1 ->> 4)
    ON CONFLICT (number) DO UPDATE
    SET team_id = excluded.team_id, enterprise_id = excluded.enterprise_id,
        is_enterprise_install = excluded.is_enterprise_install, scopes = excluded.scopes,
        learned_at = excluded.learned_at
    RETURNING team_id";

/// `ask.value` isn't used.
const RECALL: &str = for_each_ask!(
    "SELECT json_group_array(json_array(team_id, enterprise_id, is_enterprise_install, scopes)) FROM slack_workspace"
);

pub(crate) struct SqliteWorkspaceMemory {
    database: Arc<SqliteDatabase>,
    writer: StatementQueue,
}

impl SqliteWorkspaceMemory {
    pub(crate) fn new(database: Arc<SqliteDatabase>) -> Self {
        Self { writer: StatementQueue::on(&database), database }
    }
}

#[async_trait]
impl WorkspaceMemory for SqliteWorkspaceMemory {
    async fn remember(&self, workspace: &OwnWorkspace, now: Timestamp) -> Result<(), DatabaseError> {
        let columns = columns(workspace, now).into_iter().map(|column| json!(column)).collect();
        self.writer.ask(Statements::new(&[REMEMBER], columns)).await.map(drop)
    }

    async fn recall(&self) -> Result<Option<OwnWorkspace>, DatabaseError> {
        parse(&self.database.read(Question::of(RECALL, Value::Null)).await?)
    }
}
