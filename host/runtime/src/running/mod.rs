//! Running one plugin: each command in a fresh instance, within every limit.

pub(super) mod bindings;
pub mod breaker;
pub mod engine;
pub mod instance;
pub(super) mod interface;
pub(super) mod lanes;
pub mod loaded;
mod places;
mod printed;
pub mod priority;
mod reply;
pub(super) mod wasi;
