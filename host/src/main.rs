//! The `maro` program.

use std::process::ExitCode;

fn main() -> ExitCode {
    maro::cli::run()
}
