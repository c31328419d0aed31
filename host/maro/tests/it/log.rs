//! What the operator reads, for tests to look at.

use std::{
    io::{self, Write},
    sync::{Arc, Mutex},
};

use tracing::{Level, subscriber::DefaultGuard};
use tracing_subscriber::{
    filter::{LevelFilter, Targets},
    fmt::MakeWriter,
    layer::SubscriberExt as _,
};

/// What is logged on this thread, while the guard lives.
#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    pub(crate) fn start() -> (Self, DefaultGuard) {
        Self::start_at(Level::INFO)
    }

    /// With everything that is as important as `level`.
    pub(crate) fn start_at(level: Level) -> (Self, DefaultGuard) {
        let log = Self::default();
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(level)
            .with_writer(log.clone())
            .without_time()
            .with_ansi(false)
            .finish()
            .with(Targets::new().with_default(level).with_target("maro::trace", LevelFilter::OFF));
        (log, tracing::subscriber::set_default(subscriber))
    }

    /// All of it.
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }

    /// The lines that contain a text, without the digest of a build and the command's id.
    pub(crate) fn lines(&self, text: &str) -> String {
        let log = self.text();
        let lines = log.lines().filter(|line| line.contains(text)).map(|line| {
            let words = line
                .split_whitespace()
                .filter(|word| !word.starts_with("incident="))
                .map(|word| if word.starts_with("digest=") && word.len() > 64 { "digest=…" } else { word });
            words.collect::<Vec<_>>().join(" ")
        });
        lines.collect::<Vec<_>>().join("\n")
    }

    /// Asserts that none of these texts was logged.
    pub(crate) fn assert_without(&self, secrets: &[&str]) {
        let log = self.text();
        for secret in secrets {
            let line = log.lines().find(|line| line.contains(secret));
            assert!(line.is_none(), "{secret} is in the log: {}", line.unwrap_or_default());
        }
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}
