//! How long people have been waiting for the content of a file, and for what.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use tokio::time::Instant;

use crate::loading::progress::{Progress, Stage};

/// How long nobody wonders.
const SOME_SECONDS: Duration = Duration::from_secs(5);

/// A wait that is long enough to be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wait {
    pub time: Duration,
    pub stage: Stage,
}

/// A wait from when the file changed until what is in it runs or is refused.
pub(super) struct Waiting {
    since: Instant,
    /// The attempt that began last, unless the file has changed since it ended.
    attempt: Option<Arc<Progress>>,
    /// What was told of it.
    told: BTreeSet<Stage>,
}

impl Waiting {
    pub(super) fn since(since: Instant) -> Self {
        Self { since, attempt: None, told: BTreeSet::new() }
    }

    /// It waits for an attempt.
    pub(super) fn on(&mut self, attempt: Arc<Progress>) {
        self.attempt = Some(attempt);
    }

    /// It waits until the file holds still.
    pub(super) fn on_file(&mut self) {
        self.attempt = None;
    }

    pub(super) fn wait(&self, at: Instant) -> Option<Wait> {
        let (time, (stage, _)) = (at.duration_since(self.since), self.stage());
        (time >= SOME_SECONDS).then_some(Wait { time, stage })
    }

    /// The wait, if it's for one thing for long and that wasn't told yet.
    pub(super) fn news(&mut self, at: Instant) -> Option<Wait> {
        let (_, since) = self.stage();
        let is_long = at.duration_since(since) >= SOME_SECONDS;
        self.wait(at).filter(|wait| is_long && self.told.insert(wait.stage))
    }

    fn stage(&self) -> (Stage, Instant) {
        self.attempt.as_ref().map_or((Stage::Changing, self.since), |attempt| attempt.stage())
    }
}
