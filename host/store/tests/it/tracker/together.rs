//! Changes of different kinds at the same moment, which a database may make together: each is made, and
//! each caller hears of its own.

use futures_util::future::{join, join_all, join4};
use maro_domain::{
    author::Author,
    ids::ChannelId,
    request_token::RequestToken,
    tracked::{
        ListFilter, PageRequest,
        TrackOutcome::{AlreadyTracked, Tracked},
        UntrackOutcome::{NotTracked, Untracked},
    },
};

use crate::support::given::{Given, Sync as _, at, channel, described, issue, key, on_both_databases, user};

on_both_databases! {
    one_removes_while_another_adds,
    one_adds_while_jiras_news_come,
    one_removes_while_jiras_news_come,
    every_kind_of_change_at_once,
    the_same_issue_is_removed_and_added_at_once,
    one_of_many_removes_the_same_issue,
    each_of_many_reads_its_own_list,
    lists_of_several_channels_change_at_once,
}

/// How often each meeting is tried: whether changes are made together is a matter of moments.
const ROUNDS: u32 = 25;

fn by(channel: &ChannelId) -> Author {
    Author::host(channel, &user("U1"))
}

async fn one_removes_while_another_adds(given: &Given) {
    let channel = channel("C1");
    for round in 1..=ROUNDS {
        let (old, new) =
            (issue(round, &format!("OLD-{round}")), issue(1_000 + round, &format!("NEW-{round}")));
        assert_eq!(given.track("C1", std::slice::from_ref(&old), 0).await, [Tracked]);
        let keys = [old.key];
        let (removed, added) = join(
            given.tracker.untrack(&by(&channel), &keys, at(0)),
            given.track("C1", std::slice::from_ref(&new), 1),
        )
        .await;
        assert_eq!((removed.unwrap(), added), (vec![Untracked], vec![Tracked]), "round {round}");
        assert_eq!(given.keys("C1").await, [new.key.as_str()], "round {round}");
        // And the other way round.
        let keys = [new.key, key("NO-1")];
        let (added, removed) = join(
            given.track("C1", &[issue(9_999, "ONE-1")], 2),
            given.tracker.untrack(&by(&channel), &keys, at(0)),
        )
        .await;
        assert_eq!((removed.unwrap(), added), (vec![Untracked, NotTracked], vec![Tracked]), "round {round}");
        assert_eq!(given.keys("C1").await, ["ONE-1"], "round {round}");
        given.tracker.untrack(&by(&channel), &[key("ONE-1")], at(0)).await.unwrap();
    }
}

async fn one_adds_while_jiras_news_come(given: &Given) {
    let channel = channel("C1");
    for round in 1..=ROUNDS {
        assert_eq!(given.track("C1", &[issue(1, "A-1")], 0).await, [Tracked]);
        let news = [(key("A-1"), Some(described(1, "B-1", "Moved", "Done"))), (key("A-9"), None)];
        let (added, written) =
            join(given.track("C1", &[issue(2, "A-2")], 60), given.tracker.sync(&news, at(60))).await;
        written.unwrap();
        assert_eq!(added, [Tracked], "round {round}");
        assert_eq!(given.keys("C1").await, ["B-1", "A-2"], "round {round}");
        assert_eq!(given.list("C1").await[0].last_jira_status.as_deref(), Some("Done"), "round {round}");
        given.tracker.untrack(&by(&channel), &[key("B-1"), key("A-2")], at(0)).await.unwrap();
    }
}

async fn one_removes_while_jiras_news_come(given: &Given) {
    let channel = channel("C1");
    for round in 1..=ROUNDS {
        assert_eq!(given.track("C1", &[issue(1, "A-1"), issue(2, "A-2")], 0).await, [Tracked, Tracked]);
        let (gone, news) = ([key("A-2")], [(key("A-1"), Some(described(1, "B-1", "Moved", "Done")))]);
        let (removed, written) =
            join(given.tracker.untrack(&by(&channel), &gone, at(0)), given.tracker.sync(&news, at(60))).await;
        written.unwrap();
        assert_eq!(removed.unwrap(), [Untracked], "round {round}");
        assert_eq!(given.keys("C1").await, ["B-1"], "round {round}");
        assert_eq!(given.list("C1").await[0].last_jira_status.as_deref(), Some("Done"), "round {round}");
        given.tracker.untrack(&by(&channel), &[key("B-1")], at(0)).await.unwrap();
    }
}

async fn every_kind_of_change_at_once(given: &Given) {
    let channel = channel("C1");
    for round in 1..=ROUNDS {
        let before =
            [issue(1, "A-1"), issue(2, "A-2"), issue(3, "A-3"), described(4, "A-4", "Before", "Open")];
        assert_eq!(given.track("C1", &before, 0).await, [Tracked; 4]);
        let (gone, synced) = ([key("A-1")], [(key("A-2"), Some(described(2, "B-2", "Moved", "Done")))]);
        let (removed, added, refreshed, moved) = join4(
            given.tracker.untrack(&by(&channel), &gone, at(0)),
            given.track("C1", &[issue(5, "A-5"), issue(6, "A-6")], 60),
            given.track("C1", &[described(4, "A-4", "After", "Open")], 60),
            given.tracker.sync(&synced, at(60)),
        )
        .await;
        moved.unwrap();
        assert_eq!(removed.unwrap(), [Untracked], "round {round}");
        assert_eq!((added, refreshed), (vec![Tracked, Tracked], vec![AlreadyTracked]), "round {round}");
        assert_eq!(given.keys("C1").await, ["B-2", "A-3", "A-4", "A-5", "A-6"], "round {round}");
        let rows = given.list("C1").await;
        assert_eq!(rows[0].last_jira_status.as_deref(), Some("Done"), "round {round}");
        assert_eq!(rows[2].last_jira_summary.as_deref(), Some("After"), "round {round}");
        let all: Vec<_> = rows.into_iter().map(|row| row.key).collect();
        assert_eq!(given.tracker.untrack(&by(&channel), &all, at(0)).await.unwrap(), [Untracked; 5]);
    }
}

