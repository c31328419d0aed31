//! For those who run plugins and those who write them.

pub mod faults;
pub mod manifests;
pub mod overview;
pub mod permissions;
pub mod plugin_details;
pub mod plugin_files;
pub mod requests;
