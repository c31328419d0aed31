//! For people who create, link, find and look at issues, and for their channel.

pub mod created;
pub mod forms;
pub mod shown_issue;
pub mod stories;
pub mod whereabouts;
