//! What the kit prints.

use std::io::{self, Write as _};

/// Prints a line.
pub fn say(text: &str) {
    // If the reader closed the pipe, nobody wants to read this.
    let _ = writeln!(io::stdout(), "{text}");
}

/// A problem as a sentence. Some end with a question.
pub(crate) fn sentence(problem: &str) -> String {
    let stop = if problem.ends_with(['?', '.', '!']) { "" } else { "." };
    format!("{problem}{stop}")
}

/// A number of bytes in the unit that people would use.
pub fn size(bytes: usize) -> String {
    match bytes {
        0..10_000 => format!("{bytes} bytes"),
        10_000..1_000_000 => format!("{} kB", bytes / 1_000),
        _ => format!("{:.1} MB", bytes as f64 / 1e6),
    }
}
