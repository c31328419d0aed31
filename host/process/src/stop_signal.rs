//! The signals that ask a process to end, and those that must not end a server.

use std::{
    fs,
    future::pending,
    io::{IsTerminal as _, stdin},
};

use anyhow::Context as _;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// What shells add to the number of the signal that ended a program.
const BY_SIGNAL: i32 = 128;

/// Listens for SIGTERM, SIGINT and SIGQUIT, which no longer kill the process from then on.
pub struct StopSignal {
    terminate: Signal,
    interrupt: Signal,
    quit: Signal,
    hangup: Option<Signal>,
}

impl StopSignal {
    pub fn listen() -> anyhow::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate()).context("can't listen for SIGTERM")?,
            interrupt: signal(SignalKind::interrupt()).context("can't listen for SIGINT")?,
            quit: signal(SignalKind::quit()).context("can't listen for SIGQUIT")?,
            hangup: None,
        })
    }

    /// As [`StopSignal::listen`], for a command that works for the person at a terminal: it also listens for SIGHUP, which
    /// says that the terminal is closed, unless whoever started it has that ignored, as `nohup` does.
    pub fn listen_in_terminal() -> anyhow::Result<Self> {
        let hangup = (!hangup_is_ignored()).then(|| signal(SignalKind::hangup()));
        Ok(Self { hangup: hangup.transpose().context("can't listen for SIGHUP")?, ..Self::listen()? })
    }

    /// Waits for the first signal, which may have arrived already. Returns the exit code that shells have for it.
    pub async fn wait(&mut self) -> i32 {
        let hung_up = async {
            match &mut self.hangup {
                Some(hangup) => drop(hangup.recv().await),
                None => pending().await,
            }
        };
        let kind = tokio::select! {
            _ = self.terminate.recv() => SignalKind::terminate(),
            _ = self.interrupt.recv() => SignalKind::interrupt(),
            _ = self.quit.recv() => SignalKind::quit(),
            () = hung_up => SignalKind::hangup(),
        };
        BY_SIGNAL + kind.as_raw_value()
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

/// Whether this process, and so all that it starts, was started to ignore SIGHUP, as by `nohup`.
pub fn hangup_is_ignored() -> bool {
    fs::read_to_string("/proc/self/status").is_ok_and(|status| ignores_hangup(&status))
}

/// Whether a process ignores SIGHUP, as the system describes it: a bit for each signal, in hexadecimal.
fn ignores_hangup(status: &str) -> bool {
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    ignored.is_some_and(|mask| u64::from_str_radix(mask.trim(), 16).is_ok_and(|mask| mask & 1 == 1))
}

/// The signals by which many servers read their settings or open their log again. They end a process that doesn't listen.
pub struct OtherSignals {
    hangup: Signal,
    user_defined: [Signal; 2],
    /// Whether the process was started in a terminal: then SIGHUP says that it's closed.
    is_in_terminal: bool,
}

impl OtherSignals {
    pub fn listen() -> anyhow::Result<Self> {
        Ok(Self {
            hangup: signal(SignalKind::hangup()).context("can't listen for SIGHUP")?,
            user_defined: [
                signal(SignalKind::user_defined1()).context("can't listen for SIGUSR1")?,
                signal(SignalKind::user_defined2()).context("can't listen for SIGUSR2")?,
            ],
            is_in_terminal: stdin().is_terminal(),
        })
    }

    /// Ignores them, with a line in the log, until the terminal is closed.
    pub async fn ignore(mut self) {
        let [first, second] = &mut self.user_defined;
        loop {
            let name = tokio::select! {
                _ = self.hangup.recv() => "SIGHUP",
                _ = first.recv() => "SIGUSR1",
                _ = second.recv() => "SIGUSR2",
            };
            if name == "SIGHUP" && self.is_in_terminal {
                return;
            }
            tracing::info!(
                signal = name,
                "ignoring a signal: changed files take effect without one, and SIGTERM stops MARO"
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_systems_mask_tells_whether_a_hangup_is_ignored() {
        assert!(ignores_hangup("SigBlk:\t0000000000000000\nSigIgn:\t0000000000001001\n"));
        assert!(!ignores_hangup("SigBlk:\t0000000000000001\nSigIgn:\t0000000000001000\n"));
        assert!(!ignores_hangup(""));
    }
}
