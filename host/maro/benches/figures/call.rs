//! A plugin's call in a fresh instance, beside the same work as a plain Rust function.
//!
//! The list comes from memory, so that only the sandbox differs: one instance made, the page copied in, the
//! reply copied out and checked, the instance wiped.

use std::{
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use async_trait::async_trait;
use jiff::Timestamp;
use maro_access::{Access, policy_settings::AccessPolicy, workspace::Workspace};
use maro_domain::{
    author::Author,
    caller::{Caller, Way},
    ids::{ChannelId, Incident, UserId},
    issue::{Issue, IssueId, IssueKey, StatusCategory},
    tracked::{
        FilteredPage, ListFilter, ListSummary, PageRequest, Removal, Source, TrackOutcome, TrackedIssue,
        TrackedPage, UntrackOutcome,
    },
};
use maro_jira::{
    client::JiraClient,
    config::{JiraConfig, JiraCredentials},
};
use maro_process::{clock::Clock, metrics::Metrics, secret::Secret};
use maro_runtime::{
    invocation::services::HostServices,
    loading::loader::PluginLoader,
    outbound::{OutboundClient, addresses::Reach},
    registry::Registry,
    running::plugin::LoadedPlugin,
};
use maro_slack::{config::SlackConfig, outgoing::render::Renderer, web_api::SlackWebApi};
use maro_store::{
    Stores,
    audit::Noted,
    config::DatabaseConfig,
    database::error::DatabaseError,
    plugin_storage::{Change, Changed, PluginStorage, Quota, Space},
    tracker::{ChannelIssueTracker, TrackRequest, jira_answers::JiraAnswers},
};
use maro_tickets::{
    announcer::Announcer, audit::Auditor, auto_track::AutoTracker, intents::exactly_once::Driver,
    intents::patience::Patience,
};
use tokio_util::task::TaskTracker;
use url::Url;

use crate::{
    native,
    rounds::{compare, microseconds},
};

const CALLS: u32 = 2_000;

pub(crate) fn run(plugins: &Path) {
    println!("A call of a plugin, without HTTP and database     plain Rust   sandboxed   ratio");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("maro.db");
    let stores = runtime.block_on(Stores::open(&DatabaseConfig::Sqlite { path })).unwrap();
    for rows in [10, 50] {
        let tracker: Arc<dyn ChannelIssueTracker> = Arc::new(ListInMemory::new(rows));
        let caller = Arc::new(Caller {
            channel: ChannelId::parse("C024BE91L").unwrap(),
            user: UserId::parse("U024BE7LH").unwrap(),
            user_name: None,
            team: None,
            foreign_team: None,
            way: Way::Typed,
            command_name: Default::default(),
            request: None,
        });
        let intents = Arc::clone(&stores.intents);
        let jira = Arc::new(JiraClient::new(&nowhere()).unwrap());
        let slack = Arc::new(SlackWebApi::new(&no_slack()));
        let workspace = Arc::new(Workspace::new(Vec::new()));
        let access = Arc::new(Access::new(AccessPolicy::default(), Arc::clone(&slack), workspace));
        let capabilities = Arc::new(HostServices {
            access: Arc::clone(&access),
            tracker: Arc::clone(&tracker),
            jira: Arc::clone(&jira),
            tickets: Arc::new(Driver {
                access,
                intents: Arc::clone(&intents),
                jira: Arc::clone(&jira),
                tracker: Arc::clone(&tracker),
                audit: Auditor { log: Arc::clone(&stores.audit), clock: Clock::system() },
                auto_tracker: AutoTracker::new(Arc::clone(&tracker), intents, Clock::system()),
                announcer: Arc::new(Announcer { slack, renderer: Renderer::new(&nowhere().base_url) }),
                notices: Arc::clone(&stores.notices),
                clock: Clock::system(),
                metrics: Arc::default(),
                patience: Patience::default(),
            }),
            outbound: OutboundClient::new(Reach::INTERNET, Default::default()),
            clock: Clock::system(),
            jira_patience: Duration::from_secs(1),
            default_project: None,
            tasks: TaskTracker::new(),
            storage: Arc::new(NothingStored),
            audit: Auditor { log: Arc::clone(&stores.audit), clock: Clock::system() },
            admins: Default::default(),
            caller_ids: Default::default(),
            recorder: Arc::default(),
        });
        let plugin = runtime.block_on(load(plugins));
        let compared = compare(
            || runtime.block_on(per_call(async || drop(native::tracked(&*tracker, &caller.channel).await))),
            || {
                runtime.block_on(per_call(async || {
                    plugin
                        .run(Arc::clone(&caller), Arc::clone(&capabilities), "", Incident(0))
                        .await
                        .unwrap();
                }))
            },
        );
        println!(
            "  tracked, {rows} rows, a fresh instance each time {:>14} {:>11} {:>7.1}",
            microseconds(compared.plain),
            microseconds(compared.sandboxed),
            compared.ratio
        );
    }
    println!();
}

async fn load(plugins: &Path) -> Arc<LoadedPlugin> {
    let loader = Arc::new(PluginLoader::new(None, None).unwrap());
    let registry = Registry::new(loader, plugins.to_owned(), &[], Arc::new(Metrics::new()), Clock::system());
    let loaded = registry.load().await.unwrap();
    Arc::clone(loaded.get("tracked").unwrap())
}

/// The seconds that one of many calls takes.
async fn per_call(call: impl AsyncFn()) -> f64 {
    let started = Instant::now();
    for _ in 0..CALLS {
        call().await;
    }
    started.elapsed().as_secs_f64() / f64::from(CALLS)
}

pub(crate) fn nowhere() -> JiraConfig {
    let credentials = JiraCredentials::DataCenter { token: Secret::new("unused") };
    JiraConfig::new(Url::parse("http://127.0.0.1:9").unwrap(), credentials)
}

fn no_slack() -> SlackConfig {
    SlackConfig::new(nowhere().base_url, Secret::new("unused"))
}

/// A list that is always there and never changes.
struct ListInMemory {
    issues: Vec<TrackedIssue>,
}

impl ListInMemory {
    fn new(rows: u32) -> Self {
        let issue = |number: u32| TrackedIssue {
            key: IssueKey::parse(&format!("SCRUM-{number}")).unwrap(),
            issue_id: Some(IssueId::new(number.to_string())),
            tracked_at: Timestamp::UNIX_EPOCH,
            tracked_by: UserId::parse("U024BE7LH").ok(),
            source: Source::Command,
            last_synced_at: None,
            last_jira_status: Some("In Progress".to_owned()),
            last_jira_summary: Some(format!("User authentication flow, part {number}")),
            last_jira_category: StatusCategory::InProgress,
            former_key: None,
            has_security_level: Some(false),
        };
        Self { issues: (1..=rows).map(issue).collect() }
    }
}

#[async_trait]
impl ChannelIssueTracker for ListInMemory {
    async fn get_tracked_issues(
        &self,
        _: &ChannelId,
        page: PageRequest,
    ) -> Result<TrackedPage, DatabaseError> {
        let issues = self.issues.iter().take(page.limit as usize).cloned().collect();
        Ok(TrackedPage { issues, more: false })
    }

    async fn get_filtered_issues(
        &self,
        channel: &ChannelId,
        _: ListFilter<'_>,
        page: PageRequest,
    ) -> Result<FilteredPage, DatabaseError> {
        let page = self.get_tracked_issues(channel, page).await?;
        let count = self.count_tracked_issues(channel).await?;
        Ok(FilteredPage { page, count, open: count })
    }

    async fn track(
        &self,
        _: TrackRequest<'_>,
        issues: &[Issue],
        _: Timestamp,
    ) -> Result<Vec<TrackOutcome>, DatabaseError> {
        Ok(vec![TrackOutcome::AlreadyTracked; issues.len()])
    }

    async fn remove(&self, _: &Author, keys: &[IssueKey], _: Timestamp) -> Result<Removal, DatabaseError> {
        Ok(Removal { outcomes: vec![UntrackOutcome::NotTracked; keys.len()], list: None })
    }

    async fn put_back(&self, _: &ChannelId, _: &[IssueKey], _: Timestamp) -> Result<(), DatabaseError> {
        Ok(())
    }

    async fn has_changed(&self, _: &ChannelId, _: &IssueKey, _: Timestamp) -> Result<bool, DatabaseError> {
        Ok(false)
    }

    async fn find_tracked_issues(
        &self,
        _: &ChannelId,
        _: &[IssueKey],
        _: &[IssueId],
    ) -> Result<Vec<TrackedIssue>, DatabaseError> {
        Ok(Vec::new())
    }

    async fn summarize(&self, _: &[ChannelId], _: u32) -> Result<Vec<ListSummary>, DatabaseError> {
        Ok(Vec::new())
    }

    async fn count_tracked_issues(&self, _: &ChannelId) -> Result<u32, DatabaseError> {
        Ok(u32::try_from(self.issues.len()).unwrap())
    }

    async fn is_tracked(&self, _: &ChannelId, keys: &[IssueKey]) -> Result<Vec<bool>, DatabaseError> {
        Ok(vec![false; keys.len()])
    }

    async fn record(&self, _: JiraAnswers) -> Result<(), DatabaseError> {
        Ok(())
    }

    async fn get_channels_tracking(&self, _: &Issue) -> Result<Vec<(ChannelId, IssueKey)>, DatabaseError> {
        Ok(Vec::new())
    }

    async fn ping(&self) -> Result<(), DatabaseError> {
        Ok(())
    }
}

/// What a plugin that keeps nothing needs.
struct NothingStored;

#[async_trait]
impl PluginStorage for NothingStored {
    async fn get(&self, _: Space<'_>, _: &str) -> Result<Option<String>, DatabaseError> {
        Ok(None)
    }

    async fn change(
        &self,
        _: Space<'_>,
        _: Change<'_>,
        _: Quota,
        _: Noted<'_>,
    ) -> Result<Changed, DatabaseError> {
        Ok(Changed::ConditionFails)
    }

    async fn add(
        &self,
        _: Space<'_>,
        _: &str,
        _: i64,
        _: Quota,
        _: Noted<'_>,
    ) -> Result<Changed, DatabaseError> {
        Ok(Changed::NoNumber)
    }

    async fn list_keys(&self, _: Space<'_>, _: &str, _: u32) -> Result<Vec<String>, DatabaseError> {
        Ok(Vec::new())
    }
}
