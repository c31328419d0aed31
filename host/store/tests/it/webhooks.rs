//! The queue of webhooks. Each claim runs on SQLite and on PostgreSQL.

use std::time::Duration;

use maro_domain::issue::IssueId;
use maro_store::webhooks::{CAPACITY, Changed, SetStatus, Webhook};

use crate::support::given::{Given, issue, key, on_both_databases};

on_both_databases! {
    an_issue_waits_once_however_many_webhooks_come,
    who_set_each_of_the_last_statuses_is_known,
    a_webhook_that_is_sent_again_does_nothing,
    what_no_list_has_does_not_wait,
    what_comes_while_an_issue_is_read_has_it_read_again,
    what_is_ended_or_put_off_leaves_the_rest_of_a_claim_alone,
    of_all_replicas_one_reads_an_issue_and_another_takes_over,
    what_is_anothers_is_claimed_when_it_is_overdue,
    a_full_queue_takes_only_what_is_in_it,
}

const PAUSE: Duration = Duration::from_secs(60);

fn about(id: &str, issue: &str) -> Webhook {
    let id = Some(IssueId::new(id)).filter(|id| !id.as_str().is_empty());
    Webhook { identifier: None, id, key: Some(key(issue)), status: None }
}

fn named(identifier: &str, webhook: Webhook) -> Webhook {
    Webhook { identifier: Some(identifier.to_owned()), ..webhook }
}

fn setting(digest: &str, webhook: Webhook) -> Webhook {
    let status = SetStatus { digest: digest.to_owned(), by: format!("Setter of {digest}") };
    Webhook { status: Some(status), ..webhook }
}

async fn claim(given: &Given, holder: i64) -> Vec<Changed> {
    given.webhooks.claim(holder, 100, Duration::ZERO, Duration::ZERO).await.unwrap()
}

/// In no order: a claim has none.
fn names(changed: &[Changed]) -> Vec<String> {
    let mut names: Vec<String> =
        changed.iter().map(|changed| format!("{} {}", changed.name, changed.key)).collect();
    names.sort_unstable();
    names
}

async fn an_issue_waits_once_however_many_webhooks_come(given: &Given) {
    given.track("C1", &[issue(10, "A-1"), issue(11, "A-2")], 0).await;
    let webhooks =
        [setting("aa", about("10", "A-1")), about("10", "B-1"), about("11", "A-2"), about("", "A-2")];
    assert_eq!(given.webhooks.put(&webhooks).await.unwrap(), [true; 4]);
    assert_eq!(given.webhooks.put(&[about("10", "C-1")]).await.unwrap(), [true]);
    let mut changed = claim(given, 1).await;
    changed.sort_by(|one, other| one.name.cmp(&other.name));
    assert_eq!(names(&changed), ["10 C-1", "11 A-2", "A-2 A-2"]);
    assert_eq!(changed[0].statuses[0].by, "Setter of aa");
    assert_eq!((changed[2].id.as_ref(), changed[0].id.as_ref().map(IssueId::as_str)), (None, Some("10")));
    given.webhooks.end(1, &changed, PAUSE).await.unwrap();
    assert_eq!(claim(given, 2).await, []);
}

async fn who_set_each_of_the_last_statuses_is_known(given: &Given) {
    given.track("C1", &[issue(10, "A-1"), issue(11, "A-2")], 0).await;
    let digest = |letter: char| letter.to_string().repeat(64);
    let set = |letter: char| setting(&digest(letter), about("10", "A-1"));
    given
        .webhooks
        .put(&[set('a'), about("10", "A-1"), set('b'), setting("x", about("11", "A-2"))])
        .await
        .unwrap();
    given.webhooks.put(&[about("10", "A-1")]).await.unwrap();
    given.webhooks.put(&[set('c')]).await.unwrap();
    let known = async |holder| {
        let mut changed = claim(given, holder).await;
        changed.sort_by(|one, other| one.name.cmp(&other.name));
        changed.remove(0).statuses
    };
    let expected = |letters: &str| {
        let status =
            |letter| SetStatus { digest: digest(letter), by: format!("Setter of {}", digest(letter)) };
        letters.chars().map(status).collect::<Vec<_>>()
    };
    assert_eq!(known(1).await, expected("cba"));
    for letter in "defg".chars() {
        let long = SetStatus { digest: digest(letter), by: "é\n".repeat(50) };
        given.webhooks.put(&[Webhook { status: Some(long), ..about("10", "A-1") }]).await.unwrap();
    }
    given.webhooks.put(&[set('h')]).await.unwrap();
    given.execute("UPDATE webhook_queue SET held_until_ms = 0").await;
    let last = known(2).await;
    assert_eq!(last.len(), 5, "{last:?}");
    assert_eq!((&last[0], last[1].by.as_str()), (&expected("h")[0], "é ".repeat(50).as_str()));
    assert_eq!(last[4].digest, digest('d'));
    // One of the release before.
    let before = "UPDATE webhook_queue SET status_digest = 'aa', set_by = 'Ada', held_until_ms = 0";
    given.execute(before).await;
    assert_eq!(known(3).await, [SetStatus { digest: "aa".to_owned(), by: "Ada".to_owned() }]);
}

