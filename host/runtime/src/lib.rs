//! Running subcommands that others wrote: sandboxed, limited, each in a fresh instance.
//!
//! Owns everything about WebAssembly. A plugin reaches Jira and the lists only through `host/`, and the
//! rest of MARO sees only [`registry::Registry`] and [`running::loaded::LoadedPlugin::run`].

pub mod capabilities;
pub mod events;
pub mod inspection;
pub mod loading;
pub mod policy;
pub mod recording;
pub mod registry;
pub mod running;
