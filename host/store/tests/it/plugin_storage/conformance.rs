//! What plugins keep behaves alike on SQLite and PostgreSQL.

use futures_util::future::join_all;
use jiff::Timestamp;
use maro_domain::ids::{ChannelId, TeamId, UserId};
use maro_store::{
    database::error::DatabaseError,
    plugin_storage::{Change, Changed, Condition, Owner, PluginStorage, Quota, Space},
};

use crate::support::given::{Given, author, channel, noted, on_both_databases};

on_both_databases! {
    a_value_is_kept_until_it_is_changed_or_taken_away,
    values_of_other_plugins_and_channels_are_out_of_reach,
    a_value_is_swapped_only_for_the_expected_one,
    keys_are_listed_by_prefix_in_the_order_of_their_bytes,
    any_character_can_be_kept,
    the_quota_is_exact,
    what_makes_nothing_larger_is_never_refused,
    writers_at_once_never_exceed_the_quota,
    of_swaps_at_once_exactly_one_wins,
    a_counter_swapped_by_many_counts_each,
    an_expired_value_is_gone_and_takes_no_room,
    amounts_added_by_many_are_all_counted,
    what_is_no_number_is_not_added_to,
    a_person_has_values_of_their_own_in_every_channel,
    a_closed_database_is_unavailable,
}

const MUCH: Quota = Quota { keys: 1_000, bytes: 1 << 20, plugin_bytes: 16 << 20 };

const YES: Changed = Changed::Yes { had_value: false };
const YES_ANEW: Changed = Changed::Yes { had_value: true };

fn shared(plugin: &str) -> Space<'_> {
    Space { plugin, owner: Owner::Plugin, now: Timestamp::UNIX_EPOCH }
}

fn within<'a>(plugin: &'a str, channel: &'a ChannelId) -> Space<'a> {
    Space { plugin, owner: Owner::Channel(channel), now: Timestamp::UNIX_EPOCH }
}

async fn set(given: &Given, space: Space<'_>, key: &str, value: &str, quota: Quota) -> Changed {
    let change = Change { key, condition: Condition::Any, new: Some(value), expires_at: None };
    given.plugin_storage.change(space, change, quota, noted(&author("C1", "U1"))).await.unwrap()
}

async fn take(given: &Given, space: Space<'_>, key: &str) -> Changed {
    let change = Change { key, condition: Condition::Any, new: None, expires_at: None };
    given.plugin_storage.change(space, change, MUCH, noted(&author("C1", "U1"))).await.unwrap()
}

async fn swap(storage: &dyn PluginStorage, key: &str, expected: Option<&str>, new: Option<&str>) -> Changed {
    let change = Change { key, condition: Condition::Is(expected), new, expires_at: None };
    storage.change(shared("p"), change, MUCH, noted(&author("C1", "U1"))).await.unwrap()
}

async fn get(given: &Given, space: Space<'_>, key: &str) -> Option<String> {
    given.plugin_storage.get(space, key).await.unwrap()
}

async fn list(given: &Given, prefix: &str, limit: u32) -> Vec<String> {
    given.plugin_storage.list_keys(shared("p"), prefix, limit).await.unwrap()
}

async fn a_value_is_kept_until_it_is_changed_or_taken_away(given: &Given) {
    let space = shared("p");
    assert_eq!(get(given, space, "k").await, None);
    assert_eq!(set(given, space, "k", "one", MUCH).await, YES);
    assert_eq!(set(given, space, "k", "two", MUCH).await, YES_ANEW);
    assert_eq!(get(given, space, "k").await.as_deref(), Some("two"));
    assert_eq!(set(given, space, "k", "", MUCH).await, YES_ANEW);
    assert_eq!(get(given, space, "k").await.as_deref(), Some(""));
    assert_eq!(take(given, space, "k").await, YES_ANEW);
    assert_eq!(take(given, space, "k").await, YES);
    assert_eq!(get(given, space, "k").await, None);
}

async fn values_of_other_plugins_and_channels_are_out_of_reach(given: &Given) {
    let (one, other, direct) = (channel("C1"), channel("C2"), channel("D1"));
    let spaces = [
        shared("p"),
        within("p", &one),
        within("p", &other),
        within("p", &direct),
        shared("q"),
        within("q", &one),
    ];
    for (number, space) in spaces.iter().enumerate() {
        assert_eq!(set(given, *space, "k", &number.to_string(), MUCH).await, YES);
    }
    for (number, space) in spaces.iter().enumerate() {
        assert_eq!(get(given, *space, "k").await, Some(number.to_string()));
        assert_eq!(given.plugin_storage.list_keys(*space, "", 10).await.unwrap(), ["k"]);
    }
    assert_eq!(take(given, spaces[1], "k").await, YES_ANEW);
    assert_eq!(get(given, spaces[2], "k").await.as_deref(), Some("2"));
}

