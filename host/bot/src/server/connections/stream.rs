//! A connection whose other end has only so long for each step: for a whole head, between two requests, and to
//! take an answer.

use std::{
    io::{self, IoSlice},
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    time::{Instant, Sleep, sleep},
};

/// How long the head of a request may take, from its first byte on, or from the beginning of the connection.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);

/// How long the other end may take over what is written to it.
const WRITE_TIMEOUT: Duration = Duration::from_secs(10);

/// Where in its exchange a connection is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Between two requests.
    Idle,
    /// In the middle of a head.
    Head,
    /// A request is under way, which has limits of its own.
    Request,
}

/// How far the exchange is, and when it must be further.
#[derive(Debug)]
pub(super) struct Progress {
    now: Mutex<(Phase, Instant)>,
    /// How long the connection may be silent between two requests.
    keep_alive: Duration,
}

impl Progress {
    /// A connection that has just begun owes a head.
    pub(super) fn new(keep_alive: Duration) -> Arc<Self> {
        let now = Mutex::new((Phase::Head, Instant::now() + HEAD_TIMEOUT));
        Arc::new(Self { now, keep_alive })
    }

    /// A whole head has arrived.
    pub(super) fn begin_request(&self) {
        self.now().0 = Phase::Request;
    }

    pub(super) fn end_request(&self) {
        *self.now() = (Phase::Idle, Instant::now() + self.keep_alive);
    }

    /// Something has arrived.
    fn received(&self) {
        let mut now = self.now();
        if now.0 == Phase::Idle {
            *now = (Phase::Head, Instant::now() + HEAD_TIMEOUT);
        }
    }

    /// When the next step must be done, unless a request is under way.
    fn deadline(&self) -> Option<Instant> {
        let (phase, deadline) = *self.now();
        (phase != Phase::Request).then_some(deadline)
    }

    fn now(&self) -> MutexGuard<'_, (Phase, Instant)> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The connection itself.
#[derive(Debug)]
pub(super) struct TimedStream {
    stream: TcpStream,
    progress: Arc<Progress>,
    reading: Pin<Box<Sleep>>,
    /// Runs while the other end takes too little.
    writing: Option<Pin<Box<Sleep>>>,
}

impl TimedStream {
    pub(super) fn new(stream: TcpStream, progress: Arc<Progress>) -> Self {
        Self { stream, progress, reading: Box::pin(sleep(HEAD_TIMEOUT)), writing: None }
    }

    /// Waits for the first byte. Until then, a connection takes no memory for what it may say.
    ///
    /// # Errors
    /// It said nothing in time, or broke.
    pub(super) async fn speaks(&self) -> io::Result<()> {
        let in_time = tokio::time::timeout(HEAD_TIMEOUT, self.stream.readable()).await;
        in_time.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))?
    }

    /// What a write came to, given that `length` bytes were to be written. The time runs from the first moment when
    /// the other end takes less, and until it has taken everything.
    fn written(
        &mut self,
        context: &mut Context<'_>,
        written: Poll<io::Result<usize>>,
        length: usize,
    ) -> Poll<io::Result<usize>> {
        match written {
            Poll::Ready(Ok(count)) if count >= length => self.writing = None,
            Poll::Ready(_) => {}
            Poll::Pending => {
                let writing = self.writing.get_or_insert_with(|| Box::pin(sleep(WRITE_TIMEOUT)));
                ready!(writing.as_mut().poll(context));
                return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
            }
        }
        written
    }
}

impl AsyncRead for TimedStream {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        if let Poll::Ready(read) = Pin::new(&mut this.stream).poll_read(context, buffer) {
            if buffer.filled().len() > before {
                this.progress.received();
            }
            return Poll::Ready(read);
        }
        let Some(deadline) = this.progress.deadline() else { return Poll::Pending };
        if this.reading.deadline() != deadline {
            this.reading.as_mut().reset(deadline);
        }
        ready!(this.reading.as_mut().poll(context));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncWrite for TimedStream {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.stream).poll_write(context, bytes);
        this.written(context, written, bytes.len())
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.stream).poll_write_vectored(context, slices);
        this.written(context, written, slices.iter().map(|slice| slice.len()).sum())
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(context)
    }
}
