//! What every tracker does. Each claim runs on SQLite and on PostgreSQL.

use std::{collections::HashSet, sync::Arc};

use maro_domain::{
    author::Author,
    issue::{Issue, IssueId, IssueKey, StatusCategory},
    tracked::{
        ListFilter, MISSING_STATUS, PageRequest, Removal, Source,
        TrackOutcome::{self, AlreadyTracked, Tracked},
        TrackedIssue, TrackedPage,
        UntrackOutcome::{NotTracked, Untracked},
    },
};
use maro_store::{freshness::Ages, tracker::TrackRequest};

use crate::support::given::{
    Given, Sync as _, at, author, channel, described, issue, key, on_both_databases, track, user,
};

on_both_databases! {
    each_issue_has_its_own_outcome,
    an_issue_given_twice_is_tracked_once,
    a_row_holds_what_was_said_at_the_time,
    nothing_asked_is_nothing_done,
    a_list_is_in_the_order_of_tracking,
    every_channel_has_its_own_list,
    rows_are_found_by_key_and_id,
    a_list_is_read_page_by_page,
    a_row_says_which_key_its_issue_had_before,
    a_filter_keeps_what_fits_and_counts_it,
    lists_are_summed_up_with_the_latest_first,
    ten_thousand_issues_stay_in_order,
    tracking_again_refreshes_summary_and_status,
    untracking_says_what_was_there,
    who_removes_nothing_reads_the_list_with_the_same_answer,
    what_was_untracked_by_mistake_is_put_back_where_it_stood,
    what_was_moved_is_put_back_where_it_stood,
    a_change_of_a_list_is_known_afterwards,
    presence_is_told_key_by_key,
    a_moved_issue_is_tracked_under_its_new_key,
    two_old_keys_of_one_issue_give_one_row,
    an_issue_listed_under_both_keys_keeps_the_older_row,
    a_row_without_an_id_gets_it,
    a_key_that_jira_gave_to_another_issue_keeps_its_row,
    issues_that_exchanged_their_keys_are_no_error,
    a_moved_issue_among_new_ones_is_told_apart,
    a_sync_refreshes_what_is_listed_and_nothing_else,
    a_sync_renames_a_moved_issue,
    a_sync_says_that_an_issue_is_gone_and_forgets_its_summary,
    an_answer_that_was_long_on_its_way_takes_nothing_back,
    an_issue_is_made_the_next_to_be_read_by_each_of_its_keys,
    an_issue_that_is_seen_again_gets_its_status_back,
    an_issue_without_a_status_waits_for_the_next_sync,
    a_status_that_is_not_told_leaves_the_known_one,
    the_longest_waiting_issues_are_due_first,
    every_list_with_an_issue_is_found_by_key_and_id,
    hostile_texts_come_back_as_they_were,
    a_row_by_another_tool_is_listed,
    a_row_that_makes_no_sense_is_left_out,
    of_many_who_track_an_issue_one_is_told_that_it_is_new,
    of_many_who_untrack_an_issue_one_is_told_that_it_was_there,
    crossing_lists_of_keys_do_not_block_one_another,
    a_storm_of_changes_ends_consistent,
    replicas_see_one_list,
    lists_survive_a_restart,
    a_call_after_the_end_is_an_error,
    whether_an_issue_has_a_security_level_is_kept,
}

async fn rows_are_found_by_key_and_id(given: &Given) {
    given.track("C1", &[issue(1, "A-1"), issue(2, "A-2"), issue(3, "A-3")], 0).await;
    given.track("C2", &[issue(4, "A-4")], 0).await;
    let (keys, ids) = ([key("A-3"), key("A-4"), key("A-9")], [IssueId::new("1"), IssueId::new("3")]);
    let found = given.tracker.find_tracked_issues(&channel("C1"), &keys, &ids).await.unwrap();
    let found: Vec<_> = found.iter().map(|row| row.key.as_str()).collect();
    assert_eq!(found, ["A-1", "A-3"]);
    assert_eq!(given.tracker.find_tracked_issues(&channel("C1"), &[], &[]).await.unwrap(), []);
}

async fn each_issue_has_its_own_outcome(given: &Given) {
    assert_eq!(given.track("C1", &[issue(1, "A-1")], 0).await, [Tracked]);
    let outcomes = given.track("C1", &[issue(2, "A-2"), issue(1, "A-1"), issue(3, "A-3")], 1).await;
    assert_eq!(outcomes, [Tracked, AlreadyTracked, Tracked]);
    assert_eq!(given.keys("C1").await, ["A-1", "A-2", "A-3"]);
}

async fn an_issue_given_twice_is_tracked_once(given: &Given) {
    let outcomes = given.track("C1", &[issue(1, "A-1"), issue(2, "A-2"), issue(1, "A-1")], 0).await;
    assert_eq!(outcomes, [Tracked, Tracked, AlreadyTracked]);
    assert_eq!(given.keys("C1").await, ["A-1", "A-2"]);
}

async fn a_row_holds_what_was_said_at_the_time(given: &Given) {
    let (channel, user) = (channel("C1"), user("U7"));
    for (number, source) in
        [Source::Command, Source::Created, Source::DuplicateLink, Source::EpicStory].into_iter().enumerate()
    {
        let request = TrackRequest { author: &Author::host(&channel, &user), source };
        let issue = issue(number as u32, &format!("A-{}", number + 1));
        given.tracker.track(request, std::slice::from_ref(&issue), at(5)).await.unwrap();
        let row = given.list("C1").await.remove(number);
        assert_eq!(row.key, issue.key);
        assert_eq!(row.issue_id, Some(issue.id));
        assert_eq!(row.tracked_at, at(5));
        assert_eq!(row.tracked_by, Some(user.clone()));
        assert_eq!(row.source, source);
        assert_eq!(row.last_synced_at, Some(at(5)));
        assert_eq!(row.last_jira_status, Some(issue.status));
        assert_eq!(row.last_jira_summary, Some(issue.summary));
    }
}

