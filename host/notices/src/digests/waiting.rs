//! A digest that waits a little for what Jira doesn't say of some of its issues, so that it needn't be two messages.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

use maro_domain::ids::ChannelId;

/// How long a digest waits. What isn't known by then follows in another.
const PATIENCE: Duration = Duration::from_secs(60);

/// After this time, what waits is another digest.
const FORGOTTEN: Duration = Duration::from_secs(600);

/// Since when the digests of channels have waited.
#[derive(Debug, Default)]
pub(crate) struct DigestWaits(Mutex<HashMap<ChannelId, Instant>>);

impl DigestWaits {
    /// Whether a digest of which some isn't known waits once more.
    pub(crate) fn waits(&self, channel: &ChannelId) -> bool {
        self.waits_at(channel, Instant::now())
    }

    fn waits_at(&self, channel: &ChannelId, now: Instant) -> bool {
        let mut since = self.since();
        // Another replica may have told one, or it may have been turned off.
        since.retain(|_, since| now.saturating_duration_since(*since) < FORGOTTEN);
        let since = *since.entry(channel.clone()).or_insert(now);
        now.saturating_duration_since(since) < PATIENCE
    }

    /// A channel's digest is told.
    pub(crate) fn end(&self, channel: &ChannelId) {
        self.since().remove(channel);
    }

    fn since(&self) -> MutexGuard<'_, HashMap<ChannelId, Instant>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_waits_for_a_minute_each_time() {
        let (waits, channel) = (DigestWaits::default(), ChannelId::parse("C1").unwrap());
        let start = Instant::now();
        for day in 0..2 {
            let morning = start + Duration::from_secs(day * 86_400);
            assert!(waits.waits_at(&channel, morning));
            assert!(waits.waits_at(&channel, morning + PATIENCE / 2));
            assert!(!waits.waits_at(&channel, morning + PATIENCE));
            waits.end(&channel);
        }
        let evening = start + Duration::from_secs(12 * 3_600);
        assert!(waits.waits_at(&channel, evening));
        assert!(waits.waits_at(&channel, evening + FORGOTTEN), "another replica told the first");
    }
}
