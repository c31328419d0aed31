//! Whether a change fits into what a plugin may store. How much that is comes from its limits.

use crate::plugin_storage::change::{Change, Changed, Condition};

/// The limits. A change that makes nothing larger is allowed even above them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    /// The number of keys in one space.
    pub keys: u32,
    /// The bytes of keys and values in one space.
    pub bytes: u64,
    /// The bytes of one plugin's keys and values in all its spaces.
    pub plugin_bytes: u64,
}

/// What the database contains before a change.
pub(super) struct Before {
    /// The value's size in bytes, if there is one, also if it has expired.
    pub(super) value_bytes: Option<u64>,
    /// Whether there is one that hasn't expired.
    pub(super) is_live: bool,
    /// Whether the value is the expected one. `false` if none is expected.
    pub(super) is_expected: bool,
    pub(super) keys: u64,
    pub(super) bytes: u64,
    pub(super) plugin_bytes: u64,
}

/// How a change affects the usage figures of its space. `None` if there is nothing to remove.
pub(super) struct Difference {
    pub(super) keys: i64,
    pub(super) bytes: i64,
}

/// Decides on a change, the same way for both databases.
///
/// # Errors
/// Why the change isn't made.
pub(super) fn decide(change: Change<'_>, before: &Before, quota: Quota) -> Result<Difference, Changed> {
    let (had_value, has_row) = (before.is_live, before.value_bytes.is_some());
    let holds = match change.condition {
        Condition::Any => true,
        Condition::Is(None) => !had_value,
        Condition::Is(Some(_)) => before.is_expected,
    };
    if !holds {
        return Err(Changed::ConditionFails);
    }
    if change.new.is_none() && !had_value {
        return Err(Changed::Yes { had_value });
    }
    let size = |value: u64| i64::try_from(change.key.len() as u64 + value).unwrap_or(i64::MAX);
    let old = before.value_bytes.map_or(0, size);
    let new = change.new.map_or(0, |value| size(value.len() as u64));
    let keys = i64::from(change.new.is_some()) - i64::from(has_row);
    let bytes = new - old;
    let over = |used: u64, more: i64, limit: u64| more > 0 && used.saturating_add_signed(more) > limit;
    if over(before.keys, keys, u64::from(quota.keys))
        || over(before.bytes, bytes, quota.bytes)
        || over(before.plugin_bytes, bytes, quota.plugin_bytes)
    {
        return Err(Changed::Full);
    }
    Ok(Difference { keys, bytes })
}
