//! Reading a component before any of it is compiled.

mod complexity;
pub mod lookalike;
pub(crate) mod needs;
pub mod preflight;
