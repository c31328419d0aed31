//! Requests of plugins to services outside: where they may go, and how much comes back.

pub mod hosts;
