//! A simulated Slack workspace. It sends commands and interactions as Slack does, accepts answers and calls
//! where Slack does, enforces Slack's limits, and remembers who saw what.
//!
//! It is as strict as Slack: it refuses a wrong token, an expired `trigger_id`, a used-up `response_url` and
//! an oversized block.

pub mod checks;
mod connection;
pub mod modals;
pub mod operator;
pub mod people;
mod random;
mod server;
pub mod shown;
pub mod sockets;
mod state;
pub mod to_bot;
pub mod web_api;
pub mod workspace;

pub use server::SimulatedSlack;
pub use state::{Sharing, SimulatedSlackSettings};
