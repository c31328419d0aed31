//! The words of MARO: plain values with their rules. No I/O, no serialisation, no clock.

pub mod author;
pub mod caller;
pub mod command_name;
pub mod events;
pub mod ids;
pub mod issue;
pub mod issue_details;
pub mod reply;
pub mod request_token;
pub mod rich_text;
pub mod screen;
pub mod ticket;
pub mod tracked;
pub mod typed_keys;
pub mod words;
