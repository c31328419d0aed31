//! The memory of the workspace, with somebody who watches the calls.

use async_trait::async_trait;
use jiff::Timestamp;

use crate::{
    database::error::DatabaseError,
    observer::Observed,
    workspace::{OwnWorkspace, WorkspaceMemory},
};

#[async_trait]
impl WorkspaceMemory for Observed<dyn WorkspaceMemory> {
    async fn remember(&self, workspace: &OwnWorkspace, now: Timestamp) -> Result<(), DatabaseError> {
        self.watch("workspace_remember", self.table.remember(workspace, now)).await
    }

    async fn recall(&self) -> Result<Option<OwnWorkspace>, DatabaseError> {
        self.watch("workspace_recall", self.table.recall()).await
    }
}
