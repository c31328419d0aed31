//! `maro dev` and `maro say`: the bot on this machine alone, and the playground in front of it.

pub mod builds;
pub mod modal_text;
pub mod playground;
pub mod program;
pub mod saving;
pub mod say;
pub mod serving;
pub mod session;
pub mod session_file;
