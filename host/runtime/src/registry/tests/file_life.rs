//! One file: which event leads from which state to which, and what is to be done.

use std::time::Duration;

use tokio::time::Instant;

use super::{
    super::{
        file_event::{AttemptNumber, AttemptOutcome, Effect, Event, Refused},
        file_life::Life,
    },
    DENIED, GRANTED, NARROWED, Numbered, absent, build, content, manifest, told, written,
};
use crate::loading::{
    error::LoadError,
    folder::{ContentDigest, Identity},
};

fn loaded(number: u8) -> AttemptOutcome<Numbered> {
    AttemptOutcome::Loaded { content: content(number), plugin: build(number) }
}

/// Refused next to a manifest with this text.
fn refused_under(text: &str, number: u8) -> AttemptOutcome<Numbered> {
    AttemptOutcome::Refused(Refused {
        content: Some(content(number)),
        digest: Some(number.to_string()),
        manifest: Some(manifest(text)),
        reason: LoadError::Compile("broken".to_owned()),
    })
}

fn refused(number: u8) -> AttemptOutcome<Numbered> {
    refused_under(GRANTED, number)
}

fn unread() -> AttemptOutcome<Numbered> {
    AttemptOutcome::Refused(Refused::unread(LoadError::Unsettled))
}

const FIRST: AttemptNumber = AttemptNumber(1);
const SECOND: AttemptNumber = AttemptNumber(2);

fn ended_with(
    attempt_number: AttemptNumber,
    outcome: AttemptOutcome<Numbered>,
    lenient: bool,
) -> Event<Numbered> {
    Event::Ended { attempt_number, identity: absent(), outcome, lenient, at: Instant::now() }
}

fn ended(outcome: AttemptOutcome<Numbered>) -> Event<Numbered> {
    ended_with(FIRST, outcome, false)
}

fn began(again: bool) -> Event<Numbered> {
    begun(FIRST, again, absent(), None)
}

fn begun(
    attempt_number: AttemptNumber,
    again: bool,
    identity: Identity,
    content: Option<ContentDigest>,
) -> Event<Numbered> {
    Event::Begun { attempt_number, again, identity, content }
}

fn manifest_read(text: &str) -> Event<Numbered> {
    Event::ManifestRead { attempt_number: FIRST, manifest: manifest(text) }
}

/// A file after these events during its first attempt, and what the last of them led to.
fn after(events: impl IntoIterator<Item = Event<Numbered>>) -> (Life<Numbered>, Vec<Effect>) {
    let start = Life::new("a.wasm").step(began(false));
    events.into_iter().fold(start, |(life, _), event| life.step(event))
}

fn state(life: &Life<Numbered>) -> String {
    if life.is_blank() {
        return "blank".to_owned();
    }
    let mut words = vec![match life.running() {
        None => "none runs".to_owned(),
        Some(plugin) if *plugin.manifest == *manifest(NARROWED) => format!("{} runs narrowed", plugin.digest),
        Some(plugin) => format!("{} runs", plugin.digest),
    }];
    words.extend(life.refusal().map(|refusal| match &refusal.reason {
        LoadError::Compile(_) => "refused".to_owned(),
        LoadError::Unsettled => "unread".to_owned(),
        LoadError::Withdrawn(_) => "withdrawn".to_owned(),
        LoadError::NoVersion { .. } => "refused, earlier withdrawn".to_owned(),
        other => panic!("{other}"),
    }));
    words.extend(life.is_loading().then(|| "loading".to_owned()));
    words.join(", ")
}

