//! Several files: who has a name, and who waits for it.

use std::collections::BTreeMap;

use tokio::time::Instant;

use super::{
    super::{
        event::{Effect, Outcome},
        files::{Attempt, Files},
    },
    Numbered, absent, build, content, told, written,
};

/// Loads files, each by its own name and that of its plugin, and tells what happens.
fn settle(files: &mut Files<Numbered>, loaded: &[(&'static str, &'static str, u8)]) -> String {
    let attempts = loaded.iter().map(|(stem, name, number)| {
        let file = format!("{stem}.wasm");
        let (ticket, _) = files.begin(&file, false);
        let plugin = build(stem, name, *number);
        let outcome = Outcome::Loaded { content: content(*number), plugin };
        Attempt { file, identity: absent(), ticket, outcome }
    });
    let attempts = attempts.collect();
    told(&files.settle(attempts, false))
}

fn remove(files: &mut Files<Numbered>, file: &str) -> String {
    let (ticket, _) = files.begin(file, false);
    let attempt = Attempt { file: file.to_owned(), identity: absent(), ticket, outcome: Outcome::Gone };
    told(&files.settle(vec![attempt], false))
}

#[test]
fn a_latecomer_waits_until_the_name_is_free() {
    let mut files = Files::default();
    assert_eq!(settle(&mut files, &[("b", "x", 1)]), "x loaded 1");
    assert_eq!(settle(&mut files, &[("a", "x", 2)]), "a.wasm refused");
    assert_eq!(settle(&mut files, &[("b", "x", 3)]), "x replaced 1 3");
    assert_eq!(remove(&mut files, "b.wasm"), "x removed; x loaded 2");
    assert_eq!(remove(&mut files, "a.wasm"), "x removed");
    assert!(files.files().is_empty());
}

#[test]
fn a_name_belongs_to_the_file_that_is_called_like_it() {
    let mut files = Files::default();
    assert_eq!(settle(&mut files, &[("a", "x", 1)]), "x loaded 1");
    assert_eq!(settle(&mut files, &[("x", "x", 2)]), "a.wasm refused; x loaded 2");
    assert_eq!(settle(&mut files, &[("a", "x", 3)]), "a.wasm refused");
    assert_eq!(settle(&mut files, &[("x", "y", 4)]), "x removed; y loaded 4; x loaded 3");
    // Of several at once it comes first, whatever the order of the files.
    let mut files = Files::default();
    assert_eq!(settle(&mut files, &[("a", "x", 1), ("x", "x", 2)]), "x loaded 2; a.wasm refused");
}

#[test]
fn a_stale_attempt_takes_nobodys_name() {
    let mut files = Files::default();
    assert_eq!(settle(&mut files, &[("a", "x", 1)]), "x loaded 1");
    let (ticket, _) = files.begin("x.wasm", false);
    files.begin("x.wasm", false);
    let outcome = Outcome::Loaded { content: content(2), plugin: build("x", "x", 2) };
    let stale = Attempt { file: "x.wasm".to_owned(), identity: absent(), ticket, outcome };
    assert_eq!(told(&files.settle(vec![stale], false)), "");
}

#[test]
fn a_file_that_is_only_seen_was_not_tried() {
    let mut files = Files::<Numbered>::default();
    let identity = written(0);
    let components = || BTreeMap::from([("a.wasm".to_owned(), identity.clone())]);
    assert!(files.see(components(), |_| false, Instant::now()).is_empty());
    let effects = files.see(components(), |_| false, Instant::now());
    assert!(matches!(&effects[..], [(file, Effect::Update { lenient: true })] if file == "a.wasm"));
    assert!(files.files().is_empty());
}
