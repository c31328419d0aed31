//! What people type and paste, read as keys and links: the SDK reads it in the same way, and so its parser is this one.

#[path = "../../../plugins/sdk/src/keys/parser.rs"]
mod parser;

pub use parser::*;