#[test]
fn the_end_of_an_attempt_decides_what_runs() {
    let table = [
        (vec![], loaded(1), "1 runs", "a loaded 1"),
        (vec![], refused(1), "none runs, refused", "a.wasm refused"),
        (vec![], unread(), "none runs, unread", "a.wasm refused"),
        (vec![], AttemptOutcome::Gone, "blank", ""),
        (vec![loaded(1)], AttemptOutcome::Unchanged, "1 runs", ""),
        (vec![loaded(1)], loaded(2), "2 runs", "a replaced 1 2"),
        (vec![loaded(1)], refused(2), "1 runs, refused", "a.wasm refused, a kept"),
        (vec![loaded(1)], unread(), "1 runs, unread", "a.wasm refused, a kept"),
        (vec![loaded(1)], AttemptOutcome::Gone, "blank", "a removed"),
        // The current manifest applies to the earlier version.
        (
            vec![loaded(1)],
            refused_under(NARROWED, 2),
            "1 runs narrowed, refused",
            "a replaced 1 1; a.wasm refused, a kept",
        ),
        (
            vec![loaded(1)],
            refused_under(DENIED, 2),
            "none runs, refused, earlier withdrawn",
            "a removed; a.wasm refused",
        ),
        (vec![loaded(1)], refused_under(DENIED, 1), "none runs, withdrawn", "a removed; a.wasm refused"),
        // The same refusal is told once.
        (vec![loaded(1), refused(2)], refused(2), "1 runs, refused", ""),
        (vec![loaded(1), refused(2)], refused(3), "1 runs, refused", "a.wasm refused, a kept"),
        (vec![unread()], unread(), "none runs, unread", ""),
        (vec![loaded(1), refused(2)], loaded(1), "1 runs", "a replaced 1 1"),
        (vec![loaded(1), refused(2)], AttemptOutcome::Gone, "blank", "a removed"),
    ];
    for (row, (before, outcome, expected, effects)) in table.into_iter().enumerate() {
        let events = before.into_iter().chain([outcome]).map(ended);
        let (life, found) = after(events);
        assert_eq!((&*state(&life), &*told(&found)), (expected, effects), "row {row}");
    }
}

#[test]
fn a_manifest_applies_before_its_version_is_loaded() {
    let table = [
        (vec![], DENIED, "none runs", ""),
        (vec![loaded(1)], GRANTED, "1 runs", ""),
        (vec![loaded(1)], NARROWED, "1 runs narrowed", "a replaced 1 1"),
        (vec![loaded(1)], DENIED, "none runs", "a removed"),
        (vec![loaded(1), refused(2)], DENIED, "none runs, refused", "a removed"),
    ];
    for (row, (before, text, expected, effects)) in table.into_iter().enumerate() {
        let (life, found) = after(before.into_iter().map(ended).chain([manifest_read(text)]));
        assert_eq!((&*state(&life), &*told(&found)), (expected, effects), "row {row}");
    }
    let then = |outcome| state(&after([ended(loaded(1)), manifest_read(DENIED), ended(outcome)]).0);
    assert_eq!(then(refused(2)), "none runs, refused, earlier withdrawn");
    assert_eq!(then(refused(1)), "none runs, withdrawn");
    assert_eq!(then(loaded(2)), "2 runs");
}

#[test]
fn an_attempt_begins_with_what_is_known() {
    let lenient = |outcome| ended_with(FIRST, outcome, true);
    let table = [
        (vec![], false, "try, tried None, withheld None"),
        (vec![ended(loaded(1))], false, "try, tried Some(1), withheld None"),
        (vec![ended(loaded(1))], true, "try, tried Some(1), withheld None"),
        (vec![ended(refused(1))], false, "try, tried Some(1), withheld None"),
        (vec![ended(refused(1))], true, "try, tried None, withheld None"),
        (vec![ended(loaded(1)), lenient(refused(2))], false, "try, tried Some(1), withheld Some(2)"),
        (vec![ended(loaded(1)), lenient(refused(2))], true, "try, tried Some(1), withheld None"),
        (
            vec![ended(loaded(1)), lenient(refused(2)), began(false)],
            false,
            "try, tried Some(1), withheld None",
        ),
    ];
    for (row, (before, again, expected)) in table.into_iter().enumerate() {
        let (_, found) = after(before.into_iter().chain([began(again)]));
        assert_eq!(told(&found), expected, "row {row}");
    }
    let (life, found) = after([ended(loaded(1)), lenient(refused(2))]);
    assert_eq!((&*state(&life), &*told(&found)), ("1 runs", ""));
}

#[test]
fn a_stale_attempt_changes_nothing() {
    let later = || begun(SECOND, false, absent(), None);
    for stale in
        [ended(loaded(2)), ended(AttemptOutcome::Gone), manifest_read(DENIED), Event::TakesLong(FIRST)]
    {
        let (life, found) = after([ended(loaded(1)), later(), stale]);
        assert_eq!((&*state(&life), &*told(&found)), ("1 runs", ""));
    }
    let (life, _) = after([ended(loaded(1)), later(), ended_with(SECOND, loaded(2), false)]);
    assert_eq!(state(&life), "2 runs");
}

