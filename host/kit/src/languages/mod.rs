//! Projects in Rust, JavaScript and Python, and what builds and tests them.

pub(super) mod cargo;
mod cargo_settings;
mod compiled;
pub mod component;
pub(super) mod embedded;
pub(super) mod interpreted;
mod javascript;
mod javascript_tests;
mod js_type_checks;
pub mod project;
mod python;
mod python_tests;
mod rust;
pub(super) mod snippets;
pub mod sources;
mod stage;
pub(super) mod tool_environment;
pub mod toolbox;
mod toolchain;
