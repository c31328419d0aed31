//! The words of MARO: plain values with their rules. No I/O, no serialisation, no clock.

pub mod author;
pub mod caller;
pub mod command_name;
pub mod details;
pub mod events;
pub mod ids;
pub mod issue;
pub mod reply;
pub mod request;
pub mod rich_text;
pub mod ticket;
pub mod tracked;
