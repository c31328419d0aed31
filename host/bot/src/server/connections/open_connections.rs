//! The connections that are open, at most so many. Where there is no room for a new one, another is closed: one
//! that says nothing before one that has been of use, and never one whose sender is known and waits for an answer.

use std::{
    collections::{BTreeSet, HashMap},
    num::NonZeroUsize,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use tokio::{sync::Notify, time::timeout};
use tokio_util::sync::CancellationToken;

/// The most connections, however many descriptors there are: each may hold a head and the beginning of a body.
const MOST_CONNECTIONS: u64 = 2_048;

/// The descriptors that are kept for everything but connections, in addition to those of the database.
const RESERVE: u64 = 256;

/// How long it takes at most until somebody who waits for a place looks again.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// How often it is logged that there is no room.
const TELL_AGAIN: Duration = Duration::from_secs(60);

/// How many connections there may be, with this many descriptors and connections of the database.
pub(crate) fn capacity(descriptors: u64, database_connections: Option<NonZeroUsize>) -> usize {
    let database = database_connections.map_or(0, |connections| connections.get() as u64);
    let rest = descriptors.saturating_sub(RESERVE + database);
    // Where there are very few, both sides get some.
    let most = rest.max(descriptors / 4).min(MOST_CONNECTIONS);
    usize::try_from(most).unwrap_or(usize::MAX)
}

/// What a connection is worth, the least first. Of two that are worth the same, the older goes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Worth {
    /// It has not sent a whole head yet.
    Silent,
    /// Its last request was nobody's in particular.
    IdleStranger,
    /// It has a request under way whose sender isn't known, or not yet.
    StrangersRequest,
    /// Its last request was signed.
    IdleKnown,
}

/// Room for connections.
#[derive(Debug)]
pub(super) struct Places {
    most: usize,
    open: Mutex<Open>,
    freed: Notify,
}

#[derive(Debug, Default)]
struct Open {
    /// The number of the latest one, or of the latest event.
    latest: u64,
    connections: HashMap<u64, Connection>,
    /// Those that may be closed, in the order in which they are.
    order: BTreeSet<(Worth, u64, u64)>,
    /// When it was last logged that there is no room.
    told_at: Option<Instant>,
}

#[derive(Debug)]
struct Connection {
    /// Its key in `order`. `None` while it may not be closed.
    rank: Option<(Worth, u64)>,
    is_known: bool,
    closing: CancellationToken,
}

/// Says that a connection was closed to make room.
#[derive(Debug, thiserror::Error)]
#[error("the connection is closed to make room")]
pub(super) struct Closed;

impl Places {
    pub(super) fn new(most: usize) -> Arc<Self> {
        Arc::new(Self { most: most.max(1), open: Mutex::default(), freed: Notify::new() })
    }

    /// A place for a new connection, if need be after another has left.
    pub(super) async fn enter(self: &Arc<Self>) -> ConnectionPlace {
        loop {
            let freed = self.freed.notified();
            if let Some(place) = self.try_enter() {
                return place;
            }
            // Those that can't be closed become closable without a word.
            let _ = timeout(LOOK_AGAIN, freed).await;
        }
    }

