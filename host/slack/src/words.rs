//! What people wrote in Slack, without its markup.

pub mod emoji;
pub mod message_words;
pub mod names;
pub mod parse_markup;
pub mod title;
