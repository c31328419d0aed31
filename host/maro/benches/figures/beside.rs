//! How long `/maro tracked` takes while another plugin does its worst.
//!
//! The bot has the two threads of a small machine, and the load its own. Three people type the hostile command
//! without a pause, each a harmless one in between, so that the plugin is never rested for failing
//! repeatedly; one types `/maro tracked` and waits for each answer. The last rows are of crowds.

use std::{
    fs,
    net::SocketAddr,
    path::Path,
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use maro_bot::bot::Bot;
use maro_process::clock::Clock;
use maro_store::Stores;

use crate::{
    handwritten_components,
    http::{config, fill},
    load::{self, Connection},
};

/// How long each row is measured.
const ROUND: Duration = Duration::from_secs(3);

/// People who type the hostile command.
const ATTACKERS: usize = 3;

/// What the fixture `hostile` is told, and what that is called in the table.
const ATTACKS: [(&str, &str); 9] = [
    ("loop", "endless loop"),
    ("host-calls", "endless calls of the host"),
    ("memory", "memory without end"),
    ("stack", "stack without end"),
    ("sleep", "sleep"),
    ("huge-reply", "a huge reply"),
    ("huge-log", "a huge log"),
    ("huge-strings", "huge texts into calls"),
    ("trap", "trap"),
];

/// What crowds tell which plugin, and how many they are. `patient` is the fixture with about as many core instances
/// as a plugin can have.
const CROWDS: [(&str, &str, &str, usize); 2] = [
    ("patient", "sleep", "sleep in 64 core instances, 40 people", 40),
    ("hostile", "memory", "memory without end, 64 people", 64),
];

const MANIFEST: &str = "grants = [\"jira\", \"tracker\", \"tracker-edit\"]";

pub(crate) fn run(plugins: &Path) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let load = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let folder = tempfile::tempdir().unwrap();
    add_hostile(plugins, folder.path());
    let bot = runtime.block_on(start(folder.path()));
    println!("| `/maro tracked`, 10 rows, beside | p50 | p99 | hostile commands a second |");
    println!("|---|---|---|---|");
    let alone = load.block_on(measure(bot.address(), None, 0));
    print_row("nothing", &alone);
    for (what, name) in ATTACKS {
        print_row(name, &load.block_on(measure(bot.address(), Some(("hostile", what)), ATTACKERS)));
    }
    for (plugin, what, name, people) in CROWDS {
        print_row(name, &load.block_on(measure(bot.address(), Some((plugin, what)), people)));
    }
    println!();
    runtime.block_on(bot.stop());
}

/// A folder with MARO's own plugins and the hostile fixture.
fn add_hostile(plugins: &Path, folder: &Path) {
    let status = Command::new("cargo")
        .args(["build", "--package", "maro-fixtures", "--example", "hostile"])
        .args(["--profile", "plugin", "--target", "wasm32-wasip2"])
        .status()
        .unwrap();
    assert!(status.success(), "the fixture does not build");
    for entry in fs::read_dir(plugins).unwrap() {
        let path = entry.unwrap().path();
        fs::copy(&path, folder.join(path.file_name().unwrap())).unwrap();
    }
    let target = plugins.parent().unwrap();
    let hostile = target.join("wasm32-wasip2/plugin/examples/hostile.wasm");
    let hostile = fs::read(hostile).unwrap();
    let patient =
        handwritten_components::crowded(&handwritten_components::renamed(&hostile, "hostile", "patient"), 60);
    for (name, component) in [("hostile", hostile), ("patient", patient)] {
        fs::write(folder.join(format!("{name}.wasm")), component).unwrap();
        fs::write(folder.join(format!("{name}.toml")), MANIFEST).unwrap();
    }
}

async fn start(folder: &Path) -> Bot {
    let jira = crate::call::nowhere();
    let config = config(folder, folder, jira);
    let stores = Stores::open(&config.database).await.unwrap();
    fill(&*stores.tracker, "C10", 10).await;
    // The file is for one owner at a time.
    stores.close().await;
    let bot = Bot::start(config, Clock::system()).await.unwrap();
    bot.wait_until_ready().await;
    bot
}

/// Seconds of each answer, in order of size, and how often the hostile command was answered.
struct Measured {
    latencies: Vec<f64>,
    attacks: u32,
}

async fn measure(address: SocketAddr, attack: Option<(&str, &str)>, people: usize) -> Measured {
    let over = Arc::new(AtomicBool::new(false));
    let mut attackers = tokio::task::JoinSet::new();
    for _ in 0..people {
        let (plugin, what) = attack.unwrap_or_default();
        let (harmless, attack) = (format!("{plugin} state"), format!("{plugin} {what}"));
        let over = Arc::clone(&over);
        attackers.spawn(async move {
            let mut connection = Connection::open(address).await;
            let mut answered = 0;
            while !over.load(Ordering::Relaxed) {
                connection.ask(&load::request(&harmless, "C99")).await;
                connection.ask(&load::request(&attack, "C99")).await;
                answered += 1;
            }
            answered
        });
    }
    let mut connection = Connection::open(address).await;
    let mut latencies = Vec::new();
    let started = Instant::now();
    while started.elapsed() < ROUND {
        let request = load::request("tracked", "C10");
        let asked = Instant::now();
        assert!(connection.ask(&request).await.contains("SCRUM-10>"));
        latencies.push(asked.elapsed().as_secs_f64());
    }
    over.store(true, Ordering::Relaxed);
    let attacks = attackers.join_all().await.into_iter().sum();
    latencies.sort_by(f64::total_cmp);
    Measured { latencies, attacks }
}

fn print_row(name: &str, measured: &Measured) {
    let at = |share: f64| {
        let place = (measured.latencies.len() as f64 * share) as usize;
        measured.latencies[place.min(measured.latencies.len() - 1)] * 1e3
    };
    let attacks = f64::from(measured.attacks) / ROUND.as_secs_f64();
    println!("| {name} | {:.2} ms | {:.2} ms | {attacks:.0} |", at(0.5), at(0.99));
}