async fn nothing_asked_is_nothing_done(given: &Given) {
    assert!(given.track("C1", &[], 0).await.is_empty());
    assert!(given.tracker.untrack(&author("C1", "U1"), &[], at(0)).await.unwrap().is_empty());
    assert!(given.tracker.is_tracked(&channel("C1"), &[]).await.unwrap().is_empty());
    given.tracker.sync(&[], at(0)).await.unwrap();
    assert!(given.list("C1").await.is_empty());
    assert_eq!(given.tracker.count_tracked_issues(&channel("C1")).await.unwrap(), 0);
    given.tracker.ping().await.unwrap();
}

async fn a_list_is_in_the_order_of_tracking(given: &Given) {
    given.track("C1", &[issue(9, "Z-9"), issue(1, "A-1")], 10).await;
    given.track("C1", &[issue(5, "M-5")], 5).await;
    given.track("C1", &[issue(2, "B-2")], 10).await;
    assert_eq!(given.keys("C1").await, ["M-5", "Z-9", "A-1", "B-2"]);
}

async fn every_channel_has_its_own_list(given: &Given) {
    assert_eq!(given.track("C1", &[issue(1, "A-1"), issue(2, "A-2")], 0).await, [Tracked, Tracked]);
    assert_eq!(given.track("C2", &[issue(1, "A-1")], 1).await, [Tracked]);
    given.tracker.untrack(&author("C1", "U1"), &[key("A-1")], at(0)).await.unwrap();
    assert_eq!(given.keys("C1").await, ["A-2"]);
    assert_eq!(given.keys("C2").await, ["A-1"]);
    let moved = issue(1, "B-1");
    given.track("C1", &[moved], 2).await;
    assert_eq!(given.keys("C2").await, ["A-1"]);
}

async fn a_row_says_which_key_its_issue_had_before(given: &Given) {
    let of = |number, key: &str| Issue { status_category: StatusCategory::InProgress, ..issue(number, key) };
    given.track("C1", &[of(1, "A-1"), of(2, "A-2"), of(3, "A-3")], 0).await;
    let read = || async {
        let page = PageRequest { offset: 0, limit: 10 };
        let rows = given.tracker.get_tracked_issues(&channel("C1"), page).await.unwrap().issues;
        let former = |row: &TrackedIssue| row.former_key.as_ref().map_or("-".to_owned(), ToString::to_string);
        assert!(rows.iter().all(|row| row.last_jira_category == StatusCategory::InProgress));
        rows.iter().map(|row| format!("{} {}", row.key, former(row))).collect::<Vec<_>>()
    };
    assert_eq!(read().await, ["A-1 -", "A-2 -", "A-3 -"]);
    // Jira answers for the key on the list, or somebody tracks the issue by its new one.
    let sync = |before, issue, second| async move {
        let answers = [(key(before), Some(issue))];
        given.tracker.sync(&answers, at(second)).await.unwrap();
    };
    sync("A-1", of(1, "B-7"), 1).await;
    given.track("C1", &[of(2, "B-8")], 2).await;
    assert_eq!(read().await, ["B-7 A-1", "B-8 A-2", "A-3 -"]);
    sync("B-7", of(1, "B-7"), 3).await;
    sync("B-8", of(2, "C-9"), 3).await;
    assert_eq!(read().await, ["B-7 A-1", "C-9 B-8", "A-3 -"]);
    let fitting = ListFilter::Open;
    let page = PageRequest { offset: 1, limit: 1 };
    let found = given.tracker.get_filtered_issues(&channel("C1"), fitting, page).await.unwrap();
    assert_eq!(found.page.issues[0].former_key, Some(key("B-8")));
}

async fn a_list_is_read_page_by_page(given: &Given) {
    let issues: Vec<Issue> = (1..=5).map(|number| issue(number, &format!("A-{number}"))).collect();
    given.track("C1", &issues, 0).await;
    given.track("C2", &[issue(1, "A-1")], 0).await;
    for (offset, limit, keys, more) in [
        (0, 2, vec!["A-1", "A-2"], true),
        (2, 2, vec!["A-3", "A-4"], true),
        (4, 2, vec!["A-5"], false),
        (0, 5, vec!["A-1", "A-2", "A-3", "A-4", "A-5"], false),
        (5, 5, vec![], false),
        (0, 0, vec![], true),
        (u32::MAX, u32::MAX, vec![], false),
    ] {
        let page =
            given.tracker.get_tracked_issues(&channel("C1"), PageRequest { offset, limit }).await.unwrap();
        let found: Vec<&str> = page.issues.iter().map(|issue| issue.key.as_str()).collect();
        assert_eq!((found, page.more), (keys, more), "offset {offset}, limit {limit}");
    }
    assert_eq!(given.tracker.count_tracked_issues(&channel("C1")).await.unwrap(), 5);
}

