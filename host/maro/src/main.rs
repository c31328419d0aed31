//! The `maro` program.

mod audit;
mod command_line;
mod database;
mod doctor;
mod serve;

use std::process::ExitCode;

use mimalloc::MiMalloc;

/// A command allocates and frees hundreds of small pieces of memory. The C library's allocator takes a tenth of
/// its processor time for that.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    command_line::run()
}