async fn one_of_many_removes_the_same_issue(given: &Given) {
    let channel = channel("C1");
    for round in 1..=ROUNDS {
        given.track("C1", &[issue(1, "A-1"), issue(2, "A-2")], 0).await;
        let removals = (1..=12_u32).map(|number| {
            let mut id = [0; 16];
            id[..4].copy_from_slice(&(12 * round + number).to_be_bytes());
            let request = RequestToken::new(id, i64::from(number));
            let author = Author { request: Some(request), ..by(&channel) };
            let (both, one) = ([key("A-2"), key("A-1")], [key("A-1")]);
            async move {
                let keys = if number % 4 == 0 { &both[..] } else { &one[..] };
                given.tracker.untrack(&author, keys, at(0)).await.unwrap()
            }
        });
        let removed: Vec<_> = join_all(removals).await.into_iter().flatten().collect();
        assert_eq!(removed.iter().filter(|removed| **removed == Untracked).count(), 2, "round {round}");
        assert_eq!(given.keys("C1").await, [""; 0], "round {round}");
    }
    let noted = given.query("SELECT count(*) || '' FROM audit_log WHERE action = 'untrack'").await;
    assert_eq!(noted, [(2 * ROUNDS).to_string()]);
}

async fn each_of_many_reads_its_own_list(given: &Given) {
    let names = ["C1", "C2", "C3"];
    for (count, name) in (0..).zip(names) {
        let issues: Vec<_> = (1..=count).map(|number| issue(number, &format!("{name}-{number}"))).collect();
        given.track(name, &issues, 0).await;
    }
    for round in 1..=ROUNDS {
        let reads = (0..30_usize).map(|number| async move {
            let (expected, name) = (number % 3, names[number % 3]);
            let keys = if number % 2 == 0 {
                given.keys(name).await
            } else {
                let page = PageRequest { offset: 0, limit: 20 };
                let found = given.tracker.get_filtered_issues(&channel(name), ListFilter::All, page).await;
                let found = found.unwrap();
                assert_eq!(
                    (found.count as usize, found.open as usize),
                    (expected, expected),
                    "round {round}"
                );
                found.page.issues.into_iter().map(|issue| issue.key.to_string()).collect()
            };
            assert_eq!(keys.len(), expected, "round {round}");
            assert!(keys.iter().all(|key| key.starts_with(name)), "round {round}: {keys:?}");
        });
        join_all(reads).await;
    }
}

async fn the_same_issue_is_removed_and_added_at_once(given: &Given) {
    let channel = channel("C1");
    for round in 1..=ROUNDS {
        given.track("C1", &[issue(1, "A-1")], 0).await;
        let keys = [key("A-1")];
        let (removed, added) = join(
            given.tracker.untrack(&by(&channel), &keys, at(0)),
            given.track("C1", &[issue(1, "A-1")], 1),
        )
        .await;
        let is_there = !given.list("C1").await.is_empty();
        let added_last = (vec![Tracked], true);
        let removed_last = (vec![AlreadyTracked], false);
        assert_eq!(removed.unwrap(), [Untracked], "round {round}");
        let end = (added, is_there);
        assert!(end == added_last || end == removed_last, "round {round}: {end:?}");
    }
}

async fn lists_of_several_channels_change_at_once(given: &Given) {
    let channels = ["C1", "C2"].map(channel);
    for round in 1..=ROUNDS {
        assert_eq!(given.track("C1", &[issue(1, "A-1")], 0).await, [Tracked]);
        assert_eq!(given.track("C2", &[issue(2, "A-2")], 0).await, [Tracked]);
        let (first, second) = ([key("A-1")], [key("A-2")]);
        let (gone, new, also_gone, also_new) = join4(
            given.tracker.untrack(&by(&channels[0]), &first, at(0)),
            given.track("C1", &[issue(2, "A-2")], 1),
            given.tracker.untrack(&by(&channels[1]), &second, at(0)),
            given.track("C2", &[issue(1, "A-1")], 1),
        )
        .await;
        assert_eq!((gone.unwrap(), also_gone.unwrap()), (vec![Untracked], vec![Untracked]), "round {round}");
        assert_eq!((new, also_new), (vec![Tracked], vec![Tracked]), "round {round}");
        assert_eq!(given.keys("C1").await, ["A-2"], "round {round}");
        assert_eq!(given.keys("C2").await, ["A-1"], "round {round}");
        given.tracker.untrack(&by(&channels[0]), &second, at(0)).await.unwrap();
        given.tracker.untrack(&by(&channels[1]), &first, at(0)).await.unwrap();
    }
}
