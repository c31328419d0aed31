//! `cargo test --workspace` uses what `cargo run` has built. The one asks for more packages than the other, and
//! each may turn on features of a crate that both need: Cargo then builds that crate once more, with all that
//! stands on it. That took minutes. The cure is to ask for the feature in the workspace's `Cargo.toml`.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    io::Write as _,
    process::Command,
};

use serde_json::Value;

/// What Cargo would build for a command, or `None` where it does not say.
fn units(command: &[&str]) -> Option<Vec<Value>> {
    let target = tempfile::tempdir().unwrap();
    let output = Command::new("cargo")
        .args(command)
        .args(["--frozen", "--unit-graph", "-Zunstable-options", "--target-dir"])
        .arg(target.path())
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
        // The graph is for nightly toolchains only; nothing is compiled here.
        .env("RUSTC_BOOTSTRAP", "1")
        .output()
        .unwrap();
    if !output.status.success() {
        let why = String::from_utf8_lossy(&output.stderr);
        let told =
            format!("SKIPPED: what is built twice is not checked, for Cargo tells no unit graph: {why}\n");
        let _ = std::io::stderr().write_all(told.as_bytes());
        return None;
    }
    let mut graph: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(graph["version"], 1);
    Some(serde_json::from_value(graph["units"].take()).unwrap())
}

/// Gives equal units of several graphs equal numbers: those that Cargo builds once.
#[derive(Default)]
struct Numbers(HashMap<String, usize>);

impl Numbers {
    /// The number of each unit of a graph.
    fn of(&mut self, units: &[Value]) -> Vec<usize> {
        let mut known = vec![None; units.len()];
        for index in 0..units.len() {
            self.number(units, index, &mut known);
        }
        known.into_iter().map(Option::unwrap).collect()
    }

    fn number(&mut self, units: &[Value], index: usize, known: &mut [Option<usize>]) -> usize {
        if let Some(number) = known[index] {
            return number;
        }
        let mut unit = units[index].clone();
        // The profiles `dev` and `test` differ in name only.
        unit["profile"].as_object_mut().unwrap().remove("name");
        let mut dependencies = Vec::new();
        for dependency in unit["dependencies"].take().as_array().unwrap() {
            let on = usize::try_from(dependency["index"].as_u64().unwrap()).unwrap();
            dependencies.push((dependency["extern_crate_name"].to_string(), self.number(units, on, known)));
        }
        dependencies.sort();
        let next = self.0.len();
        let number = *self.0.entry(format!("{unit}{dependencies:?}")).or_insert(next);
        known[index] = Some(number);
        number
    }
}

/// What a unit is made of, however it is built.
fn source(unit: &Value) -> String {
    format!("{} {} {}", unit["pkg_id"], unit["target"], unit["mode"])
}

fn package(unit: &Value) -> &str {
    let id = unit["pkg_id"].as_str().unwrap();
    let name = id.rsplit(['#', '/']).next().unwrap();
    name.split('@').next().unwrap()
}

/// The units of the first graph that the second one needs too, but cannot take from there; each with what is
/// different by itself and not only in what it stands on.
fn built_twice(run: &[Value], test: &[Value]) -> BTreeMap<String, BTreeSet<String>> {
    let mut numbers = Numbers::default();
    let of_run = numbers.of(run);
    let of_test: BTreeSet<_> = numbers.of(test).into_iter().collect();
    let mut twice = BTreeMap::<_, BTreeSet<String>>::new();
    for (unit, number) in run.iter().zip(of_run) {
        let mut others = test.iter().filter(|other| source(other) == source(unit)).peekable();
        if of_test.contains(&number) || others.peek().is_none() {
            continue;
        }
        let reasons = twice.entry(package(unit).to_owned()).or_default();
        let is_same = |other: &Value, part| other[part] == unit[part];
        if !others.any(|other| is_same(other, "features") && is_same(other, "platform")) {
            reasons.insert(format!("tests need other features than {}", unit["features"]));
        }
    }
    twice
}

#[test]
fn tests_use_what_cargo_run_has_built() {
    let Some(run) = units(&["build", "--package=maro", "--bin=maro"]) else { return };
    let Some(test) = units(&["test", "--workspace", "--no-run"]) else { return };
    let twice = built_twice(&run, &test);
    assert!(twice.is_empty(), "these packages are built twice: {twice:#?}");
}

#[test]
fn the_own_tests_of_maro_build_nothing_twice() {
    let Some(run) = units(&["build", "--package=maro", "--bin=maro"]) else { return };
    let Some(test) = units(&["test", "--package=maro", "--no-run"]) else { return };
    let twice = built_twice(&run, &test);
    assert!(twice.is_empty(), "these packages are built twice: {twice:#?}");
}