#[test]
fn what_was_written_again_since_it_was_refused_is_tried_again() {
    let (one, other) = (written(1_000), written(2_000));
    let refused_as = |identity: &Identity, lenient| Event::Ended {
        attempt_number: FIRST,
        identity: identity.clone(),
        outcome: refused(1),
        lenient,
        at: Instant::now(),
    };
    let tried =
        |first, now: &Identity| told(&after([first, begun(SECOND, false, now.clone(), Some(content(1)))]).1);
    assert_eq!(tried(refused_as(&one, false), &one), "try, tried Some(1), withheld None");
    assert_eq!(tried(refused_as(&one, false), &other), "try, tried None, withheld None");
    assert_eq!(tried(refused_as(&one, true), &one), "try, tried None, withheld Some(1)");
    assert_eq!(tried(refused_as(&one, true), &other), "try, tried None, withheld None");
}

#[test]
fn the_same_content_is_in_hand_once() {
    let second = |again, number| begun(SECOND, again, written(2_000), Some(content(number)));
    let first = || begun(FIRST, false, written(1_000), Some(content(1)));
    let told_of = |events: Vec<Event<Numbered>>| told(&after(events).1);
    assert_eq!(told_of(vec![first(), second(false, 1)]), "");
    assert_eq!(told_of(vec![first(), second(false, 2)]), "try, tried None, withheld None");
    // A caller that insists on it waits until the other has ended.
    assert_eq!(told_of(vec![first(), second(true, 1)]), "");
    assert_eq!(told_of(vec![first(), second(true, 2)]), "try, tried None, withheld None");
    // However it ended.
    assert_eq!(
        told_of(vec![first(), Event::TakesNoLonger(FIRST), second(false, 1)]),
        "try, tried None, withheld None"
    );
}

#[test]
fn what_may_pass_is_tried_again_with_growing_pauses() {
    let killed = || {
        let reason = LoadError::CompilerKilled { signal: 9 };
        AttemptOutcome::Refused(Refused { content: Some(content(1)), digest: None, manifest: None, reason })
    };
    let start = Instant::now();
    let (mut life, mut at, mut pauses) = (Life::<Numbered>::new("a.wasm"), start, Vec::new());
    for number in 1..=12 {
        let attempt_number = AttemptNumber(number);
        let ended =
            Event::Ended { attempt_number, identity: absent(), outcome: killed(), lenient: false, at };
        life = life.step(begun(attempt_number, true, absent(), Some(content(1)))).0.step(ended).0;
        let failed_at = at;
        loop {
            at += Duration::from_millis(250);
            let (next, effects) = life.step(Event::Ticked { at });
            life = next;
            if !effects.is_empty() {
                break;
            }
        }
        pauses.push(at - failed_at);
    }
    assert!(pauses[0] <= Duration::from_secs(3), "{pauses:?}");
    assert!(pauses[6] > Duration::from_secs(30), "{pauses:?}");
    assert!(pauses.iter().all(|pause| *pause <= Duration::from_secs(301)), "{pauses:?}");
    let refused = life.step(begun(AttemptNumber(20), true, absent(), None)).0;
    let (refused, _) = refused.step(ended_with(AttemptNumber(20), self::refused(2), false));
    assert!(refused.step(Event::Ticked { at: at + Duration::from_secs(9_000) }).1.is_empty());
}

#[test]
fn a_first_version_is_loading_until_it_runs_or_is_refused() {
    let seen = || Event::Seen { identity: Some(written(1_000)), is_busy: false, at: Instant::now() };
    let lenient = |outcome| ended_with(FIRST, outcome, true);
    for (events, expected) in [
        (vec![seen()], "none runs, loading"),
        (vec![Event::Awaited], "none runs, loading"),
        (vec![seen(), began(false)], "none runs, loading"),
        (vec![seen(), began(false), lenient(refused(1))], "none runs, loading"),
        (vec![seen(), began(false), ended(refused(1))], "none runs, refused"),
        (vec![seen(), began(false), ended(loaded(1))], "1 runs"),
        (vec![Event::Awaited, began(false), ended(loaded(1))], "1 runs"),
        (vec![Event::Awaited, Event::NotAwaited], "blank"),
        (
            vec![
                Event::Awaited,
                began(false),
                ended(loaded(1)),
                Event::Awaited,
                began(false),
                ended(AttemptOutcome::Gone),
            ],
            "blank",
        ),
    ] {
        let (life, _) =
            events.into_iter().fold((Life::new("a.wasm"), Vec::new()), |(life, _), event| life.step(event));
        assert_eq!(state(&life), expected);
    }
}

