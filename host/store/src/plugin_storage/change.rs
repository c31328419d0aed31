//! A change of one key's value, and what came of it.

/// What a key's value must be for a change to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Condition<'a> {
    Any,
    /// This value, or none.
    Is(Option<&'a str>),
}

impl<'a> Condition<'a> {
    /// The value that the key must have, if it must have one.
    pub fn expected(self) -> Option<&'a str> {
        match self {
            Self::Is(expected) => expected,
            Self::Any => None,
        }
    }
}

/// A change of one key's value.
#[derive(Debug, Clone, Copy)]
pub struct Change<'a> {
    pub key: &'a str,
    pub condition: Condition<'a>,
    /// The new value. `None` removes the key.
    pub new: Option<&'a str>,
    /// When the new value is gone, in seconds since 1970. `None`: never by itself.
    pub expires_at: Option<i64>,
}

/// The outcome of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Changed {
    /// The change was made.
    Yes { had_value: bool },
    /// The key's value doesn't meet the condition. Nothing was changed.
    ConditionFails,
    /// There is no room left. Nothing was changed.
    Full,
    /// The number that the value is now.
    Sum(i64),
    /// The value isn't a number, or the sum is none that fits. Nothing was changed.
    NoNumber,
}

impl Changed {
    /// Whether anything is different now.
    pub(super) fn has_changed(self, change: Change<'_>) -> bool {
        matches!(self, Self::Yes { had_value } if had_value || change.new.is_some())
            || matches!(self, Self::Sum(_))
    }
}
