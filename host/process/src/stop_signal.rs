//! The signals that ask a process to end.

use anyhow::Context as _;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// What shells add to the number of the signal that ended a program.
const BY_SIGNAL: i32 = 128;

/// Listens for SIGTERM and SIGINT, which no longer kill the process from then on.
pub struct StopSignal {
    terminate: Signal,
    interrupt: Signal,
}

impl StopSignal {
    pub fn listen() -> anyhow::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate()).context("can't listen for SIGTERM")?,
            interrupt: signal(SignalKind::interrupt()).context("can't listen for SIGINT")?,
        })
    }

    /// Waits for the first signal, which may have arrived already. Returns the exit code that shells have for it.
    pub async fn wait(&mut self) -> i32 {
        tokio::select! {
            _ = self.terminate.recv() => BY_SIGNAL + SignalKind::terminate().as_raw_value(),
            _ = self.interrupt.recv() => BY_SIGNAL + SignalKind::interrupt().as_raw_value(),
        }
    }

    /// Does some work, unless a signal ends the process first.
    pub async fn or_exit<T>(&mut self, work: impl Future<Output = T>) -> T {
        tokio::select! {
            done = work => done,
            code = self.wait() => {
                // By now the work is dropped, and its tools are killed. A return wouldn't do: a thread may still
                // be waiting for another process.
                std::process::exit(code)
            }
        }
    }
}
