//! The `maro` program.

mod command_line;
mod database;
mod doctor;
mod serve;

use std::process::ExitCode;

fn main() -> ExitCode {
    command_line::run()
}
