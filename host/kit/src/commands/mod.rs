//! The subcommands of `maro plugin`, one a file.

pub(super) mod build;
pub(super) mod check;
pub(super) mod compile;
pub(super) mod docs;
pub(super) mod list;
pub(super) mod new;
pub(super) mod run;
pub(super) mod test;
mod workspace;
