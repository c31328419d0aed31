#![expect(clippy::unwrap_used, reason = "a test that panics has said what is wrong")]

//! Slack's side: messages out, commands in, and the simulated workspace.

mod interactions;
mod markup;
mod rendering;
mod response_url;
mod simulated_modals;
mod simulated_sockets;
mod simulated_web_api;
mod simulated_workspace;
mod socket;
mod support;
mod views;
mod web_api;
