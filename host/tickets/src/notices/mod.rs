//! Tells channels what changed. `worker.rs` takes channels from the queue, `asking.rs` asks Jira, `finding.rs` looks
//! for what was cut off, `sifting.rs` leaves out what may not be told there, `change.rs` puts together what changed,
//! `plan.rs` says which message is next, and `telling.rs` tells it: `messages.rs` and `digest.rs` have its words,
//! `posting.rs` hands it to Slack, and `record.rs` notes what became of it. `field_changes.rs` sees what changes beside
//! the status. `schedule.rs` knows when a digest is due, and `due_digests.rs` begins it.
//!
//! A message is noted before it is sent, so it's never sent twice. While Slack refuses, what waits stays.

mod asking;
pub(crate) mod change;
mod digest;
pub mod due_digests;
pub mod field_changes;
mod finding;
mod messages;
mod plan;
mod posting;
mod record;
pub mod schedule;
mod sifting;
mod telling;
pub mod worker;