async fn a_value_is_swapped_only_for_the_expected_one(given: &Given) {
    let storage = &*given.plugin_storage;
    assert_eq!(swap(storage, "k", Some("a"), Some("b")).await, Changed::ConditionFails);
    assert_eq!(swap(storage, "k", None, Some("a")).await, YES);
    assert_eq!(swap(storage, "k", None, Some("b")).await, Changed::ConditionFails);
    assert_eq!(swap(storage, "k", Some("A"), Some("b")).await, Changed::ConditionFails);
    assert_eq!(swap(storage, "k", Some("a"), Some("b")).await, YES_ANEW);
    assert_eq!(get(given, shared("p"), "k").await.as_deref(), Some("b"));
    assert_eq!(swap(storage, "k", Some("b"), None).await, YES_ANEW);
    assert_eq!(swap(storage, "k", None, None).await, YES);
    assert_eq!(get(given, shared("p"), "k").await, None);
}

async fn keys_are_listed_by_prefix_in_the_order_of_their_bytes(given: &Given) {
    for key in ["b", "a", "a_b", "aab", "B", "a%", "ä", "a-b", "a b", "Z", "_"] {
        set(given, shared("p"), key, "", MUCH).await;
    }
    let all = ["B", "Z", "_", "a", "a b", "a%", "a-b", "a_b", "aab", "b", "ä"];
    assert_eq!(list(given, "", 100).await, all);
    assert_eq!(list(given, "", 3).await, all[..3]);
    assert_eq!(list(given, "a", 100).await, ["a", "a b", "a%", "a-b", "a_b", "aab"]);
    assert_eq!(list(given, "a_", 100).await, ["a_b"]);
    assert_eq!(list(given, "a%", 100).await, ["a%"]);
    assert_eq!(list(given, "ä", 100).await, ["ä"]);
    assert_eq!(list(given, "c", 100).await, [""; 0]);
}

async fn any_character_can_be_kept(given: &Given) {
    let space = shared("p");
    for text in ["\0", "a\0b", "\u{7f}", "\u{10ffff}", "'\"\\", "\r\n\t", "{\"a\":[1]}", "👩‍🔧", "%_*?"]
    {
        assert_eq!(set(given, space, text, text, MUCH).await, YES, "{text:?}");
        assert_eq!(get(given, space, text).await.as_deref(), Some(text));
        assert_eq!(list(given, text, 10).await, [text]);
        assert_eq!(swap(&*given.plugin_storage, text, Some(text), None).await, YES_ANEW);
    }
    let long = "ü".repeat(32 * 1024);
    set(given, space, "long", &long, MUCH).await;
    assert_eq!(get(given, space, "long").await, Some(long));
}

async fn the_quota_is_exact(given: &Given) {
    let quota = Quota { keys: 2, bytes: 10, plugin_bytes: 15 };
    let (one, other) = (channel("C1"), channel("C2"));
    let full = Changed::Full;
    let here = within("p", &one);
    assert_eq!(set(given, here, "ä", "123456789", quota).await, full, "11 bytes");
    assert_eq!(set(given, here, "ä", "12345678", quota).await, YES, "10 bytes");
    assert_eq!(set(given, here, "b", "", quota).await, full, "one byte more");
    assert_eq!(set(given, here, "ä", "1234", quota).await, YES_ANEW, "6 bytes");
    assert_eq!(set(given, here, "b", "", quota).await, YES, "7 bytes");
    assert_eq!(set(given, here, "c", "", quota).await, full, "a third key");

    let there = within("p", &other);
    assert_eq!(set(given, there, "k", "12345678", quota).await, full, "16 bytes in all");
    assert_eq!(set(given, there, "k", "1234567", quota).await, YES, "15 bytes in all");
    assert_eq!(set(given, shared("p"), "k", "", quota).await, full);
    assert_eq!(set(given, shared("q"), "k", "123456789", quota).await, YES, "another plugin's own");
    assert_eq!(take(given, there, "k").await, YES_ANEW);
    assert_eq!(set(given, shared("p"), "k", "1234567", quota).await, YES, "room again");
}