async fn a_filter_keeps_what_fits_and_counts_it(given: &Given) {
    let of =
        |number: u32, status_category| Issue { status_category, ..issue(number, &format!("A-{number}")) };
    let issues = [
        of(1, StatusCategory::Done),
        of(2, StatusCategory::ToDo),
        of(3, StatusCategory::Unknown),
        of(4, StatusCategory::Done),
    ];
    given.track("C1", &issues, 0).await;
    given.track("C2", &[of(5, StatusCategory::Done)], 0).await;
    let (own, others) = (user("U1"), user("U2"));
    let assigned = [issues[3].id.clone(), issues[1].id.clone(), IssueId::new("5"), IssueId::new("99")];
    for (filter, offset, keys, more, count, open) in [
        (ListFilter::All, 0, vec!["A-1", "A-2"], true, 4, 2),
        (ListFilter::All, 2, vec!["A-3", "A-4"], false, 4, 2),
        (ListFilter::Open, 0, vec!["A-2", "A-3"], false, 2, 2),
        (ListFilter::Done, 0, vec!["A-1", "A-4"], false, 2, 0),
        (ListFilter::Done, 1, vec!["A-4"], false, 2, 0),
        (ListFilter::TrackedBy(&own), 3, vec!["A-4"], false, 4, 2),
        (ListFilter::TrackedBy(&others), 0, vec![], false, 0, 0),
        // What is assigned to them is theirs, too, if it's on the list.
        (ListFilter::Mine(&others, &assigned), 0, vec!["A-2", "A-4"], false, 2, 1),
        (ListFilter::Mine(&own, &assigned), 3, vec!["A-4"], false, 4, 2),
        (ListFilter::Mine(&others, &[]), 0, vec![], false, 0, 0),
    ] {
        let page = PageRequest { offset, limit: 2 };
        let found = given.tracker.get_filtered_issues(&channel("C1"), filter, page).await.unwrap();
        let shown: Vec<&str> = found.page.issues.iter().map(|issue| issue.key.as_str()).collect();
        let expected = (keys, more, count, open);
        assert_eq!((shown, found.page.more, found.count, found.open), expected, "{filter:?} from {offset}");
    }
}

async fn lists_are_summed_up_with_the_latest_first(given: &Given) {
    let done = Issue { status_category: StatusCategory::Done, ..issue(1, "A-1") };
    given.track("C1", &[done, issue(2, "A-2")], 1).await;
    // The list that grew last is also the one that began first.
    given.track("C2", &[issue(3, "A-3")], 0).await;
    given.track("C2", &[issue(1, "A-1")], 2).await;
    given.track("C3", &[issue(1, "A-1")], 3).await;
    let channels = ["C1", "C2", "C9"].map(channel);
    let summaries = given.tracker.summarize(&channels, 5).await.unwrap();
    let shown: Vec<_> = summaries.iter().map(|it| (it.channel.as_str(), it.count, it.open)).collect();
    assert_eq!(shown, [("C2", 2, 2), ("C1", 2, 1)]);
    assert_eq!(given.tracker.summarize(&channels, 1).await.unwrap().len(), 1);
    assert!(given.tracker.summarize(&[], 5).await.unwrap().is_empty());
}

async fn ten_thousand_issues_stay_in_order(given: &Given) {
    let keys: Vec<String> = (1..=10_000).map(|number| format!("A-{}", 10_001 - number)).collect();
    for (second, chunk) in keys.chunks(100).enumerate() {
        let issues: Vec<Issue> =
            chunk.iter().map(|key| issue(key.strip_prefix("A-").unwrap().parse().unwrap(), key)).collect();
        given.track("C1", &issues, second as i64).await;
    }
    assert_eq!(given.keys("C1").await, keys);
    assert_eq!(given.tracker.count_tracked_issues(&channel("C1")).await.unwrap(), 10_000);
    let page = PageRequest { offset: 9_990, limit: 20 };
    let last = given.tracker.get_tracked_issues(&channel("C1"), page).await.unwrap();
    assert_eq!((last.issues.len(), last.more), (10, false));
    assert_eq!(last.issues[9].key, key("A-1"));
}

async fn tracking_again_refreshes_summary_and_status(given: &Given) {
    given.track("C1", &[described(1, "A-1", "Before", "Open")], 0).await;
    let outcomes = given.track("C1", &[described(1, "A-1", "After", "Done")], 60).await;
    assert_eq!(outcomes, [AlreadyTracked]);
    let row = given.list("C1").await.remove(0);
    assert_eq!(row.last_jira_summary.as_deref(), Some("After"));
    assert_eq!(row.last_jira_status.as_deref(), Some("Done"));
    assert_eq!((row.tracked_at, row.last_synced_at), (at(0), Some(at(60))));
}

async fn untracking_says_what_was_there(given: &Given) {
    given.track("C1", &[issue(1, "A-1"), issue(2, "A-2")], 0).await;
    let keys = [key("A-2"), key("A-9"), key("A-2"), key("A-1")];
    let outcomes = given.tracker.untrack(&author("C1", "U1"), &keys, at(0)).await.unwrap();
    assert_eq!(outcomes, [Untracked, NotTracked, NotTracked, Untracked]);
    assert!(given.list("C1").await.is_empty());
    assert_eq!(given.track("C1", &[issue(1, "A-1")], 9).await, [Tracked]);
}

async fn who_removes_nothing_reads_the_list_with_the_same_answer(given: &Given) {
    let read = async |list: &str, keys: &[&str]| {
        let keys: Vec<_> = keys.iter().map(|text| key(text)).collect();
        given.tracker.remove(&author(list, "U1"), &keys, at(0)).await.unwrap().list
    };
    let whole = PageRequest { offset: 0, limit: Removal::ROWS };
    given.track("C1", &[described(1, "A-1", "Before", "Open"), issue(2, "A-2")], 0).await;
    let mut expected = given.tracker.get_tracked_issues(&channel("C1"), whole).await.unwrap();
    expected.issues.iter_mut().for_each(|issue| issue.last_synced_at = None);
    assert_eq!(read("C1", &["A-9"]).await, Some(expected.clone()));
    assert_eq!(read("C1", &["A-9", "A-8"]).await, Some(expected));
    assert_eq!(read("C2", &["A-1"]).await, Some(TrackedPage { issues: Vec::new(), more: false }));
    // What was removed would still be on it, or not, as it happens.
    assert_eq!(read("C1", &["A-9", "A-1"]).await, None);
    assert_eq!(read("C1", &["A-2"]).await, None);

    let many: Vec<_> = (1..=Removal::ROWS + 1).map(|number| issue(number, &format!("B-{number}"))).collect();
    given.track("C3", &many[1..], 0).await;
    assert!(!read("C3", &["A-9"]).await.unwrap().more);
    given.track("C3", &many[..1], 1).await;
    let page = read("C3", &["A-9"]).await.unwrap();
    assert_eq!((page.issues.len(), page.more), (many.len() - 1, true));
}

