//! The life of one file of the plugins folder: how it looks, what was tried, and which version of it runs.
//!
//! [`Life::step`] is the only way from one state to the next. It does nothing itself, and knows no other file.

use std::{mem, sync::Arc};

use tokio::time::Instant;

use crate::{
    loading::{
        error::LoadError,
        folder::{self, ContentDigest, Identity},
        progress::Progress,
    },
    plugin_changes::PluginChange,
    policy::admission::Forbidden,
    policy::manifest::Manifest,
    registry::{
        file_event::{AttemptNumber, AttemptOutcome, Effect, Event, Known, Refused},
        file_version::Build,
        quiet_time::{COARSEST_TIME, QUIET_TIME},
        retrying::Retrying,
        snapshot::RefusedFile,
        waiting::{Wait, Waiting},
    },
    running::plugin::LoadedPlugin,
};

/// One file. It is blank if nothing is known of it.
pub(super) struct Life<B = LoadedPlugin> {
    /// The file's name.
    file: String,
    /// How the watcher last saw it.
    sighting: Option<Sighting>,
    trial: Trial,
    version: Version<B>,
    /// Until what is in the file runs or is refused.
    waiting: Option<Waiting>,
    /// Why the newest version isn't the one that runs.
    refused: Option<Arc<RefusedFile>>,
}

struct Sighting {
    /// `None` if the file is gone.
    identity: Option<Identity>,
    /// When it first looked like this.
    since: Instant,
    quietness: Quietness,
}

#[derive(Clone, Copy)]
enum Quietness {
    /// Seen once in this form.
    Changing,
    /// Seen twice, and tried. A refusal isn't reported yet.
    Tried,
    /// A refusal has been reported. Another write may hide behind the file's times.
    Reported,
    /// As `Reported`, and nobody can write to it unnoticed.
    Settled,
}

/// The attempts to load the file.
#[derive(Default)]
struct Trial {
    /// The attempt that began last. What comes of earlier ones is dropped.
    latest: Option<AttemptNumber>,
    /// The content of that attempt, until it ends.
    in_hand: Option<ContentDigest>,
    /// The attempt that takes long enough to be shown.
    slow: Option<AttemptNumber>,
    /// Whether the whole folder is being loaded, and this file's attempt hasn't ended.
    is_awaited: bool,
    /// How the file looked when it was last read.
    identity: Option<Identity>,
    /// What was tried last, whether it runs or not.
    content: Option<ContentDigest>,
    /// Why the latest attempt failed, if that wasn't reported: the file may not have been whole. And how it
    /// looked.
    withheld: Option<(Identity, Refused)>,
    retrying: Retrying,
}

/// The version that people reach, however old it is.
enum Version<B> {
    None,
    Running(Arc<B>),
    /// It ran until its manifest forbade it, which the next refusal reports.
    Withdrawn {
        digest: String,
        why: Forbidden,
    },
}

impl<B: Build> Life<B> {
    /// A file of which nothing is known.
    pub(super) fn new(file: &str) -> Self {
        Self {
            file: file.to_owned(),
            sighting: None,
            trial: Trial::default(),
            version: Version::None,
            waiting: None,
            refused: None,
        }
    }

    /// The next state, and what is to be done.
    pub(super) fn step(mut self, event: Event<B>) -> (Self, Vec<Effect>) {
        let effects = match event {
            Event::Awaited => self.set_awaited(true),
            Event::NotAwaited => self.set_awaited(false),
            // The load of the whole folder takes care of it.
            Event::Seen { .. } if self.trial.is_awaited => Vec::new(),
            Event::Seen { identity, is_busy, at } => self.see(identity, is_busy, at),
            Event::Begun { attempt_number, again, identity, content } => {
                self.begin(attempt_number, again, &identity, content)
            }
            Event::Ticked { at } => self.tick(at),
            Event::TakesNoLonger(attempt_number) => self.hide(attempt_number),
            Event::TakesLong(attempt_number) if self.is_latest(attempt_number) => self.show(attempt_number),
            Event::ManifestRead { attempt_number, manifest } if self.is_latest(attempt_number) => {
                self.obey(&manifest)
            }
            Event::Ended { attempt_number, identity, outcome, lenient, at }
                if self.is_latest(attempt_number) =>
            {
                self.end(identity, outcome, lenient, at)
            }
            // Of an attempt that is stale.
            Event::TakesLong(_) | Event::ManifestRead { .. } | Event::Ended { .. } => Vec::new(),
        };
        (self, effects)
    }

    /// Whether no later attempt than this one has begun.
    pub(super) fn is_latest(&self, attempt_number: AttemptNumber) -> bool {
        self.trial.latest == Some(attempt_number)
    }

    /// Whether it needn't be kept.
    pub(super) fn is_blank(&self) -> bool {
        self.sighting.is_none() && !self.was_tried() && !self.trial.is_awaited
    }

    /// Whether an attempt has begun since it was last found to be gone.
    pub(super) fn was_tried(&self) -> bool {
        self.trial.latest.is_some()
    }

