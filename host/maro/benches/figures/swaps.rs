//! The memory of a bot whose plugin is replaced again and again while people use it.

use std::{fs, path::Path, time::Duration};

use sha2::{Digest as _, Sha256};
use tokio::time::sleep;

use crate::{
    load::{self, Connection},
    process::{self, Process},
};

/// As many as a staging bot sees in a week.
const VERSIONS: u32 = 140;

/// Until memory has settled.
const LOAD_TIME: Duration = Duration::from_secs(4);

/// How often to ask whether a version runs.
const PAUSE: Duration = Duration::from_millis(10);

/// The identifier of a custom section.
const CUSTOM: u8 = 0;

pub(crate) fn run(plugins: &Path) {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("plugins");
    fs::create_dir(&dir).unwrap();
    for file in ["tracked.wasm", "tracked.toml"] {
        fs::copy(plugins.join(file), dir.join(file)).unwrap();
    }
    let (address, mut command) = process::maro(&dir, &folder.path().join("cache"), &process::ALONE);
    command.env("MARO_HOT_RELOAD", "true");
    let process = Process::spawn((address, command), folder.path(), |command| command.spawn().unwrap());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    println!("Resident memory while versions are swapped            MiB   of the start");
    let start = runtime.block_on(settled(&process));
    print(0, start, start);
    let component = fs::read(plugins.join("tracked.wasm")).unwrap();
    for version in 1..=VERSIONS {
        runtime.block_on(async {
            let work = load::work("tracked", "C1", "No Jira issues");
            let component = marked(&component, version);
            tokio::join!(load::run(process.address, &work, PAUSE), serve(&dir, &component, &process));
        });
        if version % (VERSIONS / 4) == 0 {
            print(version, runtime.block_on(settled(&process)), start);
        }
    }
    println!();
}

fn print(version: u32, resident: f64, start: f64) {
    println!("  {:<40} {resident:>15.1} {:>14.2}", format!("{version} versions"), resident / start);
}

async fn settled(process: &Process) -> f64 {
    load::run(process.address, &load::work("tracked", "C1", "No Jira issues"), LOAD_TIME).await;
    process.resident()
}

/// The same component with a section that nobody reads: another version to the host.
fn marked(component: &[u8], version: u32) -> Vec<u8> {
    let mut marked = component.to_vec();
    let content = [&[4][..], b"mark", &version.to_le_bytes()].concat();
    marked.extend([CUSTOM, u8::try_from(content.len()).unwrap()]);
    marked.extend(content);
    marked
}

/// Puts a version into the folder, and waits until it runs.
async fn serve(dir: &Path, component: &[u8], process: &Process) {
    let half = dir.join(".tracked");
    fs::write(&half, component).unwrap();
    fs::rename(half, dir.join("tracked.wasm")).unwrap();
    let digest = hex::encode(Sha256::digest(component));
    let mut connection = Connection::open(process.address).await;
    while !connection.ask(b"GET /metrics HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n").await.contains(&digest) {
        sleep(PAUSE).await;
    }
}
