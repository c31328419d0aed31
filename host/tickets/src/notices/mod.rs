//! Tells channels what changed. `worker.rs` takes channels from the queue, `asking.rs` asks Jira, `recovery.rs` looks
//! for what was cut off, `filter.rs` leaves out what may not be told there, `change.rs` puts together what changed,
//! `plan.rs` says which message is next, and `delivery.rs` tells it: `messages.rs` and `digest.rs` have its words,
//! `posting.rs` hands it to Slack, and `record.rs` notes what became of it. `field_changes.rs` sees what changes beside
//! the status. `digest_schedule.rs` knows when a digest is due, `due_digests.rs` begins it, and `digest_waits.rs`
//! has it wait for what Jira doesn't say at once.
//!
//! A message is noted before it is sent, so it's never sent twice. While Slack refuses, what waits stays.

mod asking;
pub(crate) mod change;
mod delivery;
mod digest;
pub mod digest_schedule;
mod digest_waits;
pub mod due_digests;
pub mod field_changes;
mod filter;
mod messages;
mod plan;
mod posting;
mod record;
mod recovery;
pub mod worker;
