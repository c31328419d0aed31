//! Outgoing HTTP: every request that MARO sends goes through a client that is built here.

pub mod body;
pub mod client;
pub mod connection_failure;
pub mod gate_pages;
pub mod network;
pub mod pem;
pub mod retry;