#[test]
fn a_file_is_shown_as_loading_while_any_attempt_takes_long() {
    let (shown, hidden) = (Event::TakesLong, Event::TakesNoLonger);
    let later = || begun(SECOND, true, absent(), None);
    let table = [
        (vec![shown(FIRST)], "none runs, loading"),
        (vec![shown(FIRST), hidden(FIRST)], "none runs"),
        (vec![ended(loaded(1)), shown(FIRST), later()], "1 runs, loading"),
        (vec![shown(FIRST), later(), hidden(FIRST)], "none runs"),
        (vec![shown(FIRST), later(), shown(SECOND), hidden(FIRST)], "none runs, loading"),
    ];
    for (row, (events, expected)) in table.into_iter().enumerate() {
        assert_eq!(state(&after(events).0), expected, "row {row}");
    }
}

/// A look `milliseconds` after the start, while a lenient update is under way or not.
type Look<'a> = (u64, &'a Option<Identity>, bool, &'a str);

fn assert_seen(start: Instant, life: Life<Numbered>, looks: &[Look]) -> Life<Numbered> {
    looks.iter().fold(life, |life, (milliseconds, identity, is_busy, expected)| {
        let at = start + Duration::from_millis(*milliseconds);
        let identity = Option::clone(identity);
        let (life, effects) = life.step(Event::Seen { identity, is_busy: *is_busy, at });
        assert_eq!(told(&effects), *expected, "after {milliseconds} ms");
        life
    })
}

#[test]
fn a_file_that_holds_still_is_read_and_then_reported() {
    let (start, coarse, fine, none) = (Instant::now(), Some(written(0)), Some(written(1_000_000)), None);
    let see = |looks: &[Look]| assert_seen(start, Life::new("a.wasm"), looks);
    see(&[(0, &none, false, "")]);
    // Whole seconds may hide another write for two of them.
    see(&[
        (0, &coarse, false, ""),
        (80, &coarse, false, "update leniently"),
        (160, &coarse, false, ""),
        (560, &coarse, false, "update"),
        (1_900, &coarse, false, ""),
        (2_000, &coarse, false, "update"),
        (9_000, &coarse, false, ""),
    ]);
    // If the compiler took longer than that, one report is enough.
    see(&[
        (0, &coarse, false, ""),
        (80, &coarse, false, "update leniently"),
        (4_900, &coarse, true, ""),
        (5_000, &coarse, false, "update"),
        (9_000, &coarse, false, ""),
    ]);
    if !fine.as_ref().unwrap().is_coarse() {
        see(&[
            (0, &fine, false, ""),
            (80, &fine, false, "update leniently"),
            (560, &fine, false, "update"),
            (9_000, &fine, false, ""),
        ]);
    }
    // Another write starts all over again.
    see(&[
        (0, &fine, false, ""),
        (80, &fine, false, "update leniently"),
        (160, &coarse, true, ""),
        (240, &coarse, false, "update leniently"),
    ]);
    let gone = see(&[
        (0, &fine, false, ""),
        (80, &none, false, ""),
        (160, &none, false, "update leniently"),
        (240, &none, true, ""),
        (320, &none, false, ""),
    ]);
    assert!(gone.is_blank());
}

#[test]
fn a_watcher_starts_from_what_was_read_with_the_whole_folder() {
    let start = Instant::now();
    let read = |identity: &Identity| {
        let identity = identity.clone();
        let ended =
            Event::Ended { attempt_number: FIRST, identity, outcome: loaded(1), lenient: false, at: start };
        after([Event::Awaited, ended]).0
    };
    let (coarse, fine) = (written(0), written(1_000_000));
    let looks = [(0, ""), (1_900, ""), (2_000, "update"), (9_000, "")];
    let seen = Some(coarse.clone());
    assert_seen(start, read(&coarse), &looks.map(|(at, expected)| (at, &seen, false, expected)));
    let other = [(0, &None, false, ""), (80, &None, false, "update leniently"), (160, &None, false, "")];
    assert_seen(start, read(&coarse), &other);
    if !fine.is_coarse() {
        let seen = Some(fine.clone());
        assert_seen(start, read(&fine), &looks.map(|(at, _)| (at, &seen, false, "")));
    }
}