    /// Whether there may soon be another version, which has taken a while, or a first one.
    pub(super) fn is_loading(&self) -> bool {
        self.trial.slow.is_some() || (self.is_undecided() && self.is_expected())
    }

    /// Whether nothing runs and nothing was refused.
    fn is_undecided(&self) -> bool {
        self.running().is_none() && self.refused.is_none()
    }

    fn is_expected(&self) -> bool {
        let is_there = self.sighting.as_ref().is_some_and(|sighting| sighting.identity.is_some());
        is_there || self.trial.is_awaited || self.trial.in_hand.is_some()
    }

    pub(super) fn running(&self) -> Option<&Arc<B>> {
        match &self.version {
            Version::Running(plugin) => Some(plugin),
            Version::None | Version::Withdrawn { .. } => None,
        }
    }

    /// Why the newest version doesn't run.
    pub(super) fn refusal(&self) -> Option<&Arc<RefusedFile>> {
        self.refused.as_ref()
    }

    /// How long people have been waiting for what is in the file, if that is long.
    pub(super) fn wait(&self, at: Instant) -> Option<Wait> {
        self.waiting.as_ref()?.wait(at)
    }

    /// The plugin's name: its file's.
    fn name(&self) -> String {
        folder::stem(&self.file).to_owned()
    }

    fn set_awaited(&mut self, is_awaited: bool) -> Vec<Effect> {
        self.trial.is_awaited = is_awaited;
        Vec::new()
    }

    /// Lets the watcher start from what has been read.
    fn recall(&mut self, at: Instant) {
        self.sighting = self.trial.identity.clone().map(|identity| {
            let quietness = if identity.is_coarse() { Quietness::Reported } else { Quietness::Settled };
            Sighting { identity: Some(identity), since: at, quietness }
        });
    }

    fn see(&mut self, identity: Option<Identity>, is_busy: bool, at: Instant) -> Vec<Effect> {
        let Some(sighting) = self.sighting.as_mut().filter(|sighting| sighting.identity == identity) else {
            if self.sighting.is_some() || identity.is_some() {
                self.sighting = Some(Sighting { identity, since: at, quietness: Quietness::Changing });
                let waiting = self.waiting.get_or_insert_with(|| Waiting::since(at));
                if self.trial.in_hand.is_none() {
                    waiting.on_file();
                }
            }
            // An update that is under way goes on: the content may be the same.
            return Vec::new();
        };
        let seen_for = at.duration_since(sighting.since);
        let is_coarse = sighting.identity.as_ref().is_some_and(Identity::is_coarse);
        let (quietness, lenient) = match sighting.quietness {
            Quietness::Changing => (Quietness::Tried, true),
            Quietness::Tried if is_busy => return Vec::new(),
            Quietness::Tried if identity.is_none() => {
                self.sighting = None;
                return Vec::new();
            }
            Quietness::Tried if seen_for < QUIET_TIME => return Vec::new(),
            Quietness::Tried if seen_for < COARSEST_TIME && is_coarse => (Quietness::Reported, false),
            Quietness::Tried => (Quietness::Settled, false),
            Quietness::Reported if seen_for < COARSEST_TIME => return Vec::new(),
            Quietness::Reported => (Quietness::Settled, false),
            Quietness::Settled => return Vec::new(),
        };
        sighting.quietness = quietness;
        vec![Effect::Update { lenient }]
    }

    /// Whether an attempt with this content is under way.
    pub(super) fn has_in_hand(&self, content: Option<ContentDigest>) -> bool {
        content.is_some() && self.trial.in_hand == content
    }

    /// What was tried before isn't tried again, unless it was refused and the file has been written again since:
    /// what it depends on may have changed, too.
    fn begin(
        &mut self,
        attempt_number: AttemptNumber,
        again: bool,
        identity: &Identity,
        content: Option<ContentDigest>,
    ) -> Vec<Effect> {
        if self.has_in_hand(content) {
            return Vec::new();
        }
        self.trial.latest = Some(attempt_number);
        self.trial.in_hand = content;
        let withheld = self.trial.withheld.take().filter(|(seen, _)| !again && seen == identity);
        let counts = self.refused.is_none() || (!again && self.trial.identity.as_ref() == Some(identity));
        let progress = Arc::new(Progress::default());
        let waiting = self.waiting.get_or_insert_with(|| Waiting::since(progress.begun_at));
        waiting.on(Arc::clone(&progress));
        vec![Effect::Try(Known {
            tried: self.trial.content.filter(|_| counts),
            withheld: withheld.map(|(_, refused)| refused),
            progress,
        })]
    }

    fn tick(&mut self, at: Instant) -> Vec<Effect> {
        let is_due = self.trial.retrying.take_due(at);
        let wait = self.waiting.as_mut().and_then(|waiting| waiting.news(at));
        is_due.then_some(Effect::Retry).into_iter().chain(wait.map(Effect::TellWait)).collect()
    }

