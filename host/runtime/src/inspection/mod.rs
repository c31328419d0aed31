//! Reading a component before any of it is compiled.

mod complexity;
pub(crate) mod instance_size;
pub mod lookalike;
pub mod preflight;
