//! Which command is meant: by a button, in a mention, by another program's word, or by none that exists.

pub(super) mod aliases;
pub(super) mod few_keys;
pub mod host_commands;
pub(super) mod name_typed;
pub(super) mod presses;
pub(super) mod spoken;
pub(super) mod unknown;
