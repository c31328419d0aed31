//! Reading a component before any of it is compiled.

mod complexity;
pub mod preflight;
