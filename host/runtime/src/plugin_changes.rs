//! What happens to plugins, for those who want to know: the operators' channel, the page of `maro dev`.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use jiff::Timestamp;
use tokio::sync::broadcast;

use maro_domain::ids::UserId;
use maro_process::clock::Clock;

/// How many events are kept, and how far a listener may fall behind before it misses the oldest.
const KEPT: usize = 200;

/// Something that happened to a plugin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PluginEvent {
    pub at: Timestamp,
    /// The name of the plugin, or of the file if it can't run.
    pub plugin: String,
    pub what: PluginChange,
}

/// Digests are SHA-256 of the component, in hexadecimal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PluginChange {
    /// It runs, and didn't before.
    Loaded {
        digest: String,
    },
    /// Another version runs, or the same one under another manifest.
    Replaced {
        from: String,
        to: String,
    },
    /// It no longer runs.
    Removed,
    /// A file can't run. Said once for each `content`, which stands for the component with its manifest.
    /// `in_public` is the reason without what the guest printed. `kept` is the plugin whose earlier version keeps
    /// running.
    Refused {
        reason: String,
        in_public: String,
        kept: Option<String>,
        content: String,
        /// Whether it's the machine's fault, and every plugin's alike.
        of_the_machine: bool,
    },
    Disabled {
        by: UserId,
    },
    Enabled,
    /// It failed repeatedly and isn't run until then.
    BreakerOpened {
        until: Timestamp,
    },
    BreakerClosed,
}

/// The latest events, and a way to hear about the next ones. Cheap to clone; all clones share one log.
#[derive(Debug, Clone)]
pub struct Events {
    log: Arc<EventLog>,
}

#[derive(Debug)]
struct EventLog {
    clock: Clock,
    latest: Mutex<VecDeque<PluginEvent>>,
    sender: broadcast::Sender<PluginEvent>,
}

impl Events {
    pub fn new(clock: Clock) -> Self {
        let (sender, _) = broadcast::channel(KEPT);
        Self { log: Arc::new(EventLog { clock, latest: Mutex::default(), sender }) }
    }

    /// The latest 200 events at most, oldest first, and all that follow them. A listener that falls 200
    /// behind misses the oldest, and is told so.
    pub fn subscribe(&self) -> (Vec<PluginEvent>, broadcast::Receiver<PluginEvent>) {
        let latest = self.latest();
        (latest.iter().cloned().collect(), self.log.sender.subscribe())
    }

    /// The clock that dates the events.
    pub(super) fn clock(&self) -> &Clock {
        &self.log.clock
    }

    /// Never waits for a listener.
    pub(crate) fn publish(&self, plugin: &str, what: PluginChange) {
        let event = PluginEvent { at: self.log.clock.now(), plugin: plugin.to_owned(), what };
        let mut latest = self.latest();
        if latest.len() == KEPT {
            latest.pop_front();
        }
        latest.push_back(event.clone());
        // Sent under the lock, so that both have the same order. It isn't an error if nobody listens.
        let _ = self.log.sender.send(event);
    }

    fn latest(&self) -> MutexGuard<'_, VecDeque<PluginEvent>> {
        self.log.latest.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