async fn what_was_untracked_by_mistake_is_put_back_where_it_stood(given: &Given) {
    let track = async |by: &str, number: u32, second: i64| {
        let (author, issue) = (author("C1", by), issue(number, &format!("A-{number}")));
        let request = TrackRequest { author: &author, source: Source::Command };
        given.tracker.track(request, &[issue], at(second)).await.unwrap();
    };
    for number in 1..=4 {
        track("U7", number, number.into()).await;
    }
    let keys = [key("A-1"), key("A-3")];
    given.tracker.untrack(&author("C1", "U1"), &keys, at(10)).await.unwrap();
    track("U8", 3, 11).await;
    track("U8", 1, 12).await;
    // It was never untracked, or not since then, or in another channel.
    given.tracker.put_back(&channel("C1"), &[key("A-2"), key("B-9")], at(9)).await.unwrap();
    given.tracker.put_back(&channel("C1"), &keys, at(11)).await.unwrap();
    given.tracker.put_back(&channel("C2"), &keys, at(9)).await.unwrap();
    assert_eq!(given.keys("C1").await, ["A-2", "A-4", "A-3", "A-1"]);
    for _ in 0..2 {
        given.tracker.put_back(&channel("C1"), &keys, at(9)).await.unwrap();
        assert_eq!(given.keys("C1").await, ["A-1", "A-2", "A-3", "A-4"]);
    }
    let rows = given.list("C1").await;
    assert_eq!((rows[2].tracked_at, &rows[2].tracked_by), (at(3), &Some(user("U7"))));
    // Those that were tracked together stay in their order, whichever of them went and came back.
    given.track("C3", &[issue(1, "A-1"), issue(2, "A-2"), issue(3, "A-3"), issue(4, "A-4")], 20).await;
    for (second, gone) in [(30, &[2][..]), (40, &[1]), (50, &[4, 3])] {
        let keys: Vec<_> = gone.iter().map(|number| key(&format!("A-{number}"))).collect();
        given.tracker.untrack(&author("C3", "U1"), &keys, at(second)).await.unwrap();
        for number in gone {
            given.track("C3", &[issue(*number, &format!("A-{number}"))], second + 1).await;
        }
        given.tracker.put_back(&channel("C3"), &keys, at(second)).await.unwrap();
        assert_eq!(given.keys("C3").await, ["A-1", "A-2", "A-3", "A-4"], "{gone:?}");
    }
}

async fn what_was_moved_is_put_back_where_it_stood(given: &Given) {
    given.track("C1", &[issue(1, "A-1"), issue(2, "A-2"), issue(3, "A-3"), issue(4, "A-4")], 0).await;
    // One twice while it's on the list, and another while it isn't.
    given.tracker.sync(&[(key("A-2"), Some(issue(2, "B-2")))], at(1)).await.unwrap();
    given.tracker.sync(&[(key("B-2"), Some(issue(2, "D-2")))], at(2)).await.unwrap();
    let keys = [key("A-1"), key("D-2"), key("A-3")];
    given.tracker.untrack(&author("C1", "U2"), &keys, at(10)).await.unwrap();
    let author = author("C1", "U3");
    let request = TrackRequest { author: &author, source: Source::Command };
    given.tracker.track(request, &[issue(1, "A-1"), issue(2, "D-2"), issue(3, "D-3")], at(20)).await.unwrap();
    assert_eq!(given.keys("C1").await, ["A-4", "A-1", "D-2", "D-3"]);
    let keys = [key("A-1"), key("D-2"), key("D-3")];
    for _ in 0..2 {
        given.tracker.put_back(&channel("C1"), &keys, at(10)).await.unwrap();
        assert_eq!(given.keys("C1").await, ["A-1", "D-2", "D-3", "A-4"]);
    }
    let rows = given.list("C1").await;
    let before: Vec<_> = rows.iter().map(|row| row.former_key.as_ref().map(IssueKey::as_str)).collect();
    assert_eq!(before, [None, Some("A-2"), Some("A-3"), None]);
    assert!(rows.iter().all(|row| row.tracked_at < at(1) && row.tracked_by == Some(user("U1"))));
}

async fn a_change_of_a_list_is_known_afterwards(given: &Given) {
    let has_changed = async |in_channel: &str, of: &str, since: i64| {
        given.tracker.has_changed(&channel(in_channel), &key(of), at(since)).await.unwrap()
    };
    assert!(!has_changed("C1", "A-1", 0).await);
    given.track("C1", &[issue(1, "A-1")], 10).await;
    // It's on the list already, which changes nothing.
    given.track("C1", &[issue(1, "A-1")], 20).await;
    given.track("C2", &[issue(2, "A-2")], 5).await;
    assert!(has_changed("C1", "A-1", 10).await);
    assert!(!has_changed("C1", "A-1", 11).await);
    assert!(!has_changed("C1", "A-2", 0).await && !has_changed("C2", "A-1", 0).await);
    given.tracker.untrack(&author("C1", "U1"), &[key("A-1")], at(30)).await.unwrap();
    assert!(has_changed("C1", "A-1", 11).await);
    assert!(!has_changed("C1", "A-1", 31).await);
}

