//! The signed requests of the last minutes, so that this replica handles each of them once.
//!
//! What changes something is remembered by the database, for all replicas. This is for what changes nothing: whoever
//! sends it again is not answered again.

use std::{
    collections::{HashSet, VecDeque},
    sync::{Mutex, PoisonError},
};

use jiff::Timestamp;

use maro_slack::signature::RequestId;

/// How long a request is remembered, in seconds: a signature is valid from 300 s before its time to 300 s after it.
const WINDOW_SECONDS: i64 = 601;

/// How many are remembered at most, in some 5 MB.
const MAX_REMEMBERED: usize = 65_536;

#[derive(Default)]
pub(crate) struct SeenRequests(Mutex<Seen>);

#[derive(Default)]
struct Seen {
    ids: HashSet<RequestId>,
    /// Oldest first, each with the second in which it came.
    order: VecDeque<(i64, RequestId)>,
}

impl SeenRequests {
    /// Whether a request comes for the first time. From now on it is seen.
    pub(crate) fn is_new(&self, id: RequestId, now: Timestamp) -> bool {
        let now = now.as_second();
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some(&(at, oldest)) = seen.order.front()
            && (at < now - WINDOW_SECONDS || seen.order.len() >= MAX_REMEMBERED)
        {
            seen.order.pop_front();
            seen.ids.remove(&oldest);
        }
        let is_new = seen.ids.insert(id);
        if is_new {
            seen.order.push_back((now, id));
        }
        is_new
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u32) -> RequestId {
        let mut id = [0; 16];
        id[..4].copy_from_slice(&number.to_be_bytes());
        id
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_531_420_618 + second).unwrap()
    }

    #[test]
    fn a_request_is_new_once_as_long_as_its_signature_is_valid() {
        let seen = SeenRequests::default();
        assert!(seen.is_new(id(1), at(-300)));
        assert!(!seen.is_new(id(1), at(0)));
        assert!(seen.is_new(id(2), at(0)));
        assert!(!seen.is_new(id(1), at(300)));
        assert!(seen.is_new(id(1), at(302)), "nobody could send it any more");
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let seen = SeenRequests::default();
        let most = u32::try_from(MAX_REMEMBERED).unwrap();
        assert!((0..=most).all(|number| seen.is_new(id(number), at(0))));
        assert!(!seen.is_new(id(most), at(0)));
        assert!(seen.is_new(id(0), at(0)), "the oldest was forgotten");
        assert_eq!(seen.0.lock().unwrap().ids.len(), MAX_REMEMBERED);
    }
}
