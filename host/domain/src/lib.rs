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
pub mod screen;
pub mod ticket;
pub mod tracked;
pub mod typed_keys;
// The SDK reads what people type in the same way.
#[path = "../../../plugins/sdk/src/keys/reading.rs"]
pub mod words;