async fn what_makes_nothing_larger_is_never_refused(given: &Given) {
    let space = shared("p");
    set(given, space, "a", "12345", MUCH).await;
    set(given, space, "b", "12345", MUCH).await;
    let nothing = Quota { keys: 0, bytes: 0, plugin_bytes: 0 };
    assert_eq!(set(given, space, "a", "54321", nothing).await, YES_ANEW);
    assert_eq!(set(given, space, "a", "1", nothing).await, YES_ANEW);
    assert_eq!(set(given, space, "a", "12", nothing).await, Changed::Full);
    let change = Change { key: "b", condition: Condition::Any, new: None, expires_at: None };
    assert_eq!(
        given.plugin_storage.change(space, change, nothing, noted(&author("C1", "U1"))).await.unwrap(),
        YES_ANEW
    );
}

async fn writers_at_once_never_exceed_the_quota(given: &Given) {
    let replica = given.replica().await;
    let storages = [given.plugin_storage.clone(), replica.plugin_storage.clone()];
    let quota = Quota { keys: 7, ..MUCH };
    let writers = (0..24).map(|number| {
        let storage = storages[number % 2].clone();
        tokio::spawn(async move {
            let key = format!("k{number}");
            let change = Change { key: &key, condition: Condition::Any, new: Some("v"), expires_at: None };
            storage.change(shared("p"), change, quota, noted(&author("C1", "U1"))).await.unwrap()
        })
    });
    let outcomes: Vec<Changed> = join_all(writers).await.into_iter().map(Result::unwrap).collect();
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == YES).count(), 7);
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == Changed::Full).count(), 17);
    assert_eq!(list(given, "", 100).await.len(), 7);

    let writers = (0..16).map(|number| {
        let (storage, channel) = (storages[number % 2].clone(), channel(&format!("C{number}")));
        tokio::spawn(async move {
            let change =
                Change { key: "key", condition: Condition::Any, new: Some("1234567"), expires_at: None };
            let quota = Quota { plugin_bytes: 50, ..MUCH };
            storage
                .change(within("total", &channel), change, quota, noted(&author("C1", "U1")))
                .await
                .unwrap()
        })
    });
    let outcomes: Vec<Changed> = join_all(writers).await.into_iter().map(Result::unwrap).collect();
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == YES).count(), 5, "10 bytes each");
    replica.close().await;
}

async fn of_swaps_at_once_exactly_one_wins(given: &Given) {
    let replica = given.replica().await;
    let storages = [given.plugin_storage.clone(), replica.plugin_storage.clone()];
    let swaps = (0..16).map(|number| {
        let storage = storages[number % 2].clone();
        tokio::spawn(async move { swap(&*storage, "k", None, Some(&number.to_string())).await })
    });
    let outcomes: Vec<Changed> = join_all(swaps).await.into_iter().map(Result::unwrap).collect();
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == YES).count(), 1);
    let winner = outcomes.iter().position(|outcome| *outcome == YES).unwrap();
    assert_eq!(get(given, shared("p"), "k").await, Some(winner.to_string()));
    replica.close().await;
}

async fn a_counter_swapped_by_many_counts_each(given: &Given) {
    let counters = (0..8).map(|_| {
        let storage = given.plugin_storage.clone();
        tokio::spawn(async move {
            loop {
                let before = storage.get(shared("p"), "count").await.unwrap();
                let count: u32 = before.as_deref().map_or(0, |count| count.parse().unwrap());
                let after = (count + 1).to_string();
                if swap(&*storage, "count", before.as_deref(), Some(&after)).await != Changed::ConditionFails
                {
                    return;
                }
            }
        })
    });
    join_all(counters).await.into_iter().for_each(Result::unwrap);
    assert_eq!(get(given, shared("p"), "count").await.as_deref(), Some("8"));
}

async fn an_expired_value_is_gone_and_takes_no_room(given: &Given) {
    let at = |seconds| Space { now: Timestamp::from_second(seconds).unwrap(), ..shared("p") };
    let until = |expires_at, new| Change { key: "k", condition: Condition::Any, new, expires_at };
    let storage = &given.plugin_storage;
    let change = async |space, change, quota| {
        storage.change(space, change, quota, noted(&author("C1", "U1"))).await.unwrap()
    };
    assert_eq!(change(at(10), until(Some(20), Some("v")), MUCH).await, YES);
    assert_eq!(get(given, at(19), "k").await.as_deref(), Some("v"));
    assert_eq!(storage.list_keys(at(19), "", 10).await.unwrap(), ["k"]);
    assert_eq!(get(given, at(20), "k").await, None);
    assert_eq!(storage.list_keys(at(20), "", 10).await.unwrap(), [""; 0]);
    // To a swap and to a deletion there is none.
    let swap = Change { condition: Condition::Is(Some("v")), ..until(None, Some("w")) };
    assert_eq!(change(at(20), swap, MUCH).await, Changed::ConditionFails);
    assert_eq!(change(at(20), until(None, None), MUCH).await, YES);
    let swap = Change { condition: Condition::Is(None), ..until(Some(40), Some("w")) };
    assert_eq!(change(at(20), swap, MUCH).await, YES);
    // Plain `set` makes it stay.
    assert_eq!(change(at(30), until(None, Some("x")), MUCH).await, YES_ANEW);
    assert_eq!(get(given, at(1_000), "k").await.as_deref(), Some("x"));
    // Room is made when it's needed.
    let few = Quota { keys: 2, ..MUCH };
    let other = Change { key: "other", ..until(Some(50), Some("v")) };
    let third = Change { key: "third", ..until(None, Some("v")) };
    assert_eq!(change(at(40), other, few).await, YES);
    assert_eq!(change(at(40), third, few).await, Changed::Full);
    assert_eq!(change(at(50), third, few).await, YES);
    assert_eq!(change(at(50), Change { key: "fourth", ..third }, few).await, Changed::Full);
    assert_eq!(storage.list_keys(at(50), "", 10).await.unwrap(), ["k", "third"]);
}

