//! Running one plugin: each command in a fresh instance, within every limit.

pub mod invoke;
pub(crate) mod lanes;
pub mod pausing;
pub(crate) mod places;
pub mod plugin;
pub mod priority;
mod reply;
pub mod tenure;
pub(crate) mod terms;
mod trap;
pub mod version;
