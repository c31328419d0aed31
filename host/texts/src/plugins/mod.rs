//! For those who run plugins and those who write them.

pub mod denied_calls;
pub mod faults;
pub mod left_out;
pub mod loading;
pub mod manifests;
pub mod overview;
pub mod plugin_details;
pub mod refused_files;
pub mod requests;
