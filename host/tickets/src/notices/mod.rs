//! Tells channels what changed. `worker.rs` takes channels from the queue, `sifting.rs` leaves out what may not be told
//! there, `plan.rs` says which message is next, and `sending.rs` sends it.
//!
//! A message is noted before it is sent, so it's never sent twice: what is in flight when a replica dies is lost. While
//! Slack refuses, what waits stays.

mod plan;
mod sending;
mod sifting;
pub mod worker;
