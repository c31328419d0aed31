//! `maro dev` and `maro say`: the bot on this machine alone, and the playground in front of it.

pub mod builds;
pub mod dev_command;
pub mod modal_text;
mod own_writes;
pub mod playground;
pub mod plugin_dev_command;
pub mod plugin_news;
pub mod program;
pub mod rebuild;
pub mod say;
mod session;
pub mod session_file;
