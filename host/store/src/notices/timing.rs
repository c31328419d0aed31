//! How long claims last and changes wait, for both databases.

use std::time::Duration;

/// How long a claim lasts. It has to be longer than one call of Slack's may take.
pub(crate) const CLAIM_MS: i64 = 20_000;

/// The same, for those who claim.
pub const CLAIM: Duration = Duration::from_millis(CLAIM_MS.unsigned_abs());

/// The longest pause. What is due later than that, by a good while, was written before the database's clock was set
/// back.
pub(super) const MAX_PAUSE_MS: u64 = 600_000;

/// How long a change waits, so that those that come with it are told together.
pub(crate) const GATHERING_MS: i64 = 600;
