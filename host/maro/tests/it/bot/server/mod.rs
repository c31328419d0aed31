//! Requests as they come in: what is signed, bounded and handled once.

pub(super) mod forged;
pub(crate) mod http;
pub(super) mod replayed_requests;
pub(super) mod request_limits;
pub(super) mod socket_mode;
