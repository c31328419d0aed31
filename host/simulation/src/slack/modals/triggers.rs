//! The issued `trigger_id`s. Each opens one modal within three seconds.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use jiff::{SignedDuration, Timestamp};
use rand::distr::{Alphanumeric, SampleString};

use maro_domain::ids::UserId;

const LIFETIME: SignedDuration = SignedDuration::from_secs(3);

#[derive(Debug)]
struct Trigger {
    user: UserId,
    issued_at: Timestamp,
    is_used: bool,
}

#[derive(Debug, Default)]
pub(crate) struct Triggers(Mutex<HashMap<String, Trigger>>);

impl Triggers {
    /// A new one for what `user` has just done.
    pub(crate) fn issue(&self, user: &UserId, now: Timestamp) -> String {
        let digits =
            |count| -> String { (0..count).map(|_| char::from(b'0' + rand::random_range(0..10))).collect() };
        let letters = Alphanumeric.sample_string(&mut rand::rng(), 32).to_ascii_lowercase();
        let id = format!("{}.{}.{letters}", digits(13), digits(12));
        let trigger = Trigger { user: user.clone(), issued_at: now, is_used: false };
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(id.clone(), trigger);
        id
    }

    /// Uses up a trigger and returns whose it was, or Slack's word for why it can't be used.
    pub(crate) fn exchange(&self, id: &str, now: Timestamp) -> Result<UserId, &'static str> {
        let mut triggers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let trigger = triggers.get_mut(id).ok_or("invalid_trigger_id")?;
        if trigger.is_used {
            return Err("exchanged_trigger_id");
        }
        if now.duration_since(trigger.issued_at) >= LIFETIME {
            return Err("expired_trigger_id");
        }
        trigger.is_used = true;
        Ok(trigger.user.clone())
    }
}
