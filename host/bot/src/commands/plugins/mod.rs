//! `/maro plugins`: what is installed (`list.rs`), all about one plugin (`details.rs`), and for admins, reloading
//! (`reloading.rs`), turning off and on (`switches.rs`) and earlier versions (`versions.rs`).

mod details;
mod list;
mod reloading;
mod subcommands;
mod switches;
mod versions;
