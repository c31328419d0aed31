//! What a guest prints: its end is kept for the operator, the rest is dropped.
//!
//! The end, because that's where a panic appears. The rest is dropped without an error, because printing a
//! lot isn't wrong.

use std::{
    collections::VecDeque,
    io,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
};

use tokio::io::AsyncWrite;
use wasmtime_wasi::{
    cli::{IsTerminal, StdoutStream},
    p2::{OutputStream, Pollable, StreamError, StreamResult},
};

/// How much is kept, in bytes.
const KEPT_BYTES: usize = 4 * 1024;

/// Standard output and standard error of one invocation, together. All clones share them.
#[derive(Debug, Clone, Default)]
pub(super) struct Printed {
    end: Arc<Mutex<VecDeque<u8>>>,
}

impl Printed {
    /// The end of what was printed.
    pub(super) fn text(&self) -> String {
        let end: Vec<u8> = self.end().iter().copied().collect();
        String::from_utf8_lossy(&end).trim().to_owned()
    }

    fn add(&self, bytes: &[u8]) {
        let bytes = &bytes[bytes.len().saturating_sub(KEPT_BYTES)..];
        let mut end = self.end();
        let too_many = (end.len() + bytes.len()).saturating_sub(KEPT_BYTES);
        end.drain(..too_many);
        end.extend(bytes);
    }

    fn end(&self) -> MutexGuard<'_, VecDeque<u8>> {
        self.end.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl StdoutStream for Printed {
    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }

    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(self.clone())
    }
}

impl IsTerminal for Printed {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl OutputStream for Printed {
    fn write(&mut self, bytes: bytes::Bytes) -> StreamResult<()> {
        if bytes.len() > KEPT_BYTES {
            return Err(StreamError::trap("more was written at once than the stream allows"));
        }
        self.add(&bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(KEPT_BYTES)
    }
}

#[async_trait::async_trait]
impl Pollable for Printed {
    async fn ready(&mut self) {}
}

impl AsyncWrite for Printed {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.add(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_what_was_printed_is_kept() {
        let printed = Printed::default();
        printed.add(b"a warning\n");
        assert_eq!(printed.text(), "a warning");
        printed.add(&[b'x'; 2 * KEPT_BYTES]);
        printed.add(b"panicked at src/lib.rs:1:1\n");
        let text = printed.text();
        assert!(text.starts_with("xxx") && text.ends_with("panicked at src/lib.rs:1:1"), "{text}");
        assert_eq!(text.len(), KEPT_BYTES - 1);
    }
}
