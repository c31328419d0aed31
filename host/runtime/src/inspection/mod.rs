//! Reading a component before any of it is compiled.

mod complexity;
pub(crate) mod needs;
pub mod preflight;
