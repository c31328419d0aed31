//! Whether a request is what its sender signed: read within limits, checked, and handled once; and whose workspace
//! they come from.

pub(super) mod refusals;
pub(super) mod replays_without_effect;
pub(super) mod signed;
pub(super) mod strangers;
pub(super) mod unsigned_body;
