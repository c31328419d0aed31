//! `cargo bench`: MARO's own figures, as ratios of alternating rounds in one run.
//!
//! Nothing is asserted: another machine has other figures, and only ratios carry over. Everything is on
//! loopback, and the plugins are built first, as `maro plugin build` builds them.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark prints, and ends where it fails")]

// The store's own helper: a PostgreSQL that goes with this process.
#[path = "../../../store/tests/it/support/postgres.rs"]
#[expect(dead_code, reason = "the tests also stop and start it")]
mod postgres;

#[path = "../../tests/it/handwritten_components.rs"]
#[expect(dead_code, reason = "the tests make others, too")]
mod handwritten_components;

mod beside;
mod call;
mod cores;
mod http;
mod load;
mod native;
mod plain;
mod process;
mod rounds;
mod scale;
mod servers;
mod start;
mod swaps;
mod sync;

use std::path::Path;

use maro_kit::{languages::component::toolbox, repository};

fn main() {
    // `cargo bench -- call start` runs only these; Cargo itself adds `--bench`.
    let wanted: Vec<_> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    if wanted.first().is_some_and(|first| first == plain::ARGUMENT) {
        return plain::main(&wanted[1..]);
    }
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let plugins = runtime.block_on(repository::build(&toolbox(true))).unwrap().output;
    drop(runtime);
    println!();
    for (name, run) in [
        ("call", call::run as fn(&Path)),
        ("http", http::run),
        ("servers", servers::run),
        ("start", start::run),
        ("swaps", swaps::run),
        ("beside", beside::run),
        ("sync", sync::run),
    ] {
        if wanted.is_empty() || wanted.iter().any(|wanted| wanted == name) {
            run(&plugins);
        }
    }
    if wanted.iter().any(|wanted| wanted == "scale") {
        scale::run(&plugins);
    }
}
