//! What works beside the requests, put together from what it stands on.

use std::sync::{Arc, Mutex};

use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    audit_upkeep::AuditUpkeep,
    claimed_notices::ClaimedNotices,
    config::Config,
    credential_notices::{CredentialNotices, Recipient},
    own_workspace,
    plugins::{operators_channel::PluginNotices, owners::OwnerNotices},
    services::Services,
};
use maro_notices::{digests::starting::DigestStarter, worker::NoticeWorker};
use maro_process::outage_log::Outage;
use maro_runtime::registry::Registry;
use maro_sync::{list_sync::ListSync, polling::ChangePolling};

/// Starts what needs nothing but the services, until `shutdown`.
pub(crate) fn start(tasks: &TaskTracker, config: &Config, services: &Services, shutdown: &CancellationToken) {
    tasks.spawn(services.keep_reading_channels(shutdown.clone()));
    tasks.spawn(own_workspace::learn(services, shutdown.clone()));
    tasks.spawn(Arc::clone(&services.leading).run(shutdown.clone()));
    tasks.spawn(status_sync(services).run(shutdown.clone()));
    tasks.spawn(recent_changes(services).run(shutdown.clone()));
    tasks.spawn(notice_worker(services).run(shutdown.clone()));
    tasks.spawn(digests(services).run(shutdown.clone()));
    tasks.spawn(Arc::clone(&services.field_changes).run(shutdown.clone()));
    tasks.spawn(Arc::clone(&services.new_issues).run(shutdown.clone()));
    tasks.spawn(audit_upkeep(config, services).run(shutdown.clone()));
}

fn status_sync(services: &Services) -> ListSync {
    ListSync {
        tracker: Arc::clone(&services.tracker),
        freshness: Arc::clone(&services.stores.freshness),
        polls: Arc::clone(&services.stores.jira_polls),
        jira: Arc::clone(&services.jira),
        clock: services.clock.clone(),
        metrics: Arc::clone(&services.metrics),
        max_age: services.sync_interval.clone(),
    }
}

/// What asks Jira for changes that no webhook reports.
fn recent_changes(services: &Services) -> ChangePolling {
    ChangePolling {
        tracker: Arc::clone(&services.tracker),
        freshness: Arc::clone(&services.stores.freshness),
        jira: Arc::clone(&services.jira),
        reading: Arc::clone(&services.reading),
        polls: Arc::clone(&services.stores.jira_polls),
        max_age: services.sync_interval.clone(),
        fields: Arc::clone(&services.field_changes),
    }
}

/// What tells channels of changes.
fn notice_worker(services: &Services) -> NoticeWorker {
    NoticeWorker {
        notices: Arc::clone(&services.stores.notices),
        reading: Arc::clone(&services.reading),
        leading: Arc::clone(&services.leading),
        access: Arc::clone(&services.access),
        slack: Arc::clone(&services.slack),
        renderer: services.renderer.clone().sealing_buttons(services.sealer.clone()),
        clock: services.clock.clone(),
    }
}

fn digests(services: &Services) -> DigestStarter {
    DigestStarter { notices: Arc::clone(&services.stores.notices), clock: services.clock.clone() }
}

fn audit_upkeep(config: &Config, services: &Services) -> AuditUpkeep {
    let log = Arc::clone(&services.audit.log);
    AuditUpkeep { log, clock: services.clock.clone(), days: config.audit_days }
}

fn claimed_notices(services: &Services) -> ClaimedNotices {
    ClaimedNotices { table: Arc::clone(&services.stores.claimed_notices), clock: services.clock.clone() }
}

/// What tells the operators' channel of plugins, if there is such a channel.
pub(crate) fn plugin_notices(
    config: &Config,
    services: &Services,
    registry: &Arc<Registry>,
) -> Option<PluginNotices> {
    Some(PluginNotices {
        registry: Arc::clone(registry),
        claims: claimed_notices(services),
        slack: Arc::clone(&services.slack),
        renderer: services.renderer.clone(),
        channel: config.plugins.channel.clone()?,
    })
}

pub(crate) fn credential_notices(config: &Config, services: &Services) -> CredentialNotices {
    CredentialNotices {
        jira: Arc::clone(&services.jira),
        slack: Arc::clone(&services.slack),
        recipient: config.plugins.channel.clone().map(|channel| Recipient {
            renderer: services.renderer.clone(),
            channel,
            claims: claimed_notices(services),
            silence: Outage::default(),
        }),
        keys: config.jira.credential_keys(),
    }
}

pub(crate) fn owner_notices(services: &Services) -> Arc<OwnerNotices> {
    Arc::new(OwnerNotices {
        claims: claimed_notices(services),
        slack: Arc::clone(&services.slack),
        renderer: services.renderer.clone(),
        tasks: services.tasks.clone(),
        seen: Mutex::default(),
    })
}