    fn try_enter(self: &Arc<Self>) -> Option<ConnectionPlace> {
        let mut open = self.open();
        if open.connections.len() >= self.most {
            open.close_one();
            open.tell(self.most);
            return None;
        }
        open.latest += 1;
        let id = open.latest;
        let closing = CancellationToken::new();
        let connection = Connection { rank: None, is_known: false, closing: closing.clone() };
        open.connections.insert(id, connection);
        open.rank(id, Some(Worth::Silent));
        Some(ConnectionPlace { places: Arc::clone(self), id, closing })
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Open {
    fn close_one(&mut self) {
        let Some((_, _, id)) = self.order.pop_first() else { return };
        if let Some(connection) = self.connections.get_mut(&id) {
            connection.rank = None;
            connection.closing.cancel();
        }
    }

    fn tell(&mut self, most: usize) {
        if self.told_at.is_none_or(|told_at| told_at.elapsed() >= TELL_AGAIN) {
            self.told_at = Some(Instant::now());
            tracing::warn!(most, "all connections are taken; the least useful ones are closed for new ones");
        }
    }

    fn rank(&mut self, id: u64, worth: Option<Worth>) {
        let Some(connection) = self.connections.get_mut(&id) else { return };
        if let Some((worth, since)) = connection.rank.take() {
            self.order.remove(&(worth, since, id));
        }
        self.latest += 1;
        connection.rank = worth.map(|worth| (worth, self.latest));
        self.order.extend(worth.map(|worth| (worth, self.latest, id)));
    }
}

/// The place of one connection, which leaves it with this.
#[derive(Debug)]
pub(in crate::server) struct ConnectionPlace {
    places: Arc<Places>,
    id: u64,
    closing: CancellationToken,
}

impl ConnectionPlace {
    /// Waits until the connection has to be closed.
    pub(super) async fn closed(&self) {
        self.closing.cancelled().await;
    }

    pub(super) fn begin_request(&self) -> Result<(), Closed> {
        let mut open = self.places.open();
        if self.closing.is_cancelled() {
            return Err(Closed);
        }
        open.rank(self.id, Some(Worth::StrangersRequest));
        Ok(())
    }

    /// The request under way is from somebody who signed it: it will be answered.
    pub(in crate::server) fn sender_is_known(&self) {
        let mut open = self.places.open();
        // Somebody who is closed at this moment sends the request again.
        if self.closing.is_cancelled() {
            return;
        }
        if let Some(connection) = open.connections.get_mut(&self.id) {
            connection.is_known = true;
        }
        open.rank(self.id, None);
    }

    /// The answer is there.
    pub(super) fn end_request(&self) {
        let mut open = self.places.open();
        if self.closing.is_cancelled() {
            return;
        }
        let is_known = open.connections.get(&self.id).is_some_and(|connection| connection.is_known);
        open.rank(self.id, Some(if is_known { Worth::IdleKnown } else { Worth::IdleStranger }));
    }
}

impl Drop for ConnectionPlace {
    fn drop(&mut self) {
        let mut open = self.places.open();
        open.rank(self.id, None);
        open.connections.remove(&self.id);
        drop(open);
        self.places.freed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn descriptors_are_kept_for_the_rest() {
        let ten = NonZeroUsize::new(10);
        assert_eq!(capacity(1_024, ten), 758);
        assert_eq!(capacity(1_024, None), 768);
        assert_eq!(capacity(256, ten), 64);
        assert_eq!(capacity(1_000_000, ten), 2_048);
        assert_eq!(capacity(1_024, NonZeroUsize::new(1_000)), 256);
    }

    fn is_closed(place: &ConnectionPlace) -> bool {
        place.closing.is_cancelled()
    }

    #[test]
    fn the_least_worth_is_closed_first_and_a_known_request_never() {
        let places = Places::new(5);
        let enter = || places.try_enter();
        let entered: Vec<_> = (0..5).map(|_| enter().unwrap()).collect();
        let [known_request, known_idle, request, idle, silent] = &entered[..] else { panic!("five") };
        for place in [known_request, known_idle, request, idle] {
            place.begin_request().unwrap();
        }
        known_request.sender_is_known();
        known_idle.sender_is_known();
        known_idle.end_request();
        idle.end_request();
        for expected in [silent, idle, request, known_idle] {
            assert!(!is_closed(expected));
            assert!(enter().is_none());
            assert!(is_closed(expected));
        }
        assert!(enter().is_none());
        assert!(!is_closed(known_request), "nobody was left to close");
        assert!(matches!(request.begin_request(), Err(Closed)));
    }

    #[test]
    fn of_two_that_are_silent_the_older_is_closed() {
        let places = Places::new(2);
        let (one, other) = (places.try_enter().unwrap(), places.try_enter().unwrap());
        assert!(places.try_enter().is_none());
        assert!(is_closed(&one) && !is_closed(&other));
    }

    #[tokio::test]
    async fn a_place_that_is_left_is_free() {
        let places = Places::new(1);
        let place = places.enter().await;
        place.begin_request().unwrap();
        place.sender_is_known();
        let waiting = tokio::spawn({
            let places = Arc::clone(&places);
            async move { places.enter().await }
        });
        tokio::task::yield_now().await;
        drop(place);
        let next = waiting.await.unwrap();
        assert!(!is_closed(&next));
        assert_eq!(places.open().connections.len(), 1);
        assert_eq!(places.open().order.len(), 1);
    }
}
