//! What operators hear of a file that people wait for.

use std::{sync::Arc, time::Duration};

use tokio::time::Instant;

use super::{
    super::{
        file_event::{AttemptNumber, AttemptOutcome, Effect, Event},
        file_life::Life,
        waiting::Waiting,
    },
    Numbered, absent, build, content, told, written,
};
use crate::loading::progress::{Progress, Stage};

const FIRST: AttemptNumber = AttemptNumber(1);

#[test]
fn a_long_wait_is_told_once_for_each_thing_that_it_is_for() {
    let start = Instant::now();
    let at = |seconds: u64| start + Duration::from_secs(seconds);
    let seen = |seconds, nanoseconds| Event::Seen {
        identity: Some(written(nanoseconds)),
        is_busy: false,
        at: at(seconds),
    };
    let tick = |life: Life<Numbered>, seconds, expected: &str| {
        let (life, effects) = life.step(Event::Ticked { at: at(seconds) });
        assert_eq!(told(&effects), expected, "after {seconds} s");
        life
    };
    let life = (0..7).fold(Life::new("a.wasm"), |life, second| life.step(seen(second, second + 1)).0);
    let life = tick(life, 4, "");
    let life = tick(life, 5, "Changing for 5 s");
    let life = tick(life, 6, "");
    let (life, effects) = life.step(Event::Begun {
        attempt_number: FIRST,
        again: false,
        identity: absent(),
        content: Some(content(1)),
    });
    let [Effect::Try(known)] = &effects[..] else { panic!("it isn't tried") };
    let life = tick(life, 7, "Inspecting for 7 s");
    known.progress.enter(Stage::Compiling);
    let life = tick(life, 8, "Compiling for 8 s");
    // Somebody copies the same again.
    let (life, _) = life.step(seen(9, 100));
    let life = tick(life, 9, "");
    assert_eq!(life.wait(at(9)).map(|wait| wait.stage), Some(Stage::Compiling));
    let ended = Event::Ended {
        attempt_number: FIRST,
        identity: absent(),
        outcome: AttemptOutcome::Loaded { content: content(1), plugin: build(1) },
        lenient: false,
        at: at(10),
    };
    let life = life.step(ended).0;
    assert_eq!(tick(life, 20, "").wait(at(20)), None);
}

#[test]
fn what_has_just_begun_is_not_told_though_the_wait_is_long() {
    let now = Instant::now();
    let (mut waiting, describing) =
        (Waiting::since(now - Duration::from_secs(60)), Arc::new(Progress::default()));
    waiting.on(Arc::clone(&describing));
    describing.enter(Stage::Describing);
    assert_eq!(waiting.news(now + Duration::from_secs(1)), None);
    let stage = waiting.wait(now + Duration::from_secs(1)).map(|wait| wait.stage);
    assert_eq!(stage, Some(Stage::Describing), "who asks hears it");
    assert!(waiting.news(now + Duration::from_secs(30)).is_some());
}
