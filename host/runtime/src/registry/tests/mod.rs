//! Every transition in the life of a file, and of several. Nothing is compiled.

mod file_life;
mod files;
mod waiting;

use std::{
    fs::File,
    path::Path,
    sync::Arc,
    time::{Duration, SystemTime},
};

use super::{file_event::Effect, file_version::Build};
use crate::{
    loading::folder::{self, ContentDigest, Identity},
    plugin_changes::PluginChange,
    policy::admission::{self, Forbidden},
    policy::{grants::Grant, manifest::Manifest},
};

/// A version that needs the grant `jira`.
struct Numbered {
    digest: String,
    manifest: Arc<Manifest>,
}

impl Build for Numbered {
    fn digest(&self) -> &str {
        &self.digest
    }

    fn manifest(&self) -> &Arc<Manifest> {
        &self.manifest
    }

    fn check_against(&self, manifest: &Manifest) -> Result<(), Forbidden> {
        admission::check_grants(&[Grant::Jira], manifest, "a.toml")
    }

    fn under(&self, manifest: Arc<Manifest>) -> Self {
        Self { manifest, digest: self.digest.clone() }
    }
}

const GRANTED: &str = "grants = [\"jira\"]";
const NARROWED: &str = "grants = [\"jira\"]\n[limits]\nconcurrency = 1";
const DENIED: &str = "";

fn manifest(text: &str) -> Arc<Manifest> {
    Arc::new(Manifest::parse(text).unwrap())
}

fn build(number: u8) -> Arc<Numbered> {
    Arc::new(Numbered { digest: number.to_string(), manifest: manifest(GRANTED) })
}

fn content(number: u8) -> ContentDigest {
    ContentDigest([number; 32])
}

/// A file that isn't there.
fn absent() -> Identity {
    folder::identity(Path::new("nowhere"), "a.wasm")
}

/// A file that was last written at a time with these nanoseconds, as its file system tells it.
fn written(nanoseconds: u64) -> Identity {
    let folder = tempfile::tempdir().unwrap();
    let file = File::create(folder.path().join("a.wasm")).unwrap();
    let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_767_225_600);
    file.set_modified(time + Duration::from_nanos(nanoseconds)).unwrap();
    folder::identity(folder.path(), "a.wasm")
}

fn told(effects: &[Effect]) -> String {
    let told = effects.iter().map(|effect| match effect {
        Effect::Update { lenient: true } => "update leniently".to_owned(),
        Effect::Update { lenient: false } => "update".to_owned(),
        Effect::Retry => "retry".to_owned(),
        Effect::TellWait(wait) => format!("{:?} for {} s", wait.stage, wait.time.as_secs()),
        Effect::Try(known) => {
            let number = |content: Option<ContentDigest>| content.map(|content| content.0[0]);
            let withheld = known.withheld.as_ref().map(|withheld| number(withheld.content));
            format!("try, tried {:?}, withheld {:?}", number(known.tried), withheld.flatten())
        }
        Effect::Publish(plugin, change) => match change {
            PluginChange::Loaded { digest } => format!("{plugin} loaded {digest}"),
            PluginChange::Replaced { from, to } => format!("{plugin} replaced {from} {to}"),
            PluginChange::Removed => format!("{plugin} removed"),
            PluginChange::Refused { kept: None, .. } => format!("{plugin} refused"),
            PluginChange::Refused { kept: Some(kept), .. } => format!("{plugin} refused, {kept} kept"),
            other => panic!("{other:?}"),
        },
    });
    told.collect::<Vec<_>>().join("; ")
}