    fn show(&mut self, attempt_number: AttemptNumber) -> Vec<Effect> {
        self.trial.slow = Some(attempt_number);
        Vec::new()
    }

    fn hide(&mut self, attempt_number: AttemptNumber) -> Vec<Effect> {
        self.trial.slow.take_if(|slow| *slow == attempt_number);
        if self.is_latest(attempt_number) {
            self.trial.in_hand = None;
        }
        Vec::new()
    }

    fn end(
        &mut self,
        identity: Identity,
        outcome: AttemptOutcome<B>,
        lenient: bool,
        at: Instant,
    ) -> Vec<Effect> {
        self.trial.in_hand = None;
        let outcome = match outcome {
            AttemptOutcome::Refused(refused) if lenient => {
                self.trial.withheld = Some((identity, refused));
                return Vec::new();
            }
            outcome => outcome,
        };
        self.waiting = None;
        self.trial.identity = Some(identity);
        let was_awaited = mem::take(&mut self.trial.is_awaited);
        let effects = match outcome {
            AttemptOutcome::Unchanged => Vec::new(),
            AttemptOutcome::Gone => {
                let effects = self.vanish();
                // How it looked before isn't news.
                self.sighting.take_if(|_| was_awaited);
                return effects;
            }
            AttemptOutcome::Refused(refused) => self.refuse(refused, at),
            AttemptOutcome::Loaded { content, plugin } => {
                self.trial.content = Some(content);
                self.trial.retrying = Retrying::default();
                self.run(plugin)
            }
        };
        if was_awaited {
            self.recall(at);
        }
        effects
    }

    fn vanish(&mut self) -> Vec<Effect> {
        let gone = mem::replace(self, Self::new(&self.file));
        self.sighting = gone.sighting;
        match gone.version {
            Version::Running(_) => vec![Effect::Publish(self.name(), PluginChange::Removed)],
            Version::None | Version::Withdrawn { .. } => Vec::new(),
        }
    }

    fn run(&mut self, plugin: Arc<B>) -> Vec<Effect> {
        self.refused = None;
        let to = plugin.digest().to_owned();
        let change = match mem::replace(&mut self.version, Version::Running(plugin)) {
            Version::Running(earlier) => PluginChange::Replaced { from: earlier.digest().to_owned(), to },
            Version::None | Version::Withdrawn { .. } => PluginChange::Loaded { digest: to },
        };
        vec![Effect::Publish(self.name(), change)]
    }

    /// Refuses a version. The one before it keeps running as far as the manifest allows.
    fn refuse(&mut self, refused: Refused, at: Instant) -> Vec<Effect> {
        let Refused { content, digest, manifest, reason } = refused;
        self.trial.retrying.fail(&reason, at);
        let mut effects = manifest.map(|manifest| self.obey(&manifest)).unwrap_or_default();
        let reason = self.with_withdrawal(digest.as_deref(), reason);
        let was_reported = self.refusal().is_some_and(|reported| {
            self.trial.content == content
                && (content.is_some() || reported.reason.to_string() == reason.to_string())
        });
        if !was_reported {
            let change = PluginChange::Refused {
                reason: reason.to_string(),
                in_public: reason.in_public(),
                of_the_machine: reason.is_of_the_machine(),
                kept: self.running().map(|_| self.name()),
                content: content.map_or_else(|| reason.to_string(), |content| hex::encode(content.0)),
            };
            effects.push(Effect::Publish(self.file.clone(), change));
        }
        self.trial.content = content;
        self.refused = Some(Arc::new(RefusedFile { file: self.file.clone(), reason }));
        effects
    }

    /// The reason for a refusal of the component with this digest, with why the earlier version was stopped.
    fn with_withdrawal(&mut self, digest: Option<&str>, reason: LoadError) -> LoadError {
        match mem::replace(&mut self.version, Version::None) {
            Version::Withdrawn { digest: withdrawn, why } if digest == Some(&withdrawn) => {
                LoadError::Withdrawn(why)
            }
            Version::Withdrawn { why, .. } => LoadError::NoVersion { reason: Box::new(reason), earlier: why },
            version => {
                self.version = version;
                reason
            }
        }
    }

    /// Stops the version that runs if `manifest` forbids it, or puts it under that manifest.
    fn obey(&mut self, manifest: &Arc<Manifest>) -> Vec<Effect> {
        let Some(running) = self.running().filter(|running| **running.manifest() != **manifest) else {
            return Vec::new();
        };
        let (name, digest) = (self.name(), running.digest().to_owned());
        match running.check_against(manifest) {
            Ok(()) => {
                self.version = Version::Running(Arc::new(running.under(Arc::clone(manifest))));
                vec![Effect::Publish(name, PluginChange::Replaced { from: digest.clone(), to: digest })]
            }
            Err(why) => {
                self.version = Version::Withdrawn { digest, why };
                vec![Effect::Publish(name, PluginChange::Removed)]
            }
        }
    }
}
