//! How long Slack is kept waiting for an answer. What takes longer is acknowledged, and the answer goes to the
//! `response_url`.
//!
//! Slack gives up after three seconds, and the answer needs some of that for its way.

use std::time::Duration;

pub(super) const COMMAND: Duration = Duration::from_millis(2_500);

pub(super) const INTERACTION: Duration = Duration::from_millis(2_300);

/// Through a connection that the bot opened. It is short, as the acknowledgements that still wait are lost with their
/// connection.
pub(super) const SOCKET: Duration = Duration::from_millis(500);
