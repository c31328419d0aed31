#![expect(clippy::unwrap_used, reason = "a test that panics has said what is wrong")]

//! Slack's side: messages out, commands in, and the simulated workspace.

mod interactions;
mod markup;
mod modals;
mod rendering;
mod response_url;
mod socket;
mod sockets;
mod support;
mod views;
mod web_api;
mod workspace;
mod workspace_api;