async fn amounts_added_by_many_are_all_counted(given: &Given) {
    let add = |amount| async move {
        let by = author("C1", "U1");
        given.plugin_storage.add(shared("p"), "votes", amount, MUCH, noted(&by)).await.unwrap()
    };
    let mut sums = join_all((0..40).map(|_| add(1))).await;
    sums.sort_by_key(|changed| match changed {
        Changed::Sum(sum) => *sum,
        other => panic!("{other:?}"),
    });
    assert_eq!(sums, (1..=40).map(Changed::Sum).collect::<Vec<_>>());
    assert_eq!(add(-50).await, Changed::Sum(-10));
    assert_eq!(get(given, shared("p"), "votes").await.as_deref(), Some("-10"));
    // It expires when it would have, and begins anew.
    let at = |seconds| Space { now: Timestamp::from_second(seconds).unwrap(), ..shared("p") };
    let until = Change { key: "votes", condition: Condition::Any, new: Some("5"), expires_at: Some(20) };
    given.plugin_storage.change(at(10), until, MUCH, noted(&author("C1", "U1"))).await.unwrap();
    for (seconds, expected) in [(11, 6), (19, 7), (20, 1), (30, 2)] {
        let by = author("C1", "U1");
        let sum = given.plugin_storage.add(at(seconds), "votes", 1, MUCH, noted(&by)).await.unwrap();
        assert_eq!(sum, Changed::Sum(expected), "at {seconds}");
    }
}

async fn what_is_no_number_is_not_added_to(given: &Given) {
    for (before, amount) in [("many", 1), ("", 1), ("1.5", 1), ("9223372036854775807", 1), ("-1", i64::MIN)] {
        set(given, shared("p"), "k", before, MUCH).await;
        let by = author("C1", "U1");
        let changed = given.plugin_storage.add(shared("p"), "k", amount, MUCH, noted(&by)).await.unwrap();
        assert_eq!(changed, Changed::NoNumber, "{before}");
        assert_eq!(get(given, shared("p"), "k").await.as_deref(), Some(before));
    }
    let by = author("C1", "U1");
    let none = Quota { keys: 0, ..MUCH };
    let changed = given.plugin_storage.add(shared("q"), "k", 1, none, noted(&by)).await.unwrap();
    assert_eq!(changed, Changed::Full);
}

async fn a_person_has_values_of_their_own_in_every_channel(given: &Given) {
    let (ada, team, channel) = (UserId::parse("U1").unwrap(), TeamId::parse("T2").unwrap(), channel("C1"));
    let spaces = [
        shared("p"),
        within("p", &channel),
        Space { owner: Owner::Person(&ada, None), ..shared("p") },
        Space { owner: Owner::Person(&ada, Some(&team)), ..shared("p") },
        Space { owner: Owner::Person(&ada, None), ..shared("q") },
    ];
    for (number, space) in spaces.into_iter().enumerate() {
        assert_eq!(set(given, space, "k", &number.to_string(), MUCH).await, YES);
    }
    for (number, space) in spaces.into_iter().enumerate() {
        assert_eq!(get(given, space, "k").await, Some(number.to_string()));
    }
}

async fn a_closed_database_is_unavailable(given: &Given) {
    given.close().await;
    let error = given.plugin_storage.get(shared("p"), "k").await.unwrap_err();
    assert!(matches!(error, DatabaseError::Unavailable(_)), "{error:?}");
    let change = Change { key: "k", condition: Condition::Any, new: Some("v"), expires_at: None };
    let error =
        given.plugin_storage.change(shared("p"), change, MUCH, noted(&author("C1", "U1"))).await.unwrap_err();
    assert!(matches!(error, DatabaseError::Unavailable(_)), "{error:?}");
}