async fn presence_is_told_key_by_key(given: &Given) {
    given.track("C1", &[issue(1, "A-1")], 0).await;
    given.track("C2", &[issue(2, "A-2")], 0).await;
    let keys = [key("A-2"), key("A-1"), key("A-1")];
    assert_eq!(given.tracker.is_tracked(&channel("C1"), &keys).await.unwrap(), [false, true, true]);
}

async fn a_moved_issue_is_tracked_under_its_new_key(given: &Given) {
    given.track("C1", &[issue(1, "OLD-1"), issue(2, "OLD-2")], 0).await;
    assert_eq!(given.track("C1", &[issue(1, "NEW-1")], 60).await, [AlreadyTracked]);
    assert_eq!(given.keys("C1").await, ["NEW-1", "OLD-2"]);
    let row = given.list("C1").await.remove(0);
    assert_eq!((row.tracked_at, row.last_synced_at), (at(0), Some(at(60))));
    assert_eq!(row.last_jira_summary.as_deref(), Some("Summary of NEW-1"));
}

async fn two_old_keys_of_one_issue_give_one_row(given: &Given) {
    let outcomes = given.track("C1", &[issue(1, "NEW-1"), issue(1, "NEW-1")], 0).await;
    assert_eq!(outcomes, [Tracked, AlreadyTracked]);
    // Jira's answers may even be of different moments.
    let outcomes = given.track("C1", &[issue(2, "OLD-2"), issue(2, "NEW-2")], 1).await;
    assert_eq!(outcomes, [Tracked, AlreadyTracked]);
    assert_eq!(given.list("C1").await.len(), 2);
}

async fn an_issue_listed_under_both_keys_keeps_the_older_row(given: &Given) {
    given.track("C1", &[issue(1, "OLD-1")], 0).await;
    given.execute(&row("C1", "NEW-1", 10)).await;
    given.execute(&row("C2", "NEW-1", 0)).await;
    given.track("C2", &[issue(1, "OLD-1")], 10).await;
    for channel in ["C1", "C2"] {
        assert_eq!(given.track(channel, &[issue(1, "NEW-1")], 60).await, [AlreadyTracked]);
        let rows = given.list(channel).await;
        assert_eq!(rows.len(), 1, "{channel}");
        assert_eq!(rows[0].key, key("NEW-1"));
        assert_eq!(rows[0].issue_id, Some(issue(1, "NEW-1").id));
        assert_eq!(rows[0].tracked_at, at(0));
    }
}

async fn a_row_without_an_id_gets_it(given: &Given) {
    given.execute(&row("C1", "A-1", 0)).await;
    assert_eq!(given.track("C1", &[issue(1, "A-1")], 60).await, [AlreadyTracked]);
    let rows = given.list("C1").await;
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].issue_id, Some(issue(1, "A-1").id));
    assert_eq!(rows[0].last_jira_summary.as_deref(), Some("Summary of A-1"));
}

async fn a_key_that_jira_gave_to_another_issue_keeps_its_row(given: &Given) {
    given.track("C1", &[issue(1, "A-1")], 0).await;
    assert_eq!(given.track("C1", &[described(2, "A-1", "Another", "Open")], 60).await, [AlreadyTracked]);
    let rows = given.list("C1").await;
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].issue_id, Some(issue(2, "A-1").id));
    assert_eq!(rows[0].last_jira_summary.as_deref(), Some("Another"));
}

async fn issues_that_exchanged_their_keys_are_no_error(given: &Given) {
    given.track("C1", &[issue(1, "A-1"), issue(2, "B-1")], 0).await;
    let outcomes = given.track("C1", &[issue(1, "B-1"), issue(2, "A-1")], 60).await;
    assert_eq!(outcomes, [AlreadyTracked, Tracked]);
    assert_eq!(given.keys("C1").await, ["B-1", "A-1"]);
}

async fn a_moved_issue_among_new_ones_is_told_apart(given: &Given) {
    given.track("C1", &[issue(1, "OLD-1"), issue(4, "A-4")], 0).await;
    let issues = [issue(2, "A-2"), issue(1, "NEW-1"), issue(3, "A-3"), issue(4, "A-4"), issue(2, "A-2")];
    let outcomes = given.track("C1", &issues, 60).await;
    assert_eq!(outcomes, [Tracked, AlreadyTracked, Tracked, AlreadyTracked, AlreadyTracked]);
    assert_eq!(given.keys("C1").await, ["NEW-1", "A-4", "A-2", "A-3"]);
}

async fn a_sync_refreshes_what_is_listed_and_nothing_else(given: &Given) {
    given.track("C1", &[issue(1, "A-1"), issue(2, "A-2")], 0).await;
    given.track("C2", &[issue(1, "A-1")], 0).await;
    let updates = [
        (key("A-1"), Some(described(1, "A-1", "After", "Done"))),
        (key("A-9"), Some(issue(9, "A-9"))),
        (key("A-8"), None),
    ];
    given.tracker.sync(&updates, at(60)).await.unwrap();
    let rows = given.list("C1").await;
    assert_eq!(rows.len(), 2);
    assert_eq!(rows[0].last_jira_summary.as_deref(), Some("After"));
    assert_eq!(rows[0].last_jira_status.as_deref(), Some("Done"));
    assert_eq!((rows[0].tracked_at, rows[0].last_synced_at), (at(0), Some(at(60))));
    assert_eq!(rows[1].last_synced_at, Some(at(0)));
    let row = given.list("C2").await.remove(0);
    assert_eq!((row.last_jira_summary.as_deref(), row.last_synced_at), (Some("After"), Some(at(60))));
}