async fn a_webhook_that_is_sent_again_does_nothing(given: &Given) {
    given.track("C1", &[issue(10, "A-1"), issue(11, "A-2")], 0).await;
    let other = given.replica().await;
    let webhook = named("w1", about("10", "A-1"));
    let twice = [webhook.clone(), webhook.clone()];
    let (one, two) = tokio::join!(given.webhooks.put(&twice), other.webhooks.put(&twice));
    assert_eq!((one.unwrap(), two.unwrap()), (vec![true; 2], vec![true; 2]));
    let changed = claim(given, 1).await;
    given.webhooks.end(1, &changed, PAUSE).await.unwrap();
    assert_eq!(claim(given, 1).await, [], "it was counted as two");
    assert_eq!(other.webhooks.put(std::slice::from_ref(&webhook)).await.unwrap(), [true]);
    assert_eq!(claim(given, 1).await, []);
    given.webhooks.put(&[named("w2", about("10", "A-1")), webhook.clone()]).await.unwrap();
    assert_eq!(names(&claim(given, 1).await), ["10 A-1"]);
    // After some hours it may be another one.
    given.execute("UPDATE handled_webhooks SET handled_ms = handled_ms - 7100000").await;
    given.webhooks.prune().await.unwrap();
    assert_eq!(
        given.query("SELECT identifier FROM handled_webhooks").await.len(),
        2,
        "Jira may still send them"
    );
    given.execute("UPDATE handled_webhooks SET handled_ms = handled_ms - 200000").await;
    given.webhooks.prune().await.unwrap();
    assert_eq!(given.query("SELECT identifier FROM handled_webhooks").await, [""; 0]);
    other.close().await;
}

async fn what_no_list_has_does_not_wait(given: &Given) {
    given.track("C1", &[issue(10, "OLD-1")], 0).await;
    let webhooks = [named("w1", about("77", "A-1")), about("", "A-1"), about("10", "NEW-1")];
    assert_eq!(given.webhooks.put(&webhooks).await.unwrap(), [true; 3]);
    assert_eq!(names(&claim(given, 1).await), ["10 NEW-1"]);
    // Once somebody tracks it, it matters.
    given.track("C1", &[issue(77, "A-1")], 1).await;
    given.webhooks.put(&webhooks[..1]).await.unwrap();
    assert_eq!(names(&claim(given, 1).await), ["77 A-1"]);
}

async fn what_comes_while_an_issue_is_read_has_it_read_again(given: &Given) {
    given.track("C1", &[issue(10, "A-1")], 0).await;
    given.webhooks.put(&[about("10", "A-1")]).await.unwrap();
    let first = claim(given, 1).await;
    given.webhooks.put(&[setting("bb", about("10", "A-1"))]).await.unwrap();
    assert_eq!(claim(given, 2).await, [], "somebody reads it");
    given.webhooks.end(1, &first, Duration::ZERO).await.unwrap();
    let second = claim(given, 2).await;
    assert_eq!(second[0].statuses[0].digest, "bb");
    given.webhooks.put_off(2, &second, PAUSE).await.unwrap();
    assert_eq!(claim(given, 3).await, [], "it waits");
    given.execute("UPDATE webhook_queue SET due_ms = due_ms - 60000").await;
    assert_eq!(claim(given, 3).await, second);
}

async fn what_is_ended_or_put_off_leaves_the_rest_of_a_claim_alone(given: &Given) {
    given.track("C1", &[issue(10, "A-1"), issue(11, "A-2"), issue(12, "A-3")], 0).await;
    given.webhooks.put(&[about("10", "A-1"), about("11", "A-2"), about("12", "A-3")]).await.unwrap();
    let mut changed = claim(given, 1).await;
    changed.sort_by(|one, other| one.name.cmp(&other.name));
    assert_eq!(names(&changed), ["10 A-1", "11 A-2", "12 A-3"]);
    given.webhooks.put(&[about("10", "A-1")]).await.unwrap();
    given.webhooks.end(1, &changed[..1], Duration::ZERO).await.unwrap();
    assert_eq!(names(&claim(given, 2).await), ["10 A-1"], "it has changed once more");
    given.webhooks.put_off(1, &changed[1..2], Duration::ZERO).await.unwrap();
    assert_eq!(names(&claim(given, 2).await), ["11 A-2"]);
    given.webhooks.end(1, &changed[2..], PAUSE).await.unwrap();
    let waiting = "SELECT issue FROM webhook_queue ORDER BY issue";
    assert_eq!(given.query(waiting).await, ["10", "11"], "the last one was still claimed");
}

