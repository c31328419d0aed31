//! One attempt to load a file: read it, and load what is new of it.

use std::{io, pin::pin, sync::Arc, time::Duration};

use tokio::time::timeout;

use crate::{
    loading::{
        error::LoadError,
        folder::{self, ContentDigest, Identity, PluginFile},
        progress::Progress,
    },
    policy::manifest::Manifest,
    registry::{
        Registry, case_replay,
        file_event::{AttemptNumber, AttemptOutcome, Event, Known, Refused},
        files::Attempt,
    },
    running::plugin::LoadedPlugin,
};
use maro_texts as texts;

/// How long reading a file may take: a file on a network may never arrive.
const READING_TIME: Duration = Duration::from_secs(10);

/// How often a file is read if it changes while it is being read, and the pause in between.
const READINGS: usize = 10;
const READING_PAUSE: Duration = Duration::from_millis(100);

/// How long loading a file may take before it is shown, and before another manifest for the component that runs
/// applies to it.
const MOMENT: Duration = Duration::from_millis(500);

impl Registry {
    /// As [`Registry::attempt`], but also tries again what was refused, and waits until the file holds still.
    pub(super) async fn insist(&self, name: &str) -> Option<Attempt> {
        for _ in 0..READINGS {
            if let Some(attempt) = self.attempt(name, true).await {
                return Some(attempt);
            }
            tokio::time::sleep(READING_PAUSE).await;
        }
        let identity = self.identity(name).await?;
        let (attempt_number, _) = self.files().begin(name, true, &identity, None)?;
        let outcome = AttemptOutcome::Refused(Refused::unread(LoadError::Unsettled));
        Some(Attempt { file: name.to_owned(), identity, attempt_number, outcome })
    }

    /// Reads a file and loads what has changed. `None` if the file changed meanwhile, or another attempt has the same
    /// content in hand.
    pub(super) async fn attempt(&self, name: &str, again: bool) -> Option<Attempt> {
        let before = self.identity(name).await?;
        let read = self.read(name).await;
        if self.identity(name).await? != before {
            return None;
        }
        let content = read.as_ref().ok().map(PluginFile::content);
        let (attempt_number, known) = loop {
            let begun = self.files().begin(name, again, &before, content);
            match begun {
                Some(begun) => break begun,
                // Two who insist on the same would put an end to one another again and again.
                None if again => self.no_longer_in_hand(name, content).await,
                None => return None,
            }
        };
        self.changed.send_replace(());
        let _in_hand = InHand { registry: self, name, attempt_number };
        let outcome = tokio::select! {
            outcome = self.try_patiently(name, attempt_number, read, &before, known) => outcome,
            () = self.superseded(name, attempt_number) => return None,
        };
        // A compiler takes its time, and what was read may be an older file by now.
        let identity = self.identity_of(name, before, content).await?;
        Some(Attempt { file: name.to_owned(), identity, attempt_number, outcome })
    }

    /// Waits until no attempt has this content in hand.
    async fn no_longer_in_hand(&self, name: &str, content: Option<ContentDigest>) {
        let mut changed = self.changed.subscribe();
        while self.files().is_in_hand(name, content) {
            if changed.changed().await.is_err() {
                return;
            }
        }
    }

    /// Waits until a later attempt has begun.
    async fn superseded(&self, name: &str, attempt_number: AttemptNumber) {
        let mut changed = self.changed.subscribe();
        while self.files().is_latest(name, attempt_number) {
            if changed.changed().await.is_err() {
                // Nobody closes this channel.
                std::future::pending::<()>().await;
            }
        }
    }

    /// How the file looks now, if its content is still this: somebody may have written the same again.
    async fn identity_of(
        &self,
        name: &str,
        before: Identity,
        content: Option<ContentDigest>,
    ) -> Option<Identity> {
        let now = self.identity(name).await?;
        if now == before {
            return Some(now);
        }
        let read = self.read(name).await.ok()?.content();
        let is_same = content == Some(read) && self.identity(name).await? == now;
        is_same.then_some(now)
    }

    /// Shows it if it takes long.
    async fn try_patiently(
        &self,
        name: &str,
        attempt_number: AttemptNumber,
        read: io::Result<PluginFile>,
        before: &Identity,
        known: Known,
    ) -> AttemptOutcome {
        let running = self.files().running(name).cloned();
        let is_same = running.as_ref().is_some_and(|plugin| {
            read.as_ref().is_ok_and(|file| plugin.digest() == hex::encode(file.digest))
        });
        let manifest = read.as_ref().ok().and_then(manifest_of).filter(|_| is_same);
        let mut trying = pin!(self.try_out(name, read, before, known, running));
        if let Ok(outcome) = timeout(MOMENT, &mut trying).await {
            return outcome;
        }
        self.change(|files| {
            let mut effects = files.step(name, Event::TakesLong(attempt_number));
            // The component stays, so its new manifest needn't wait for anything. A new component brings its
            // manifest along.
            let read =
                manifest.map(|manifest| files.step(name, Event::ManifestRead { attempt_number, manifest }));
            effects.extend(read.into_iter().flatten());
            effects
        });
        trying.await
    }