async fn a_sync_renames_a_moved_issue(given: &Given) {
    given.track("C1", &[issue(1, "OLD-1"), issue(2, "OLD-2")], 0).await;
    given.execute(&row("C1", "NEW-2", 10)).await;
    let updates = [(key("OLD-1"), Some(issue(1, "NEW-1"))), (key("OLD-2"), Some(issue(2, "NEW-2")))];
    given.tracker.sync(&updates, at(60)).await.unwrap();
    assert_eq!(given.keys("C1").await, ["NEW-1", "NEW-2"]);
    // Late news changes nothing, and what was moved back is under its old key again.
    let news = [(key("OLD-1"), Some(issue(1, "OLD-1")))];
    given.tracker.sync(&news, at(59)).await.unwrap();
    assert_eq!(given.keys("C1").await, ["NEW-1", "NEW-2"]);
    given.tracker.sync(&news, at(61)).await.unwrap();
    assert_eq!(given.keys("C1").await, ["OLD-1", "NEW-2"]);
}

async fn a_sync_says_that_an_issue_is_gone_and_forgets_its_summary(given: &Given) {
    given.track("C1", &[issue(1, "A-1"), issue(2, "A-2")], 0).await;
    given.tracker.sync(&[(key("A-1"), None)], at(60)).await.unwrap();
    let rows = given.list("C1").await;
    assert_eq!(rows[0].last_jira_summary.as_deref(), Some(""));
    assert_eq!(rows[0].last_jira_status.as_deref(), Some(MISSING_STATUS));
    assert_eq!(rows[0].last_synced_at, Some(at(60)));
    assert_eq!(rows[0].issue_id.as_ref().map(IssueId::as_str), Some("1"));
    assert_eq!(rows[1].last_jira_status.as_deref(), Some("Open"));
}

async fn an_answer_that_was_long_on_its_way_takes_nothing_back(given: &Given) {
    given.track("C1", &[issue(1, "A-1")], 0).await;
    given.tracker.sync(&[(key("A-1"), None)], at(60)).await.unwrap();
    let late = [(key("A-1"), Some(described(1, "A-1", "Before", "Open")))];
    given.tracker.sync(&late, at(59)).await.unwrap();
    let row = given.list("C1").await.remove(0);
    assert_eq!(row.last_jira_summary.as_deref(), Some(""));
    assert_eq!(row.last_jira_status.as_deref(), Some(MISSING_STATUS));
    assert_eq!(row.last_synced_at, Some(at(60)));
}

/// Which issues are due, without keeping them.
async fn due(given: &Given, second: i64, limit: u32) -> Vec<String> {
    let mut keys: Vec<String> = given
        .freshness
        .claim(Ages { before: at(second), now: at(second) }, limit, 1)
        .await
        .unwrap()
        .into_iter()
        .map(|key| key.to_string())
        .collect();
    given.freshness.release(1).await.unwrap();
    keys.sort();
    keys
}

async fn an_issue_is_made_the_next_to_be_read_by_each_of_its_keys(given: &Given) {
    given.track("C1", &[issue(1, "OLD-1"), issue(2, "A-2")], 0).await;
    given.track("C2", &[issue(1, "NEW-1")], 1).await;
    assert_eq!(due(given, 0, 10).await, [""; 0]);
    given.freshness.forget(&issue(1, "NEW-1")).await.unwrap();
    assert_eq!(due(given, 0, 10).await, ["NEW-1", "OLD-1"]);
    let row = given.list("C1").await.remove(0);
    assert_eq!(row.last_jira_summary.as_deref(), Some("Summary of OLD-1"));
    let read = [(key("OLD-1"), Some(issue(1, "OLD-1")))];
    given.tracker.sync(&read, at(5)).await.unwrap();
    assert_eq!(due(given, 0, 10).await, [""; 0], "lists that have it under another key were told, too");
    given.freshness.forget(&issue(9, "A-9")).await.unwrap();
    assert_eq!(due(given, 0, 10).await, [""; 0]);
}

async fn an_issue_that_is_seen_again_gets_its_status_back(given: &Given) {
    given.track("C1", &[issue(1, "A-1"), issue(2, "A-2")], 0).await;
    let gone = [(key("A-1"), None), (key("A-2"), None)];
    given.tracker.sync(&gone, at(60)).await.unwrap();
    let seen = [(key("A-1"), Some(described(1, "A-1", "After", "Done")))];
    given.tracker.sync(&seen, at(61)).await.unwrap();
    assert_eq!(given.track("C1", &[issue(2, "A-2")], 62).await, [AlreadyTracked]);
    let rows = given.list("C1").await;
    assert_eq!(rows[0].last_jira_status.as_deref(), Some("Done"));
    assert_eq!(rows[0].last_jira_summary.as_deref(), Some("After"));
    assert_eq!(rows[1].last_jira_status.as_deref(), Some("Open"));
}

async fn an_issue_without_a_status_waits_for_the_next_sync(given: &Given) {
    let created = [described(1, "A-1", "Just created", ""), issue(2, "A-2")];
    assert_eq!(given.track("C1", &created, 0).await, [Tracked, Tracked]);
    let row = given.list("C1").await.remove(0);
    assert_eq!(row.last_jira_summary.as_deref(), Some("Just created"));
    assert_eq!((row.last_jira_status, row.last_synced_at), (None, None));
    assert_eq!(due(given, 0, 10).await, ["A-1"]);
    // Nor does it count when the row is there.
    assert_eq!(given.track("C1", &created, 1).await, [AlreadyTracked, AlreadyTracked]);
    let row = given.list("C1").await.remove(0);
    assert_eq!((row.last_jira_status, row.last_synced_at), (None, None));
    let updates = [(key("A-1"), Some(issue(1, "A-1")))];
    given.tracker.sync(&updates, at(60)).await.unwrap();
    let row = given.list("C1").await.remove(0);
    assert_eq!((row.last_jira_status.as_deref(), row.last_synced_at), (Some("Open"), Some(at(60))));
}

