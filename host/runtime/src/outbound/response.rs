//! What comes back of a request, or why nothing does.

use std::{error::Error, sync::Arc};

/// The largest body of an answer, in bytes.
pub(super) const MAX_BODY_BYTES: usize = 256 * 1024;

/// A service's answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboundResponse {
    pub status: u16,
    /// In the order of arrival. Values that aren't UTF-8 are repaired.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum OutboundError {
    /// There is no connection, it can't be trusted, or the answer isn't HTTP.
    #[error("can't reach the service")]
    Unreachable(#[source] Arc<dyn Error + Send + Sync>),
    /// The name leads only to this machine or a private network, and isn't listed as private.
    #[error("the service is in a private network")]
    Private,
    #[error("the service took too long to respond")]
    TimedOut,
    #[error("the response is too large")]
    TooLarge,
}