    async fn try_out(
        &self,
        name: &str,
        read: io::Result<PluginFile>,
        before: &Identity,
        known: Known,
        running: Option<Arc<LoadedPlugin>>,
    ) -> AttemptOutcome {
        let file = match read {
            Ok(file) => file,
            Err(error) if before.is_absent() && error.kind() == io::ErrorKind::NotFound => {
                return AttemptOutcome::Gone;
            }
            Err(error) => {
                let manifest = self.read_manifest(name).await;
                let unread = Refused::unread(LoadError::Unreadable(error));
                return AttemptOutcome::Refused(Refused { manifest, ..unread });
            }
        };
        let content = file.content();
        if Some(content) == known.tried {
            return AttemptOutcome::Unchanged;
        }
        if let Some(withheld) = known.withheld.filter(|withheld| withheld.content == Some(content)) {
            return AttemptOutcome::Refused(withheld);
        }
        let (digest, manifest) = (Some(hex::encode(file.digest)), manifest_of(&file));
        match self.admit(file, running.as_deref(), &known.progress).await {
            Ok(plugin) => AttemptOutcome::Loaded { content, plugin: Arc::new(plugin) },
            Err(reason) => {
                AttemptOutcome::Refused(Refused { content: Some(content), digest, manifest, reason })
            }
        }
    }

    /// The manifest of a file, if it can be understood.
    async fn read_manifest(&self, name: &str) -> Option<Arc<Manifest>> {
        let (dir, name) = (self.dir.clone(), name.to_owned());
        let reading = tokio::task::spawn_blocking(move || folder::read_manifest(&dir, &name));
        let text = reading.await.ok()?.ok()?;
        Manifest::parse(text.as_deref().unwrap_or("")).ok().map(Arc::new)
    }

    /// Everything that a new version must pass before it may run. `running` is the one before.
    async fn admit(
        &self,
        file: PluginFile,
        running: Option<&LoadedPlugin>,
        progress: &Arc<Progress>,
    ) -> Result<LoadedPlugin, LoadError> {
        let loader = &self.loader;
        let (content, dir, is_rolled_back) = (file.content(), file.dir.clone(), file.instead_of.is_some());
        let (names, metrics, events) = (self.reserved_names, &self.metrics, &self.events);
        let mut plugin = loader.load(file, running, names, metrics, events, progress).await?;
        case_replay::admit(&mut plugin, &dir, progress).await?;
        if is_rolled_back {
            let kept = dir.file_name().unwrap_or_default().to_string_lossy().into_owned();
            plugin.set_content(kept);
            plugin.warn(texts::plugins::refused_files::ROLLED_BACK.to_owned());
        } else {
            plugin.set_content(hex::encode(content.0));
        }
        if let Some(running) = running {
            plugin.succeed(running);
        }
        Ok(plugin)
    }

    async fn identity(&self, name: &str) -> Option<Identity> {
        let (dir, name) = (self.dir.clone(), name.to_owned());
        tokio::task::spawn_blocking(move || folder::identity(&dir, &name)).await.ok()
    }

    async fn read(&self, name: &str) -> io::Result<PluginFile> {
        // Nobody closes this semaphore.
        let room = Arc::clone(&self.room).acquire_owned().await.ok();
        let (dir, name) = (self.dir.clone(), name.to_owned());
        let reading = tokio::task::spawn_blocking(move || folder::read(&dir, &name));
        let late =
            |_| io::Error::new(io::ErrorKind::TimedOut, texts::plugins::refused_files::READING_TOO_SLOW);
        let read = timeout(READING_TIME, reading).await.map_err(late)?;
        let file = self.rolled_back(read.map_err(io::Error::other)??)?;
        Ok(PluginFile { room, ..file })
    }
}

fn manifest_of(file: &PluginFile) -> Option<Arc<Manifest>> {
    Manifest::parse(file.manifest.as_deref().unwrap_or("")).ok().map(Arc::new)
}

/// An attempt that is under way until this is dropped.
struct InHand<'a> {
    registry: &'a Registry,
    name: &'a str,
    attempt_number: AttemptNumber,
}

impl Drop for InHand<'_> {
    fn drop(&mut self) {
        self.registry.change(|files| files.step(self.name, Event::TakesNoLonger(self.attempt_number)));
    }
}