async fn a_status_that_is_not_told_leaves_the_known_one(given: &Given) {
    given.track("C1", &[issue(1, "A-1"), issue(2, "A-2")], 0).await;
    let outcomes = given.track("C1", &[described(1, "A-1", "After", "")], 1).await;
    assert_eq!(outcomes, [AlreadyTracked]);
    let updates = [(key("A-2"), Some(described(2, "A-2", "After", "")))];
    given.tracker.sync(&updates, at(60)).await.unwrap();
    for (row, synced_at) in given.list("C1").await.into_iter().zip([at(0), at(60)]) {
        assert_eq!(row.last_jira_summary.as_deref(), Some("After"));
        assert_eq!((row.last_jira_status.as_deref(), row.last_synced_at), (Some("Open"), Some(synced_at)));
    }
}

async fn the_longest_waiting_issues_are_due_first(given: &Given) {
    given.track("C1", &[issue(1, "A-1")], 30).await;
    given.track("C2", &[issue(2, "A-2")], 10).await;
    given.track("C1", &[issue(3, "A-3")], 20).await;
    given.execute(&row("C3", "A-4", 99)).await;
    assert_eq!(due(given, 30, 10).await, ["A-2", "A-3", "A-4"]);
    assert_eq!(due(given, 31, 2).await, ["A-2", "A-4"]);
    assert_eq!(due(given, 0, 10).await, ["A-4"]);
}

async fn every_list_with_an_issue_is_found_by_key_and_id(given: &Given) {
    given.track("C1", &[issue(1, "OLD-1")], 0).await;
    given.track("C2", &[issue(1, "NEW-1"), issue(2, "A-2")], 0).await;
    given.execute(&row("C3", "NEW-1", 0)).await;
    let places = given.tracker.get_channels_tracking(&issue(1, "NEW-1")).await.unwrap();
    let expected =
        [(channel("C1"), key("OLD-1")), (channel("C2"), key("NEW-1")), (channel("C3"), key("NEW-1"))];
    assert_eq!(places, expected);
    assert!(given.tracker.get_channels_tracking(&issue(9, "A-9")).await.unwrap().is_empty());
}

async fn hostile_texts_come_back_as_they_were(given: &Given) {
    let texts = [
        "'); DROP TABLE channel_tracked_issues; --".to_owned(),
        r#"<!channel> & "quotes" \ {"json": [1]} $1 ?1 %s"#.to_owned(),
        "\u{1f600} 👩‍👩‍👧 مرحبا ｆｕｌｌ \u{feff}".to_owned(),
        "é".repeat(255),
        "null".to_owned(),
    ];
    let issues: Vec<Issue> = texts
        .iter()
        .zip(1..)
        .map(|(text, number)| described(number, &format!("A-{number}"), text, text))
        .collect();
    given.track("C1", &issues, 0).await;
    given.track("C1", &issues, 1).await;
    for (row, issue) in given.list("C1").await.into_iter().zip(issues) {
        assert_eq!(row.last_jira_summary, Some(issue.summary));
        assert_eq!(row.last_jira_status, Some(issue.status));
    }
}

async fn a_row_by_another_tool_is_listed(given: &Given) {
    given.track("C1", &[issue(1, "A-1")], 0).await;
    for (key, time) in [
        ("A-2", "2026-01-31 09:31:00"),
        ("A-3", "2026-01-31T09:29:00Z"),
        ("A-4", "2026-01-31T11:32:00.123456+02:00"),
        ("A-5", "2026-01-30"),
    ] {
        let statement = format!(
            "INSERT INTO channel_tracked_issues (channel_id, issue_key, tracked_at, tracked_by) \
             VALUES ('C1', '{key}', '{time}', 'U2')"
        );
        given.execute(&statement).await;
    }
    assert_eq!(given.keys("C1").await, ["A-5", "A-3", "A-1", "A-2", "A-4"]);
    let row = given.list("C1").await.remove(3);
    assert_eq!((row.tracked_at, row.tracked_by), (at(60), Some(user("U2"))));
    assert_eq!((row.source, row.issue_id, row.last_synced_at), (Source::Command, None, None));
    assert_eq!((row.last_jira_status, row.last_jira_summary), (None, None));
    assert_eq!(given.tracker.is_tracked(&channel("C1"), &[key("A-5")]).await.unwrap(), [true]);
}

async fn a_row_that_makes_no_sense_is_left_out(given: &Given) {
    given.execute(&row("C1", "no key", 0)).await;
    given.execute(&row("C1", "A-1", 1)).await;
    given.execute("UPDATE channel_tracked_issues SET tracked_by = 'a script', source = 'import'").await;
    let rows = given.list("C1").await;
    assert_eq!(rows.len(), 1);
    assert_eq!((&rows[0].key, &rows[0].tracked_by), (&key("A-1"), &None));
}

async fn of_many_who_track_an_issue_one_is_told_that_it_is_new(given: &Given) {
    for round in 0..10 {
        let issue = issue(round, &format!("A-{}", round + 1));
        let calls = (0..32).map(|_| {
            let (tracker, issue) = (Arc::clone(&given.tracker), issue.clone());
            tokio::spawn(async move { track(&*tracker, "C1", &[issue], 0).await })
        });
        let outcomes = all(calls.collect()).await.concat();
        assert_eq!(outcomes.iter().filter(|outcome| **outcome == Tracked).count(), 1, "round {round}");
    }
    assert_eq!(given.list("C1").await.len(), 10);
}

