//! A simulated Slack workspace. It sends commands and interactions as Slack does, accepts answers and calls
//! where Slack does, enforces Slack's limits, and remembers who saw what.
//!
//! It is as strict as Slack: it refuses a wrong token, an expired `trigger_id`, a used-up `response_url` and
//! an oversized block.

pub mod act_error;
pub mod acts;
mod changes;
pub mod checks;
mod connection;
mod delivery;
pub mod dispatch;
mod events;
mod filling;
pub mod form;
pub mod history;
pub mod interactions;
mod messages;
pub mod modal;
pub mod operator;
pub mod parcel;
mod payloads;
pub mod pressing;
mod random;
mod responses;
mod server;
pub mod sockets;
mod state;
pub mod submission;
pub mod terminal;
mod triggers;
mod views;
pub mod web_api;
pub mod workspace;

pub use server::SimulatedSlack;
pub use state::{Sharing, SimulatedSlackSettings};
