//! What operators' machines ask.

pub(super) mod health;
pub(super) mod once_a_second;