async fn of_many_who_untrack_an_issue_one_is_told_that_it_was_there(given: &Given) {
    given.track("C1", &[issue(1, "A-1")], 0).await;
    let calls = (0..32).map(|_| {
        let tracker = Arc::clone(&given.tracker);
        tokio::spawn(async move { tracker.untrack(&author("C1", "U1"), &[key("A-1")], at(0)).await.unwrap() })
    });
    let outcomes = all(calls.collect()).await.concat();
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == Untracked).count(), 1);
}

async fn crossing_lists_of_keys_do_not_block_one_another(given: &Given) {
    let forward: Vec<Issue> = (1..=20).map(|number| issue(number, &format!("A-{number}"))).collect();
    let backward: Vec<Issue> = forward.iter().rev().cloned().collect();
    let calls = (0..16).map(|call| {
        let tracker = Arc::clone(&given.tracker);
        let issues = if call % 2 == 0 { forward.clone() } else { backward.clone() };
        tokio::spawn(async move { track(&*tracker, "C1", &issues, 0).await })
    });
    let outcomes: Vec<TrackOutcome> = all(calls.collect()).await.concat();
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == Tracked).count(), 20);
    assert_eq!(given.list("C1").await.len(), 20);
}

async fn a_storm_of_changes_ends_consistent(given: &Given) {
    // Six issues that come, go, and move to a second key and back, by sixteen callers.
    let calls = (0..16u32).map(|caller| {
        let tracker = Arc::clone(&given.tracker);
        tokio::spawn(async move {
            let mut balance = 0;
            for step in 0..30 {
                let number = (caller + step) % 6 + 1;
                let project = if (caller + step / 7) % 2 == 0 { "A" } else { "B" };
                let named = issue(number, &format!("{project}-{number}"));
                if (caller + step) % 3 == 0 {
                    let gone = tracker.untrack(&author("C1", "U1"), &[named.key], at(0)).await.unwrap();
                    balance -= gone.iter().filter(|outcome| **outcome == Untracked).count() as i64;
                } else {
                    let new = track(&*tracker, "C1", &[named], i64::from(step)).await;
                    balance += new.iter().filter(|outcome| **outcome == Tracked).count() as i64;
                }
            }
            balance
        })
    });
    let balance: i64 = all(calls.collect()).await.into_iter().sum();
    let rows = given.list("C1").await;
    assert_eq!(rows.len() as i64, balance, "as many rows as were told to be new and not removed");
    let ids: HashSet<_> = rows.iter().map(|row| row.issue_id.clone()).collect();
    assert_eq!(ids.len(), rows.len(), "one row for an issue");
}

async fn replicas_see_one_list(given: &Given) {
    let replica = given.replica().await;
    let calls = (0..20u32).flat_map(|number| {
        [&given.tracker, &replica.tracker].map(|tracker| {
            let tracker = Arc::clone(tracker);
            tokio::spawn(async move {
                track(&*tracker, "C1", &[issue(number, &format!("A-{}", number + 1))], 0).await
            })
        })
    });
    let outcomes = all(calls.collect()).await.concat();
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == Tracked).count(), 20);
    assert_eq!(replica.tracker.count_tracked_issues(&channel("C1")).await.unwrap(), 20);
    replica.close().await;
}

async fn lists_survive_a_restart(given: &Given) {
    given.track("C1", &[issue(1, "A-1")], 0).await;
    given.close().await;
    let again = given.open_again().await;
    let page = PageRequest { offset: 0, limit: 10 };
    let list = again.tracker.get_tracked_issues(&channel("C1"), page).await.unwrap();
    assert_eq!(list.issues.len(), 1);
    assert_eq!(track(&*again.tracker, "C1", &[issue(1, "A-1")], 1).await, [AlreadyTracked]);
    again.close().await;
}

async fn a_call_after_the_end_is_an_error(given: &Given) {
    given.close().await;
    assert!(given.tracker.ping().await.is_err());
    assert!(given.tracker.untrack(&author("C1", "U1"), &[key("A-1")], at(0)).await.is_err());
}

/// A statement that inserts a row without Jira's id.
fn row(channel: &str, key: &str, second: i64) -> String {
    format!(
        "INSERT INTO channel_tracked_issues (channel_id, issue_key, tracked_at, tracked_by) \
         VALUES ('{channel}', '{key}', '{:.6}', 'U1')",
        at(second)
    )
}

async fn all<T>(calls: Vec<tokio::task::JoinHandle<T>>) -> Vec<T> {
    let mut results = Vec::with_capacity(calls.len());
    for call in calls {
        results.push(call.await.unwrap());
    }
    results
}

async fn whether_an_issue_has_a_security_level_is_kept(given: &Given) {
    let level = |issue: Issue, has_security_level| Issue { has_security_level, ..issue };
    let read = async || -> Vec<Option<bool>> {
        given.list("C1").await.into_iter().map(|row| row.has_security_level).collect()
    };
    given.track("C1", &[level(issue(1, "A-1"), true)], 0).await;
    given.track("C1", &[issue(2, "A-2"), level(issue(3, "A-3"), true)], 1).await;
    // Jira's answer to a creation says nothing of it.
    given.track("C1", &[described(4, "A-4", "New", "")], 2).await;
    assert_eq!(read().await, [Some(true), Some(false), Some(true), None]);
    // Of what Jira doesn't show any more, it says nothing either.
    let updates = [(key("A-1"), Some(issue(1, "A-1"))), (key("A-3"), None)];
    given.tracker.sync(&updates, at(60)).await.unwrap();
    assert_eq!(read().await, [Some(false), Some(false), Some(true), None]);
}
