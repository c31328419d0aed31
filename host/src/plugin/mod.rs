//! Running subcommands that others wrote: sandboxed, limited, each in a fresh instance.
//!
//! Owns everything about WebAssembly. A plugin reaches Jira and the lists only through `host/`, and the
//! rest of MARO sees only [`registry::Registry`] and [`loaded::LoadedPlugin::run`].

mod audit;
mod bindings;
mod bodies;
pub mod breaker;
mod cache;
pub mod cases;
mod compiler;
pub mod compiler_process;
mod complexity;
pub mod creation;
pub mod engine;
pub mod events;
pub mod folder;
pub mod grants;
mod host;
pub mod instance;
mod interface;
mod lanes;
pub mod limits;
pub mod loaded;
pub mod loader;
pub mod manifest;
pub mod outbound;
mod places;
pub mod preflight;
mod printed;
pub mod recorder;
pub mod redact;
pub mod registry;
mod reply;
mod slots;
pub mod snapshot;
mod tap;
pub mod tape;
mod wasi;
pub mod watch;
