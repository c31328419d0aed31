//! What the kit prints.

use std::io::{self, Write as _};

/// Prints a line.
pub fn say(text: &str) {
    // If the reader closed the pipe, nobody wants to read this.
    let _ = writeln!(io::stdout(), "{text}");
}
