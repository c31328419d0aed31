//! From the start of the process to its first right answer, with few and many plugins, and its memory.

use std::{fs, path::Path, time::Duration};

use wasmparser::{Parser, Payload};

use crate::{
    load,
    process::Process,
    rounds::{median, milliseconds},
};

const MANY: usize = 100;
const STARTS: usize = 5;
const LOAD_TIME: Duration = Duration::from_secs(4);

pub(crate) fn run(plugins: &Path) {
    println!("From start to the first right answer              cold cache   warm cache");
    let folder = tempfile::tempdir().unwrap();
    let many = folder.path().join("plugins");
    fs::create_dir(&many).unwrap();
    copies(plugins, &many);
    for (count, dir) in [(3, plugins), (MANY, &many)] {
        let cache = folder.path().join(format!("cache-{count}"));
        let start = || Process::start(dir, &cache, tempfile::tempdir().unwrap().path()).started_in;
        let cold = start();
        let warm = median((0..STARTS).map(|_| start().as_secs_f64()));
        let warm = Duration::from_secs_f64(warm);
        println!(
            "  {:<40} {:>17} {:>12}",
            format!("{count} plugins"),
            milliseconds(cold),
            milliseconds(warm)
        );
    }
    println!();
    memory(plugins, &folder.path().join("cache-3"));
}

fn memory(plugins: &Path, cache: &Path) {
    let folder = tempfile::tempdir().unwrap();
    let process = Process::start(plugins, cache, folder.path());
    let idle = process.resident();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let work = load::work("tracked", "C1", "No Jira issues");
    runtime.block_on(load::run(process.address, &work, LOAD_TIME));
    println!("Resident memory                                        idle   after load");
    println!("  3 plugins {:>43.1} MiB {:>8.1} MiB", idle, process.resident());
}

/// A hundred plugins: `tracked` itself and copies of it that give themselves other names. Each is another
/// component to the host: read, checked, compiled and asked for its description like any other.
fn copies(plugins: &Path, into: &Path) {
    let wasm = fs::read(plugins.join("tracked.wasm")).unwrap();
    for number in 0..MANY {
        let name = if number == 0 { "tracked".to_owned() } else { format!("list{number:03}") };
        fs::write(into.join(format!("{name}.wasm")), renamed(&wasm, &name)).unwrap();
        fs::copy(plugins.join("tracked.toml"), into.join(format!("{name}.toml"))).unwrap();
    }
}

/// Writes `name`, of the same length, over every `tracked` among the component's constants.
fn renamed(wasm: &[u8], name: &str) -> Vec<u8> {
    const NAME: &str = "tracked";
    assert_eq!(name.len(), NAME.len());
    let mut renamed = wasm.to_vec();
    for payload in Parser::new(0).parse_all(wasm) {
        if let Payload::DataSection(section) = payload.unwrap() {
            let data = &mut renamed[section.range()];
            for start in 0..data.len().saturating_sub(NAME.len()) {
                if data[start..].starts_with(NAME.as_bytes()) {
                    data[start..start + NAME.len()].copy_from_slice(name.as_bytes());
                }
            }
        }
    }
    renamed
}
