//! What people are shown: every message and answer, and how a terminal prints them.

pub(super) mod changes;
pub mod history;
pub(super) mod responses;
pub mod terminal;
