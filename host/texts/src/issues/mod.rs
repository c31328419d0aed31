//! For people who create, link, find and look at issues, and for their channel.

pub mod assigning;
pub mod created;
pub mod forms;
pub mod list;
pub mod shown_issue;
pub mod signature;
pub mod stories;
pub mod typed_keys;
pub mod whereabouts;
