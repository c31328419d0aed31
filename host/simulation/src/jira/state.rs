//! What the simulated site's connections share.

use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::Value;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::jira::{data::site::Site, faults::Faults, received::Received};

/// Where reports of changes wait to be sent.
pub(crate) type ReportQueue = mpsc::Sender<Value>;

/// What all connections share.
#[derive(Debug)]
pub(crate) struct SiteState {
    /// With a trailing slash.
    pub(crate) base_url: Url,
    site: Mutex<Site>,
    faults: Mutex<Faults>,
    received: Mutex<Received>,
    /// Counts the changes of issues and faults.
    pub(crate) changes: watch::Sender<u64>,
    /// Where changes are reported, once webhooks are on.
    webhooks: Mutex<Option<ReportQueue>>,
    pub(crate) stop: CancellationToken,
}

impl SiteState {
    /// The state of a site with its projects and issues.
    pub(crate) fn new(base_url: Url, stop: CancellationToken) -> Self {
        let changes = watch::Sender::new(0);
        Self {
            base_url,
            site: Mutex::new(Site::seeded(changes.clone())),
            faults: Mutex::default(),
            received: Mutex::default(),
            changes,
            webhooks: Mutex::default(),
            stop,
        }
    }

    pub(crate) fn site(&self) -> MutexGuard<'_, Site> {
        lock(&self.site)
    }

    pub(crate) fn faults(&self) -> MutexGuard<'_, Faults> {
        lock(&self.faults)
    }

    pub(crate) fn webhooks(&self) -> MutexGuard<'_, Option<ReportQueue>> {
        lock(&self.webhooks)
    }

    pub(crate) fn received(&self) -> MutexGuard<'_, Received> {
        lock(&self.received)
    }
}

/// If a test panics while holding a lock, it has already failed.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
