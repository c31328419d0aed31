//! Running subcommands that other people wrote: sandboxed, limited, each in a fresh instance.
//!
//! Owns everything about WebAssembly. A plugin reaches Jira and the lists only through `capabilities/`, and the
//! rest of MARO sees only [`registry::Registry`] and [`running::plugin::LoadedPlugin::run`].
//!
//! The modules form one line, and each imports only from those before it; a test holds them to it.

pub mod plugin_changes;

pub mod policy;

pub(crate) mod interface;

pub mod recording;

pub mod outbound;

pub mod invocation;

pub mod capabilities;

pub mod engine;

pub mod inspection;

pub mod running;

pub mod loading;

pub mod registry;