async fn of_all_replicas_one_reads_an_issue_and_another_takes_over(given: &Given) {
    given.track("C1", &[issue(10, "A-1")], 0).await;
    given.webhooks.put(&[about("10", "A-1")]).await.unwrap();
    let other = given.replica().await;
    let (one, two) = tokio::join!(
        given.webhooks.claim(1, 10, Duration::ZERO, Duration::ZERO),
        other.webhooks.claim(2, 10, Duration::ZERO, Duration::ZERO)
    );
    let (one, two) = (one.unwrap(), two.unwrap());
    assert_eq!(one.len() + two.len(), 1);
    let (holder, late) = if one.is_empty() { (2, two) } else { (1, one) };
    given.execute("UPDATE webhook_queue SET held_until_ms = held_until_ms - 4000").await;
    given.webhooks.renew(holder).await.unwrap();
    given.execute("UPDATE webhook_queue SET held_until_ms = held_until_ms - 4000").await;
    assert_eq!(claim(given, 3).await, [], "it was renewed");
    given.execute("UPDATE webhook_queue SET held_until_ms = held_until_ms - 4000").await;
    assert_eq!(names(&claim(given, 3).await), ["10 A-1"]);
    // A late worker ends nothing.
    given.webhooks.end(holder, &late, PAUSE).await.unwrap();
    assert_eq!(given.query("SELECT issue FROM webhook_queue").await, ["10"]);
    other.close().await;
}

async fn what_is_anothers_is_claimed_when_it_is_overdue(given: &Given) {
    given.track("C1", &[issue(10, "A-1")], 0).await;
    given.webhooks.put(&[about("10", "A-1")]).await.unwrap();
    assert_eq!(given.webhooks.claim(1, 10, Duration::ZERO, PAUSE).await.unwrap(), []);
    given.execute("UPDATE webhook_queue SET due_ms = due_ms - 60000").await;
    assert_eq!(names(&given.webhooks.claim(1, 10, Duration::ZERO, PAUSE).await.unwrap()), ["10 A-1"]);
}

async fn a_full_queue_takes_only_what_is_in_it(given: &Given) {
    given.track("C1", &[issue(10, "A-1"), issue(11, "A-2")], 0).await;
    let fill = format!(
        "WITH RECURSIVE number (n) AS (SELECT 2 UNION ALL SELECT n + 1 FROM number WHERE n < {CAPACITY}) \
         INSERT INTO webhook_queue (issue, issue_key, noted_ms, due_ms) SELECT 'X-' || n, 'X-' || n, 1, 1 FROM number"
    );
    given.execute(&fill).await;
    assert_eq!(given.webhooks.put(&[named("w1", about("10", "A-1"))]).await.unwrap(), [true]);
    let webhooks = [named("w2", about("11", "A-2")), named("w3", about("10", "A-1")), about("77", "A-9")];
    assert_eq!(given.webhooks.put(&webhooks).await.unwrap(), [false, true, true]);
    // There is room again when it comes again.
    given.execute("DELETE FROM webhook_queue WHERE issue = 'X-2'").await;
    assert_eq!(given.webhooks.put(&webhooks).await.unwrap(), [true; 3]);
    let waiting = "SELECT issue FROM webhook_queue WHERE issue IN ('10', '11') ORDER BY issue";
    assert_eq!(given.query(waiting).await, ["10", "11"]);
}

/// Only replicas share a queue, and they're on PostgreSQL.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replicas_together_claim_a_few_issues_once_in_a_while_and_many_at_once() {
    const LONG: Duration = Duration::from_secs(60);
    let Some(given) = Given::postgres().await else { return };
    let other = given.replica().await;
    given.execute("INSERT INTO jira_polls (asked_ms, known_ms) VALUES (0, 0)").await;
    given.track("C1", &[issue(10, "A-1"), issue(11, "A-2"), issue(12, "A-3")], 0).await;
    given.webhooks.put(&[about("10", "A-1")]).await.unwrap();
    assert_eq!(
        names(&given.webhooks.claim(1, 2, LONG, Duration::ZERO).await.unwrap()),
        ["10 A-1"],
        "nobody was there before"
    );
    other.webhooks.put(&[about("11", "A-2")]).await.unwrap();
    assert_eq!(other.webhooks.claim(2, 2, LONG, Duration::ZERO).await.unwrap(), [], "it's too soon");
    given.webhooks.put(&[about("12", "A-3")]).await.unwrap();
    let many = other.webhooks.claim(2, 2, LONG, Duration::ZERO).await.unwrap();
    assert_eq!(names(&many), ["11 A-2", "12 A-3"], "many wait");
    other.webhooks.put_off(2, &many, Duration::ZERO).await.unwrap();
    given.execute("UPDATE jira_polls SET read_ms = read_ms - 60000").await;
    let later = given.webhooks.claim(1, 9, LONG, Duration::ZERO).await.unwrap();
    assert_eq!(names(&later), ["11 A-2", "12 A-3"], "time has passed");
    given.webhooks.put_off(1, &later, Duration::ZERO).await.unwrap();
    given.execute("UPDATE jira_polls SET read_ms = read_ms + 3600000").await;
    assert_eq!(
        names(&given.webhooks.claim(1, 9, LONG, Duration::ZERO).await.unwrap()),
        ["11 A-2", "12 A-3"],
        "a clock was set back"
    );
    other.close().await;
    given.close().await;
}
