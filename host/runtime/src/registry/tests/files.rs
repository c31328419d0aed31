//! Several files.

use std::collections::BTreeMap;

use tokio::time::Instant;

use super::{
    super::{
        file_event::{AttemptOutcome, Effect},
        files::{Attempt, Files},
    },
    Numbered, absent, build, content, told, written,
};

/// An attempt of a file that has just begun.
fn attempt(files: &mut Files<Numbered>, file: &str, outcome: AttemptOutcome<Numbered>) -> Attempt<Numbered> {
    let (attempt_number, _) = files.begin(file, false, &absent(), None).unwrap();
    Attempt { file: file.to_owned(), identity: absent(), attempt_number, outcome }
}

fn loaded(number: u8) -> AttemptOutcome<Numbered> {
    AttemptOutcome::Loaded { content: content(number), plugin: build(number) }
}

#[test]
fn a_plugin_has_the_name_of_its_file_and_what_happens_to_one_changes_no_other() {
    let mut files = Files::default();
    for (file, outcome, expected) in [
        ("b.wasm", loaded(2), "b loaded 2"),
        ("a.wasm", loaded(1), "a loaded 1"),
        ("b.wasm", AttemptOutcome::Gone, "b removed"),
        ("a.wasm", loaded(3), "a replaced 1 3"),
    ] {
        let attempt = attempt(&mut files, file, outcome);
        assert_eq!(told(&files.settle(attempt, false, Instant::now())), expected);
    }
    assert_eq!(files.files().into_iter().collect::<Vec<_>>(), ["a.wasm"]);
}

#[test]
fn a_stale_attempt_changes_nothing() {
    let mut files = Files::default();
    let stale = attempt(&mut files, "x.wasm", loaded(1));
    files.begin("x.wasm", false, &absent(), None).unwrap();
    assert_eq!(told(&files.settle(stale, false, Instant::now())), "");
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
