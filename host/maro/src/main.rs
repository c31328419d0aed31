//! The `maro` program.

use std::process::ExitCode;

fn main() -> ExitCode {
    maro_maro::command_line::run()
}
