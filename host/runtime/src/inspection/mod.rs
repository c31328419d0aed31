//! Reading a component before anything of it is compiled.

mod complexity;
pub mod preflight;
