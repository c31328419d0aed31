//! Tells channels what changed. `worker.rs` takes channels from the queue, `issues_as_jira_shows_now.rs` asks Jira,
//! `recovery.rs` looks for what was cut off, `filter.rs` leaves out what may not be told there, `change.rs` puts
//! together what changed, `next_message.rs` says which message is next, or which one is edited instead
//! (`edit_window.rs`), and `delivery.rs` tells it: `messages.rs` puts its words together, `slack_poster.rs` hands it
//! to Slack, and `send_log.rs` notes what became of it. `telling_the_tracker.rs` tells the person who tracked an
//! issue that MARO may not write in its channel. `digests/` has what is told at times of a channel's own. Who sees
//! what changed is `maro-sync`.
//!
//! A message is noted before it is sent, so it's never sent twice. While Slack refuses, what waits stays.

mod change;
mod delivery;
pub mod digests;
mod edit_window;
mod filter;
mod issues_as_jira_shows_now;
mod messages;
mod next_message;
mod pace;
mod recovery;
mod send_log;
mod slack_poster;
mod telling_the_tracker;
pub mod worker;
