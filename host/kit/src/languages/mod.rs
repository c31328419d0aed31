//! Projects in Rust, JavaScript and Python, and what builds and tests them.

pub mod component;
pub(super) mod embedded;
pub(super) mod interpreted;
mod javascript;
pub mod project;
mod python;
mod rust;
mod shapes;
pub(super) mod snippets;
pub mod sources;
mod stage;
pub(super) mod tool_environment;
pub mod toolbox;
mod toolchain;
