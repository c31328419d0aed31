//! `/maro {{name}}`: greets somebody.

use maro_plugin::{Description, Plugin, Reply, RunError, register, reply, spans, typed::unescape};

struct Subcommand;

impl Plugin for Subcommand {
    fn describe() -> Description {
        Description {
            name: "{{name}}",
            version: env!("CARGO_PKG_VERSION"),
            summary: "Greet somebody",
            usage: "[NAME]",
        }
    }

    fn run(arguments: &str) -> Result<Reply, RunError> {
        Ok(answer(unescape(arguments).trim()))
    }
}

register!(Subcommand);

/// Code that needs no host is kept separate, so that tests can call it.
fn answer(name: &str) -> Reply {
    let name = if name.is_empty() { "world" } else { name };
    Reply::to_caller().paragraph(spans!["Hello, ", reply::strong(name), "!"])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_named_are_greeted() {
        assert_eq!(answer("Ada").preview(), "Hello, Ada!");
        assert_eq!(answer("").preview(), "Hello, world!");
    }
}
