//! `/maro {{name}}`: greets someone.

use maro_plugin::{Description, Plugin, Reply, RunError, register, reply, spans, typed::unescape};

struct Subcommand;

impl Plugin for Subcommand {
    fn describe() -> Description {
        Description {
            name: "{{name}}",
            version: env!("CARGO_PKG_VERSION"),
            summary: "Greet someone",
            usage: "[NAME]",
        }
    }

    fn run(arguments: &str) -> Result<Reply, RunError> {
        Ok(answer(unescape(arguments).trim()))
    }
}

register!(Subcommand);

/// Doesn't need a host, so tests can call it.
fn answer(name: &str) -> Reply {
    let name = if name.is_empty() { "world" } else { name };
    Reply::to_caller().paragraph(spans!["Hello, ", reply::strong(name), "!"])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_greeted() {
        assert_eq!(answer("Ada").preview(), "Hello, Ada!");
        assert_eq!(answer("").preview(), "Hello, world!");
    }
}
