//! That Jira's API is at Atlassian's gateway, remembered for later starts and other replicas.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use crate::{config::Config, plugins::operators_channel::SLACKBOT, services::Services};
use maro_domain::{
    author::Author,
    ids::{ChannelId, UserId},
};
use maro_jira::client::JiraClient;
use maro_process::clock::Clock;
use maro_store::{
    audit::{Entry, Noted},
    database::error::DatabaseError,
    plugin_storage::{Change, Condition, Owner, PluginStorage, Quota, Space},
};

/// Whose it is in the database: MARO's own, as no plugin can have this name.
const KEEPER: &str = "*jira";

/// More than anybody has sites.
const QUOTA: Quota = Quota { keys: 100, bytes: 64 * 1_024, plugin_bytes: 64 * 1_024 };

/// The memory of one site's cloud id.
pub(crate) struct RememberedCloudId {
    jira: Arc<JiraClient>,
    storage: Arc<dyn PluginStorage>,
    clock: Clock,
    /// The site.
    key: String,
}

impl RememberedCloudId {
    /// Sends requests where an earlier start had to.
    pub(crate) async fn recalled(config: &Config, services: &Services) -> Self {
        let memory = Self {
            jira: Arc::clone(&services.jira),
            storage: Arc::clone(&services.plugin_storage),
            clock: services.clock.clone(),
            key: config.jira.base_url.to_string(),
        };
        memory.recall().await;
        memory
    }

    /// A failing database is logged where all calls of it pass.
    async fn recall(&self) {
        let is_needed = self.jira.location().moves().is_some();
        if is_needed && let Ok(Some(cloud_id)) = self.storage.get(self.space(), &self.key).await {
            self.jira.location().recall(&cloud_id).await;
        }
    }

    /// Remembers where requests go, until `shutdown`.
    pub(crate) async fn keep(self, shutdown: CancellationToken) {
        let Some(mut moves) = self.jira.location().moves() else { return };
        let keeping = async {
            while let Some(cloud_id) = moves.next().await {
                if self.remember(cloud_id.as_deref()).await.is_err() {
                    tracing::info!("where Jira's API is isn't remembered for the next start");
                }
            }
        };
        shutdown.run_until_cancelled(keeping).await;
    }

    async fn remember(&self, cloud_id: Option<&str>) -> Result<(), DatabaseError> {
        if self.storage.get(self.space(), &self.key).await?.as_deref() == cloud_id {
            return Ok(());
        }
        let Ok(nobody) = UserId::parse(SLACKBOT) else { return Ok(()) };
        let author = Author::host(&ChannelId::of_person(&nobody), &nobody);
        let action = if cloud_id.is_some() { "storage set" } else { "storage delete" };
        let entry = Entry { action, subject: &self.key, outcome: "done" };
        let noted = Noted { author: &author, entry, at: self.clock.now() };
        let change = Change { key: &self.key, condition: Condition::Any, new: cloud_id, expires_at: None };
        self.storage.change(self.space(), change, QUOTA, noted).await.map(drop)
    }

    fn space(&self) -> Space<'_> {
        Space { plugin: KEEPER, owner: Owner::Plugin, now: self.clock.now() }
    }
}
