//! Keys and times as people type and paste them, and where the database is.

use jiff::{Timestamp, ToSpan as _};
use maro_domain::{
    issue::IssueKey,
    words::{Site, tidy},
};
use maro_notices::digests::schedule::{Schedule, zone_named};
use maro_plugin::keys;
use maro_process::secret::Secret;
use maro_store::database::postgres::address::Address;
use maro_tickets::stories::epic_key;

use crate::fuzz::fuzz_text;

#[test]
fn what_is_read_as_a_key_is_one_and_was_typed() {
    fuzz_text("keys", |typed| {
        let digits: String = tidy(typed).chars().filter(char::is_ascii_digit).collect();
        let was_typed = |key: &str| {
            assert!(IssueKey::parse(key).is_ok(), "{key}");
            let number = key.rsplit('-').next().unwrap();
            assert!(digits.contains(number) || typed.contains('%'), "{key} of {typed:?}");
        };
        if let Ok(words) = keys::parse(typed) {
            words.keys().iter().for_each(|key| was_typed(key));
            assert!((1..=50).contains(&words.lines(|_| Vec::new()).len()));
        }
        let site = Site::at("https://x.example");
        if let Ok(words) = keys::parse_for(typed, Some(&keys::Site::at("https://x.example"))) {
            words.keys().iter().for_each(|key| was_typed(key));
        }
        if let Ok((key, _)) = epic_key::read(typed, &site) {
            was_typed(key.as_str());
        }
    });
}

#[test]
fn nothing_of_a_password_is_in_a_sentence_about_the_address() {
    fuzz_text("database_urls", |url| match Address::parse(&Secret::new(url)) {
        Ok(address) => {
            let _ = address.is_exposed();
        }
        Err(sentence) => {
            assert!(sentence.ends_with('.') && sentence.lines().count() == 1, "{sentence}");
            assert!(!sentence.contains("Hunter2"), "{sentence} of {url}");
        }
    });
}

#[test]
fn the_time_of_a_digest_is_written_as_it_is_read_and_comes() {
    let zones = ["Europe/Berlin", "America/St_Johns", "Pacific/Apia", "Asia/Kathmandu", "no zone"];
    let times = ["2026-03-28T23:30:00Z", "2026-10-25T00:59:59Z", "2026-11-27T09:00:00Z"];
    fuzz_text("digest_times", |typed| {
        let Some(schedule) = Schedule::parse(typed) else { return };
        let written = schedule.to_string();
        assert_eq!(Schedule::parse(&written), Some(schedule), "{written} of {typed:?}");
        assert!(schedule.in_words().starts_with("every "));
        for (zone, now) in zones.iter().flat_map(|zone| times.map(|now| (zone, now))) {
            let now: Timestamp = now.parse().unwrap();
            let next = schedule.next_after(now, &zone_named(Some(zone)).0);
            assert!(now < next && next <= now + (9 * 24).hours(), "{written} in {zone} after {now}: {next}");
        }
    });
}
