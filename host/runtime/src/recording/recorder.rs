//! Passing on what invocations did to a listener: `maro dev --record`, `maro plugin run`.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use tokio::sync::mpsc;

use crate::recording::{
    cases::Case,
    tape::{LogLine, Tape},
};

/// How many recordings wait for the listener; more are dropped.
const WAITING: usize = 256;

/// One invocation, observed.
#[derive(Debug)]
pub struct Recording {
    pub case: Case,
    pub log: Vec<LogLine>,
    /// What it wrote to standard output and standard error.
    pub printed: String,
    /// How long each of the case's calls took.
    pub call_times: Vec<Duration>,
    pub took: Duration,
}

/// Observes invocations once somebody listens. Until then it costs nothing.
#[derive(Debug, Default)]
pub struct Recorder {
    listener: OnceLock<mpsc::Sender<Recording>>,
}

impl Recorder {
    /// Everything from now on; `None` if somebody is already listening.
    pub fn listen(&self) -> Option<mpsc::Receiver<Recording>> {
        let (sender, receiver) = mpsc::channel(WAITING);
        self.listener.set(sender).is_ok().then_some(receiver)
    }

    /// A tape for an invocation, if somebody listens.
    pub(crate) fn tape(&self) -> Option<Arc<Tape>> {
        self.listener.get().map(|_| Arc::new(Tape::blank()))
    }

    /// Hands over what is on the tape of an invocation that has ended.
    pub(crate) fn publish(&self, plugin: &str, arguments: &str, tape: &Tape, took: Duration) {
        let Some(listener) = self.listener.get() else { return };
        let reel = tape.unwind();
        let Some(ending) = reel.ending else { return };
        let (calls, call_times) = reel.calls.into_iter().unzip();
        let (plugin, arguments) = (plugin.to_owned(), arguments.to_owned());
        let case = Case { plugin, arguments, calls, ending };
        if listener
            .try_send(Recording { case, log: reel.log, printed: reel.printed, call_times, took })
            .is_err()
        {
            tracing::warn!("lost a recording: they aren't read fast enough");
        }
    }
}
