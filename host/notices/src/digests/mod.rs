//! Digests: what changed in a channel, told at the times that it chose. `schedule.rs` knows when one is due,
//! `starting.rs` begins it, `content.rs` has what it tells and offers for removal, and `waiting.rs` has it wait for
//! what Jira doesn't say at once.

pub(crate) mod content;
pub mod schedule;
pub mod starting;
pub(crate) mod waiting;
